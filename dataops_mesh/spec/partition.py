"""Partitions: a port is built, tested and published piece by piece.

A column that the contract calls `partitioned` says where the cuts are (ODCS
`schema[0].properties[].partitioned`); the setting `partitions` says how they are made. A column of
dates is cut by its dates, and the time zone says when a day is over; a column of timestamps is cut
at the zone's midnights, so that a day may have 23 or 25 hours. Hours are those of UTC. A day that
the zone's clocks skipped whole is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean
from dataops_mesh.spec.threshold import Threshold

_DECEMBER = 12
_LAST_KEY = chr(0x10FFFF)  # after all others
_HOUR, KEY_OF_HOUR = timedelta(hours=1), "%Y-%m-%dT%H"
_DAY = timedelta(days=1)
_YEARS = range(1800, 2100)


class Cadence(StrEnum):
    """How long a partition of time is, the shortest first; weeks begin on Monday."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Partitioning:
    """How a port is cut.

    Args:
        column: the column that decides; a date or a timestamp for a cadence.
        cadence: the length of a partition; None when the partitions are listed.
        start: the first day.
        end: the first day that no partition holds; None means that days keep coming.
        values: the partitions by name, when they are listed.
        zone: whose days they are.
        moments: the column holds timestamps.
        zoned: these say their time zone.
        lookback: how many partitions late a row may be delivered.
        quarantine: how many rows of other partitions may be set aside.
    """

    column: str
    cadence: Cadence | None = None
    start: date = date.min
    end: date | None = None
    values: tuple[str, ...] = ()
    zone: str = "UTC"
    moments: bool = False
    zoned: bool = False
    lookback: int = 0
    quarantine: Threshold | None = None

    @property
    def cut(self) -> str:
        """Return how pieces are made, in a line: pieces made otherwise overlap or leave gaps.

        >>> Partitioning("day", Cadence.MONTHLY, date(2013, 1, 1)).cut
        'monthly by day, dates of UTC'
        """
        if self.cadence is None:
            return f"listed by {self.column}"
        what = "moments" if self.moments else "dates"
        return f"{self.cadence} by {self.column}, {what} of {self.zone}"


@dataclass(frozen=True, slots=True)
class Partition:
    """One piece.

    Args:
        key: its name.
        column: the column that decides.
        start: the first value: a date, or a timestamp (without a zone, of UTC).
        end: the first value after the last.
        begins: when it begins; None for a piece that is listed.
        ends: when it is over.
    """

    key: str
    column: str
    start: date | datetime | None = None
    end: date | datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None

    @property
    def outside(self) -> str:
        """Return the SQL condition that is true for rows of another partition or of none."""
        column = '"' + self.column.replace('"', '""') + '"'
        if self.start is None or self.end is None:
            value = self.key.replace("'", "''")
            return f"{column} IS NULL OR {column}::VARCHAR <> '{value}'"
        within = f"{column} >= {literal(self.start)} AND {column} < {literal(self.end)}"
        return f"{column} IS NULL OR NOT ({within})"


def literal(value: date | datetime) -> str:
    """Return a date or a timestamp as a literal of SQL.

    >>> literal(date(2026, 1, 2)), literal(datetime(2026, 1, 2, 5, tzinfo=UTC))
    ("DATE '2026-01-02'", "TIMESTAMPTZ '2026-01-02 05:00:00+00:00'")
    """
    if not isinstance(value, datetime):
        return f"DATE '{value}'"
    return f"{'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'} '{value}'"


def partitions_until(partitioning: Partitioning, now: datetime) -> tuple[Partition, ...]:
    """Return the partitions that have begun by a moment, in order.

    >>> months = Partitioning("day", Cadence.MONTHLY, date(2013, 1, 1))
    >>> [p.key for p in partitions_until(months, datetime(2013, 3, 1, tzinfo=UTC))]
    ['2013-01-01', '2013-02-01', '2013-03-01']
    """
    return tuple(_pieces(partitioning, now))


def last_partition(partitioning: Partitioning, now: datetime) -> Partition | None:
    """Return the last partition that will ever be, once it is over; None while more are to come.

    >>> may = Partitioning("day", Cadence.DAILY, date(2013, 5, 1), date(2013, 6, 1))
    >>> last_partition(may, datetime(2013, 5, 31, tzinfo=UTC))
    >>> last_partition(may, datetime(2013, 6, 1, tzinfo=UTC)).key
    '2013-05-31'
    """
    if partitioning.end is None:
        return None
    begins = floor(partitioning.end - timedelta(days=1), partitioning.cadence)
    cut = replace(partitioning, start=max(partitioning.start, begins))
    last = next(iter(partitions_until(cut, now)[-1:]), None)
    return last if last and last.ends is not None and last.ends <= now else None


def partition_of(partitioning: Partitioning, key: str, now: datetime) -> Partition:
    """Return the partition of a key.

    Raises:
        UnknownNameError: there is no such partition, or it has not begun.
    """
    known = {partition.key: partition for partition in partitions_until(partitioning, now)}
    if key not in known:
        keys = tuple(known)
        by = now.astimezone(ZoneInfo(partitioning.zone)).date()
        what = f'no partition "{key}" by {by}{did_you_mean(key, keys)}'
        if key in map(str, skipped_days(partitioning.zone)):
            what = f'no partition "{key}": that day never was in {partitioning.zone}'
        elif not keys:
            what += f": the first begins on {floor(partitioning.start, partitioning.cadence)}"
        raise UnknownNameError(Problem(what, key="partition", choices=shown(keys)))
    return known[key]


def shown(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the keys that a message names: all of a few, else the first and the last."""
    return keys if len(keys) <= _DECEMBER else (*keys[:3], "...", *keys[-3:])


def day_of(text: str) -> date:
    """Return the day of a text such as 2013-01-31, the one spelling that a key has.

    Raises:
        ValueError: it is none.
    """
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(text)
    return day


def has_key(partitioning: Partitioning, key: str) -> bool | None:
    """Tell whether there is a partition of this key, begun or not.

    None for a key that no partition of this length can have: it is of another cut.

    >>> months = Partitioning("day", Cadence.MONTHLY, date(2013, 2, 14))
    >>> [has_key(months, key) for key in ("2013-01-01", "2013-02-01", "2013-02-14", "east")]
    [False, True, None, None]
    """
    cadence = partitioning.cadence
    if cadence is None:
        return key in partitioning.values
    try:
        if cadence is Cadence.HOURLY:
            day = datetime.strptime(key, KEY_OF_HOUR).replace(tzinfo=UTC).date()
        else:
            day = day_of(key)
    except ValueError:
        return None
    if floor(day, cadence) != day:
        return None
    if cadence is Cadence.DAILY and day in skipped_days(partitioning.zone):
        return False
    first = floor(partitioning.start, cadence)
    return first <= day and (partitioning.end is None or day < partitioning.end)


def keys_outside(partitioning: Partitioning) -> tuple[tuple[str, str], ...]:
    """Return from where to where keys lie that `has_key` denies; others may lie there too.

    >>> year = Partitioning("day", Cadence.DAILY, date(2013, 1, 1), date(2014, 1, 1))
    >>> [(first, last[:10]) for first, last in keys_outside(year)][0]
    ('', '2012-12-31')
    """
    cadence, end = partitioning.cadence, partitioning.end
    if cadence is None:
        return (("", _LAST_KEY),)
    first = floor(partitioning.start, cadence)
    before = f"{first - _DAY}{_LAST_KEY}" if first > date.min else ""
    never = [] if cadence is not Cadence.DAILY else map(str, skipped_days(partitioning.zone))
    after = ((end.isoformat(), _LAST_KEY),) if end else ()
    return (("", before), *((key, key) for key in never), *after)


@lru_cache(maxsize=1024)
def skipped_days(zone: str) -> tuple[date, ...]:
    """Return the days that a zone never had: it went over the date line.

    >>> skipped_days("Pacific/Apia"), skipped_days("Europe/Zurich")
    ((datetime.date(2011, 12, 30),), ())
    """
    place = ZoneInfo(zone)

    def offset(year: int) -> timedelta:
        return datetime(year, 1, 1, tzinfo=place).utcoffset() or timedelta()

    moved = (year for year in _YEARS if offset(year + 1) - offset(year) > _DAY / 2)
    days = (date(year, 1, 1) + number * _DAY for year in moved for number in range(366))
    return tuple(day for day in days if not _is_day(day, place))


def _is_day(day: date, zone: ZoneInfo) -> bool:
    return _midnight(day, zone) < _midnight(day + _DAY, zone)


def _pieces(cut: Partitioning, now: datetime) -> Iterator[Partition]:
    if cut.cadence is None:
        yield from (Partition(value, cut.column) for value in cut.values)
    elif cut.cadence is Cadence.HOURLY:
        yield from _hours(cut, now)
    else:
        yield from _days(cut, cut.cadence, now)


def _hours(cut: Partitioning, now: datetime) -> Iterator[Partition]:
    begins = datetime.combine(cut.start, time(), UTC)
    while begins <= now and (cut.end is None or begins.date() < cut.end):
        ends = begins + _HOUR
        start, end = (one if cut.zoned else one.replace(tzinfo=None) for one in (begins, ends))
        key = begins.strftime(KEY_OF_HOUR)
        yield Partition(key, cut.column, start, end, begins, ends)
        begins = ends


def _days(cut: Partitioning, cadence: Cadence, now: datetime) -> Iterator[Partition]:
    zone = ZoneInfo(cut.zone)
    today = now.astimezone(zone).date()
    first = floor(cut.start, cadence)
    begins = _midnight(first, zone)
    while first <= today and (cut.end is None or first < cut.end):
        after = _next(first, cadence)
        ends = _midnight(after, zone)
        start, end = (first, after) if not cut.moments else (begins, ends)
        if cut.moments and not cut.zoned:
            start, end = begins.replace(tzinfo=None), ends.replace(tzinfo=None)
        if begins < ends:
            yield Partition(first.isoformat(), cut.column, start, end, begins, ends)
        first, begins = after, ends


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins, also where the clocks skip its midnight."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def floor(day: date, cadence: Cadence | None) -> date:
    """Return the first day of the week or month that a day is in; else the day itself."""
    if cadence is Cadence.WEEKLY:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if cadence is Cadence.MONTHLY else day


def _next(day: date, cadence: Cadence) -> date:
    if cadence is Cadence.MONTHLY:
        year, month = divmod(day.month, _DECEMBER)
        return day.replace(year=day.year + year, month=month + 1)
    return day + timedelta(days=7 if cadence is Cadence.WEEKLY else 1)
