"""Partitions: a port is built, tested and published piece by piece.

A column that the contract calls `partitioned` says where the cuts are (ODCS
`schema[0].properties[].partitioned`); the setting `partitions` says how they are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean

_DECEMBER = 12


class Cadence(StrEnum):
    """How long a partition of time is; weeks begin on Monday, all days are of the column."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Partitioning:
    """How a port is cut.

    Args:
        column: the column that decides; a date for a cadence.
        cadence: the length of a partition; None when the partitions are listed.
        start: the first day.
        end: the first day that no partition holds; None means that days keep coming.
        values: the partitions by name, when they are listed.
    """

    column: str
    cadence: Cadence | None = None
    start: date = date.min
    end: date | None = None
    values: tuple[str, ...] = ()

    @property
    def cut(self) -> str:
        """Return how pieces are made, in a line: pieces made otherwise overlap or leave gaps.

        >>> Partitioning("day", Cadence.MONTHLY, date(2013, 1, 1)).cut
        'monthly by day'
        """
        return f"{self.cadence or 'listed'} by {self.column}"


@dataclass(frozen=True, slots=True)
class Partition:
    """One piece: its key, and for time the first day and the day after the last."""

    key: str
    column: str
    start: date | None = None
    end: date | None = None

    @property
    def outside(self) -> str:
        """Return the SQL condition that is true for rows of another partition."""
        column = '"' + self.column.replace('"', '""') + '"'
        if self.start is None or self.end is None:
            value = self.key.replace("'", "''")
            return f"{column} IS NULL OR {column}::VARCHAR <> '{value}'"
        within = f"{column} >= DATE '{self.start}' AND {column} < DATE '{self.end}'"
        return f"{column} IS NULL OR NOT ({within})"


def partitions_until(partitioning: Partitioning, now: datetime) -> tuple[Partition, ...]:
    """Return the partitions that have begun by a day, in order.

    >>> months = Partitioning("day", Cadence.MONTHLY, date(2013, 1, 1))
    >>> [p.key for p in partitions_until(months, datetime(2013, 3, 1))]
    ['2013-01-01', '2013-02-01', '2013-03-01']
    """
    return tuple(_pieces(partitioning, now.date()))


def partition_of(partitioning: Partitioning, key: str, now: datetime) -> Partition:
    """Return the partition of a key.

    Raises:
        UnknownNameError: there is no such partition, or it has not begun.
    """
    known = {partition.key: partition for partition in partitions_until(partitioning, now)}
    if key not in known:
        keys = tuple(known)
        shown = keys if len(keys) <= _DECEMBER else (*keys[:3], "...", *keys[-3:])
        what = f'no partition "{key}" by {now.date()}{did_you_mean(key, keys)}'
        raise UnknownNameError(Problem(what, key="partition", choices=shown))
    return known[key]


def has_key(partitioning: Partitioning, key: str) -> bool | None:
    """Tell whether there is a partition of this key, begun or not.

    None for a key that no partition of this length can have: it is of another cut.

    >>> months = Partitioning("day", Cadence.MONTHLY, date(2013, 2, 14))
    >>> [has_key(months, key) for key in ("2013-01-01", "2013-02-01", "2013-02-14", "east")]
    [False, True, None, None]
    """
    if partitioning.cadence is None:
        return key in partitioning.values
    try:
        day = date.fromisoformat(key)
    except ValueError:
        return None
    if _floor(day, partitioning.cadence) != day:
        return None
    first = _floor(partitioning.start, partitioning.cadence)
    return first <= day and (partitioning.end is None or day < partitioning.end)


def _pieces(partitioning: Partitioning, today: date) -> Iterator[Partition]:
    if partitioning.cadence is None:
        yield from (Partition(value, partitioning.column) for value in partitioning.values)
        return
    first = _floor(partitioning.start, partitioning.cadence)
    while first <= today and (partitioning.end is None or first < partitioning.end):
        after = _next(first, partitioning.cadence)
        yield Partition(first.isoformat(), partitioning.column, first, after)
        first = after


def _floor(day: date, cadence: Cadence) -> date:
    match cadence:
        case Cadence.DAILY:
            return day
        case Cadence.WEEKLY:
            return day - timedelta(days=day.weekday())
        case Cadence.MONTHLY:
            return day.replace(day=1)


def _next(day: date, cadence: Cadence) -> date:
    match cadence:
        case Cadence.DAILY:
            return day + timedelta(days=1)
        case Cadence.WEEKLY:
            return day + timedelta(days=7)
        case Cadence.MONTHLY:
            year, month = divmod(day.month, _DECEMBER)
            return day.replace(year=day.year + year, month=month + 1)
