"""Compares how a port is cut: which partitions go, by name, and what else differs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from dataops_mesh.plan.thresholds import quarantine_words, relate_quarantine
from dataops_mesh.spec.cut import same_cut
from dataops_mesh.spec.partition import Cadence, Partitioning, has_key, partitions_until

_FEW = 12  # partitions that are named one by one
_MANY = 5_000  # that are not counted
_DAYS = timedelta(days=2)  # a day is over everywhere by then


def compare_partitions(
    old: Partitioning | None, new: Partitioning | None
) -> Iterator[tuple[str, str, object]]:
    """Yield how a port is cut otherwise: the kind of change, a sentence, and exactly what goes."""
    if old == new:
        return
    if old is None or new is None:
        yield "partitions_changed", "partitions set" if new else "no longer partitioned", None
        return
    if not same_cut(old.cut, new.cut):
        yield "partitions_changed", f"partitions {old.cut} to {new.cut}", None
    if old.lookback != new.lookback:
        yield "sla_note", f"lookback {old.lookback} to {new.lookback}", None
    if aside := relate_quarantine(old.quarantine, new.quarantine):
        yield aside, f"in_partition: {quarantine_words(old.quarantine, new.quarantine)}", None
    later, sooner = new.start > old.start, new.start < old.start
    shorter = new.end is not None and (old.end is None or new.end < old.end)
    longer = old.end is not None and (new.end is None or new.end > old.end)
    if later or shorter or set(old.values) - set(new.values):
        yield "partitions_fewer", f"fewer partitions: {fewer_words(old, new)}", _fewer(old, new)
    if sooner or longer or set(new.values) - set(old.values):
        yield "partitions_more", "more partitions", None


def _fewer(old: Partitioning, new: Partitioning) -> object:
    """Return all that decides which partitions go."""
    days = [str(day or "") for cut in (old, new) for day in (cut.start, cut.end)]
    cuts = [] if same_cut(old.cut, new.cut) else [old.cut, new.cut]
    return [days, sorted(set(old.values) - set(new.values)), cuts]


def fewer_words(old: Partitioning, new: Partitioning) -> str:
    """Return which partitions go, the first and the last of many, and how many.

    >>> year = Partitioning("day", Cadence.DAILY, date(2013, 1, 1), date(2014, 1, 1))
    >>> fewer_words(year, replace(year, start=date(2013, 1, 5), end=date(2013, 12, 31)))
    '2013-01-01 to 2013-01-04 (4), 2013-12-31'
    >>> fewer_words(replace(year, end=None), year)
    'all from 2014-01-01 on'
    """
    found = ", ".join(_named(old, new))
    if found or new.start > old.start:
        return found or f"start {old.start} to {new.start}"
    return f"end {old.end or 'open'} to {new.end}"


def _named(old: Partitioning, new: Partitioning) -> Iterator[str]:
    gone = sorted(set(old.values) - set(new.values))
    if gone:
        yield ", ".join(gone) if len(gone) <= _FEW else f"{gone[0]} to {gone[-1]} ({len(gone)})"
    if old.cadence is None or new.cadence is None:
        return
    if new.start > old.start:
        yield from _between(old, new, old.start, min(new.start, old.end or new.start))
    if new.end is not None and (old.end is None or new.end < old.end):
        first = max(new.end, old.start)
        yield from (
            [f"all from {first} on"] if old.end is None else _between(old, new, first, old.end)
        )


def _between(old: Partitioning, new: Partitioning, first: date, after: date) -> Iterator[str]:
    """Yield the partitions that go from one day to another, which is not of them."""
    many = (after - first).days * (24 if old.cadence is Cadence.HOURLY else 1)
    if many > _MANY:
        yield f"from {first} until {after}"
    elif many > 0:
        over = datetime.combine(after, time(), UTC) + _DAYS
        pieces = partitions_until(replace(old, start=first, end=after), over)
        keys = [piece.key for piece in pieces if not has_key(new, piece.key)]
        if keys:
            yield keys[0] if len(keys) == 1 else f"{keys[0]} to {keys[-1]} ({len(keys)})"
