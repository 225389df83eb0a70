"""Cron with five fields: minute, hour, day, month, weekday; what is wrong with one."""

from __future__ import annotations

import re

_FIELDS = (
    ("minute", 0, 59, ""),
    ("hour", 0, 23, ""),
    ("day", 1, 31, ""),
    ("month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
    ("weekday", 0, 7, "sun mon tue wed thu fri sat"),
)
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(\*|\w+(?:-\w+)?)(?:/(\d+))?")


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


def _never(day: str, month: str, weekday: str) -> str | None:
    """Return that no year has such a day; a weekday makes up for it, as cron joins them by or.

    >>> _never("30", "2", "*"), _never("31", "apr,jun", "*"), _never("29", "2", "*")
    ('no year has that day', 'no year has that day', None)
    """
    if weekday != "*" or day.startswith("*"):
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
