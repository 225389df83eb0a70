"""What is unusual about a product: a sentence for each number, and its history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.days import days
from dataops_mesh.ledger.usual import Build, Column, first_published, last_builds
from dataops_mesh.run.usual.bounds import (
    DISTINCT,
    MEAN,
    MOST,
    NULLS,
    PER_ROW,
    ROWS,
    SECONDS,
    Bounds,
    Kind,
    Point,
    bounds,
)
from dataops_mesh.run.usual.lateness import lateness
from dataops_mesh.run.usual.refusals import DAYS, refusals
from dataops_mesh.run.usual.remark import Remark
from dataops_mesh.store.manifest import PUBLISH

BUILDS = 4 * MOST  # a partition may have been built again and again
_LOOKED_BACK = timedelta(days=2 * MOST)  # of what comes on some days of the week


def remarks(
    ledger: Ledger, product: str, now: datetime, *, awaited: bool = True
) -> tuple[Remark, ...]:
    """Return what is unusual about a product and its last build, published or refused.

    Args:
        ledger: what happened.
        product: its qualified name.
        now: the real time.
        awaited: somebody would want to know that nothing comes.
    """
    found: list[Remark] = []
    if awaited:
        found += lateness(first_published(ledger, product, now - _LOOKED_BACK), now)
    found += refusals(days(ledger, now.date(), DAYS, [product]))
    for number, (port, builds) in enumerate(last_builds(ledger, product, BUILDS).items()):
        # All ports of a product are built together: how long that took is told once.
        found += [one for one in of_port(port, builds) if one.kind != SECONDS.name or number == 0]
    return tuple(found)


def of_port(port: str, builds: Sequence[Build]) -> Iterator[Remark]:
    """Yield what is unusual about the last build of a port.

    Args:
        port: its address.
        builds: the last ones, oldest first. What was refused is no example of what is usual.
    """
    if not builds:
        return
    last, day, before = builds[-1], builds[-1].day, _before(builds)
    series: list[tuple[Kind, str]] = [(ROWS, ""), (SECONDS, "")]
    series += [(kind, name) for name in last.columns for kind in (NULLS, DISTINCT, MEAN)]
    for kind, column in series:
        points = list(_points(before, kind, column))
        for _, value in _points([last], kind, column):
            usual = bounds(points, day, kind)
            if not usual.holds(value) and not (
                kind is DISTINCT and _follows_rows(before, last, column, more=value > usual.high)
            ):
                told = _sentence(kind, column, value, usual, day)
                past = (*points[-MOST:], (day, value))
                yield Remark(port, kind.name, column, last.candidate, told, past, usual)


def days_before(builds: Sequence[Build]) -> int:
    """Return on how many days before the last build something was published."""
    return len(_before(builds))


def _before(builds: Sequence[Build]) -> list[Build]:
    """Return what was published before the last one, the last of each day."""
    last, day = builds[-1], builds[-1].day
    good = {one.day: one for one in builds[:-1] if one.verdict == PUBLISH}
    return [good[at] for at in sorted(good) if at < day or not last.partition]


def _follows_rows(before: Sequence[Build], last: Build, column: str, *, more: bool) -> bool:
    """Tell whether there are more, or fewer, different values only because there are rows."""
    usual = bounds(list(_points(before, PER_ROW, column)), last.day, PER_ROW)
    shares = [value for _, value in _points([last], PER_ROW, column)]
    return not any(one > usual.high if more else one < usual.low for one in shares)


def _points(builds: Iterable[Build], kind: Kind, column: str) -> Iterator[Point]:
    for one in builds:
        told = one.columns.get(column)
        if kind is ROWS:
            yield one.day, float(one.rows)
        elif kind is SECONDS and one.seconds is not None:
            yield one.day, one.seconds
        elif told is not None and one.rows:
            yield from ((one.day, value) for value in _values(told, one.rows, kind))


def _values(column: Column, rows: int, kind: Kind) -> Iterator[float]:
    filled = rows - column.nulls
    if kind is NULLS:
        yield column.nulls / rows
    elif kind is MEAN and column.mean is not None:
        yield column.mean
    elif kind in {DISTINCT, PER_ROW} and column.distinct and filled:
        yield column.distinct / (filled if kind is PER_ROW else 1)


def _sentence(kind: Kind, column: str, value: float, usual: Bounds, day: date) -> str:
    weekday = f"on a {day:%A}"
    if kind is ROWS:
        low, high = max(usual.low, 0), usual.high
        return f"{value:,.0f} rows; {low:,.0f} to {high:,.0f} would be usual {weekday}"
    if kind is SECONDS:
        low, high = max(usual.low, 0), usual.high
        return f"it took {value:,.0f} s; {low:,.0f} to {high:,.0f} would be usual {weekday}"
    if kind is NULLS:
        most, least = min(usual.high, 1), max(usual.low, 0)
        said = f"{100 * least:.3g} to {100 * most:.3g} % would be usual {weekday}"
        return f"{column} is null in {100 * value:.3g} % of the rows; {said}"
    if kind is DISTINCT:
        low, high = max(usual.low, 0), usual.high
        said = f"{low:,.0f} to {high:,.0f} would be usual {weekday}"
        return f"{column} has {value:,.0f} different values; {said}"
    said = f"{usual.low:,.4g} to {usual.high:,.4g} would be usual {weekday}"
    return f"{column} is {value:,.4g} on average; {said}"
