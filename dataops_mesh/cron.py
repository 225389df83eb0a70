"""Times as people write them: cron with five fields, and lengths such as `4h`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_FIELDS = (
    ("minute", 0, 59, ""),
    ("hour", 0, 23, ""),
    ("day", 1, 31, ""),
    ("month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    ("weekday", 0, 7, "sun mon tue wed thu fri sat"),
)
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(\*|\w+(?:-\w+)?)(?:/(\d+))?")
LENGTHS = ("90m", "12h", "7d", "2w")
_LENGTH = re.compile(r"(\d{1,4})([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def length_of(text: str) -> timedelta | None:
    """Return a length of time, or None if the text is none.

    >>> str(length_of("90m")), str(length_of("0h")), length_of("soon")
    ('1:30:00', '0:00:00', None)
    """
    found = _LENGTH.fullmatch(text.strip())
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def cron_problem(text: str) -> str | None:
    """Return what is wrong with a cron line, or None.

    >>> cron_problem("30 6 * * mon-fri")
    >>> cron_problem("0 25 * * *")
    'the hour "25" is not between 0 and 23'
    """
    given = text.split()
    if len(given) != len(_FIELDS):
        return f"it has {len(given)} fields, not {len(_FIELDS)}"
    found = (_field_problem(field, *rules) for field, rules in zip(given, _FIELDS, strict=True))
    return next((problem for problem in found if problem), None) or _never(*given[2:])


def may_tick(text: str, zone: str, after: datetime, within: timedelta) -> datetime | None:
    """Return the first minute that has the hour and the minute of a valid cron line.

    Days are not looked at: on some of these minutes it does not tick, and it ticks on no other.
    While the clocks of the zone change, every minute may be one.

    Args:
        text: five fields.
        zone: in which they are told.
        after: the minute comes after it.
        within: how far to look.

    Returns:
        None if there is none in that time.

    >>> from datetime import UTC
    >>> at = datetime(2026, 1, 1, 5, 50, tzinfo=UTC)
    >>> str(may_tick("*/15 6-8 * * mon", "UTC", at, timedelta(hours=1)))
    '2026-01-01 06:00:00+00:00'
    >>> may_tick("0 5 * * *", "UTC", at, timedelta(hours=1))
    """
    minutes, hours = (
        _values(field, low, high)
        for field, (_, low, high, _) in zip(text.split()[:2], _FIELDS[:2], strict=True)
    )
    there, now = ZoneInfo(zone), after.replace(second=0, microsecond=0)
    around = timedelta(hours=3)  # no clock is changed by more than that
    changes = {(now + way).astimezone(there).utcoffset() for way in (-around, within + around)}
    while (now := now + timedelta(minutes=1)) <= after + within:
        told = now.astimezone(there)
        # Of a line of each hour Dagster counts the minutes in one offset of the zone all year, and
        # some zones have two that differ by half an hour.
        if len(changes) > 1 or (told.hour in hours and minutes & {told.minute, now.minute}):
            return now
    return None


def _values(field: str, low: int, high: int) -> frozenset[int]:
    """Return the numbers that a field of a valid line stands for.

    >>> sorted(_values("*/20,5-7", 0, 59))
    [0, 5, 6, 7, 20, 40]
    """
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = ("" if span == "*" else span).partition("-")
        start = int(first or low)
        if last and int(last) == start:  # some read `0-0` as every one, Dagster too
            return frozenset(range(low, high + 1))
        # `5/15` is from 5 on, as `5-59/15`; `5` alone is 5.
        end = int(last or (high if step or not first else first))
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _never(day: str, month: str, weekday: str) -> str | None:
    """Return that no year has such a day; a weekday makes up for it, as cron joins them by or.

    >>> _never("30", "2", "*"), _never("31", "apr,jun", "*"), _never("29", "2", "*")
    ('no year has that day', 'no year has that day', None)
    >>> _never("1,*", "*", "*")
    """
    if weekday != "*" or "*" in day:
        return None
    first = min(int(re.split("[-/]", part)[0]) for part in day.split(","))
    words = {word: at for at, word in enumerate(_FIELDS[3][3].split(), 1)}
    last = 0
    for part in month.lower().split(","):
        span = part.split("/")[0]
        ends = ["1", "12"] if span == "*" or "/" in part else span.split("-")
        low, high = (int(words.get(end, end)) for end in (ends[0], ends[-1]))
        last = max(last, *(_LONGEST[at - 1] for at in range(low, high + 1)))
    return "no year has that day" if first > last else None


def _field_problem(field: str, name: str, low: int, high: int, words: str) -> str | None:
    values = {word: low + index for index, word in enumerate(words.split())}
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return f'the {name} "{part}" is neither *, a number, a range nor a step'
        span, step = match.groups()
        if step is not None and not 1 <= int(step) <= high:
            return f'the {name} "{part}" steps by {step}'
        ends = [] if span == "*" else span.lower().split("-")
        numbers = [values.get(end, int(end) if end.isdecimal() else -1) for end in ends]
        if any(not low <= number <= high for number in numbers):
            return f'the {name} "{part}" is not between {low} and {high}'
        if numbers != sorted(numbers):
            return f'the {name} "{part}" ends before it starts'
    return None
