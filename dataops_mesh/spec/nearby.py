"""The partitions before and after one, and which rows of a delivery they have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from dataops_mesh.spec.partition import Cadence, Partition, Partitioning, literal, partitions_until

_LENGTHS = {
    Cadence.HOURLY: timedelta(hours=1),
    Cadence.DAILY: timedelta(days=1),
    Cadence.WEEKLY: timedelta(days=7),
    Cadence.MONTHLY: timedelta(days=31),
}
_AROUND = timedelta(days=2)  # zones are less than a day apart


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of a source belong to partitions.

    Args:
        column: of the source.
        condition: true for rows of the partitions; false or null for all others.
        beyond: of the partition's own delivery, true for rows that it may not bring and that
            belong to it all the same, so that they can be set aside; empty for none.
    """

    column: str
    condition: str
    beyond: str = ""


@lru_cache(maxsize=4096)
def nearby(cut: Partitioning, key: str, back: int = 0, on: int = 0) -> tuple[Partition, ...]:
    """Return the partition of a key with so many before and after it, begun or not.

    >>> days = Partitioning("day", Cadence.DAILY, date(2026, 1, 1), date(2026, 1, 4))
    >>> [piece.key for piece in nearby(days, "2026-01-02", back=2, on=1)]
    ['2026-01-01', '2026-01-02', '2026-01-03']
    """
    if cut.cadence is None:
        return tuple(
            piece for piece in partitions_until(cut, datetime.now(UTC)) if piece.key == key
        )
    day, length = date.fromisoformat(key[:10]), _LENGTHS[cut.cadence]
    since = day - (length * (back + 1) + _AROUND)
    until = datetime.combine(day, time(), UTC) + length * (on + 2) + _AROUND
    pieces = partitions_until(replace(cut, start=max(cut.start, since)), until)
    at = next((index for index, piece in enumerate(pieces) if piece.key == key), None)
    return () if at is None else pieces[max(0, at - back) : at + on + 1]


def window_of(column: str, pieces: tuple[Partition, ...]) -> Window:
    """Return which rows belong to one of several partitions that follow each other.

    >>> days = Partitioning("t", Cadence.DAILY, date(2026, 1, 1))
    >>> print(window_of("t", nearby(days, "2026-01-02")).condition)
    TRY_CAST("t" AS DATE) >= DATE '2026-01-02' AND TRY_CAST("t" AS DATE) < DATE '2026-01-03'
    """
    first, last = pieces[0], pieces[-1]
    name = '"' + column.replace('"', '""') + '"'
    start, end, kind = first.start, last.end, "DATE"
    if isinstance(start, datetime):  # of the delivery nobody knows the type: moments are moments
        start, end, kind = first.begins, last.ends, "TIMESTAMPTZ"
    value = f"TRY_CAST({name} AS {kind})"
    if start is None or end is None:
        return Window(column, "false")
    return Window(column, f"{value} >= {literal(start)} AND {value} < {literal(end)}")
