"""Formats (ODCS `logicalTypeOptions.format`): what each says of a value, so that it is checked.

- of text: a regular expression, and a type that the text must be readable as;
- of numbers: the DuckDB types that fit into so many bits;
- of dates and times: the smallest unit that the format shows. A typed column has no spelling,
  so what can be wrong is a value that the format cannot show in full.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DAY = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_HOUR = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
_ZONE = r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_HEX = "[0-9A-Fa-f]"
_IPV6 = "|".join(
    [f"(?:{_HEX}{{1,4}}:){{7}}{_HEX}{{1,4}}", f"(?:{_HEX}{{1,4}}:){{1,7}}:"]
    + [f"(?:{_HEX}{{1,4}}:){{1,{7 - n}}}(?::{_HEX}{{1,4}}){{1,{n}}}" for n in range(1, 7)]
    + [f":(?::{_HEX}{{1,4}}){{1,7}}", "::"]
)


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A format of text: the pattern of the whole value, and a type it must be readable as."""

    pattern: str
    type: str | None = None


TEXT = {
    "byte": TextFormat(r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"),
    "date": TextFormat(f"^{_DAY}$", "DATE"),
    "date-time": TextFormat(f"^{_DAY}[Tt]{_HOUR}{_ZONE}$", "TIMESTAMPTZ"),
    "email": TextFormat(rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})+$"),
    "hostname": TextFormat(rf"^{_LABEL}(?:\.{_LABEL})*$"),
    "ipv4": TextFormat(rf"^{_BYTE}(?:\.{_BYTE}){{3}}$"),
    "ipv6": TextFormat(f"^(?:{_IPV6})$"),
    "time": TextFormat(f"^{_HOUR}{_ZONE}?$"),
    "uri": TextFormat(r'^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+$'),
    "uuid": TextFormat(f"^{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}$"),
}
_SIGNED = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = tuple(f"U{name}" for name in _SIGNED)
# A narrower type fits into wider bits, an unsigned one only into more bits with a sign.
NUMBERS = {
    "integer": {
        **{f"i{8 << n}": (*_SIGNED[: n + 1], *_UNSIGNED[:n]) for n in range(5)},
        **{f"u{8 << n}": _UNSIGNED[: n + 1] for n in range(5)},
    },
    "number": {"f32": ("FLOAT",), "f64": ("FLOAT", "DOUBLE")},
}

# Letters of Java's DateTimeFormatter, by what they show.
_LETTERS = {
    **dict.fromkeys("yu", "year"),
    **dict.fromkeys("ML", "month"),
    "d": "day",
    "D": "day of the year",
    **dict.fromkeys("HKkh", "hour"),
    "m": "minute",
    "s": "second",
    "S": "fraction",
    "n": "nanosecond",
    "A": "millisecond of the day",
    "a": "half",
    **dict.fromkeys("Ee", "weekday"),
    **dict.fromkeys("VzOXxZ", "zone"),
}
_REFUSED = {"nanosecond", "millisecond of the day"}
_TOKEN = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|.", re.DOTALL)
DAY = 86_400_000_000  # microseconds
_MICROSECONDS = {"day": DAY, "hour": 3_600_000_000, "minute": 60_000_000,
                 "second": 1_000_000}  # fmt: skip
_FRACTION = 6


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """What a format of dates and times shows.

    Args:
        step: the smallest difference that it shows, in microseconds; 1 shows all.
        zone: it shows a time zone.
    """

    step: int
    zone: bool


def time_format(text: str, logical: str) -> TimeFormat | str:
    """Return what a format shows of a date, timestamp or time, or what is wrong with it.

    >>> time_format("yyyy-MM-dd'T'HH:mm:ss.SSSX", "timestamp")
    TimeFormat(step=1000, zone=True)
    >>> time_format("HH:mm", "timestamp")
    'shows no year, and a timestamp has one'
    >>> time_format("yyyy-MM-dd", "date")
    TimeFormat(step=86400000000, zone=False)
    """
    shown: dict[str, int] = {}
    half = False
    for token in _TOKEN.finditer(text):
        letter = token[1]
        if letter is None:
            continue
        unit = _LETTERS.get(letter)
        if unit is None or unit in _REFUSED:
            return f'the letters "{token[0]}" are not supported yet'
        shown[unit] = len(token[0])
        half = half or letter in "hK"
    if "day of the year" in shown:
        shown |= {"month": 1, "day": 1}
    return _wrong(shown, logical, half=half) or _shows(shown)


def _wrong(shown: dict[str, int], logical: str, *, half: bool) -> str:
    article = {"date": "a date", "timestamp": "a timestamp", "time": "a time"}[logical]
    needed = {"date": ("year", "month", "day"), "timestamp": ("year", "month", "day"),
              "time": ("hour",)}[logical]  # fmt: skip
    for unit in needed:
        if unit not in shown:
            return f"shows no {unit}, and {article} has one"
    foreign = {"date": ("hour", "minute", "second", "fraction", "zone"),
               "time": ("year", "month", "day", "weekday")}.get(logical, ())  # fmt: skip
    for unit in foreign:
        if unit in shown:
            return f"shows {unit}s, and {article} has none"
    order = ("hour", "minute", "second", "fraction")
    for larger, smaller in pairwise(order):
        if smaller in shown and larger not in shown:
            return f"shows a {smaller} without {larger}s"
    return "shows hours without their half of the day" if half and "half" not in shown else ""


def _shows(shown: dict[str, int]) -> TimeFormat:
    step = next(_MICROSECONDS[u] for u in ("second", "minute", "hour", "day") if u in shown)
    if "fraction" in shown:
        step = 10 ** max(0, _FRACTION - shown["fraction"])
    return TimeFormat(step, "zone" in shown)
