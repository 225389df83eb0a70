"""How two values of a column compare, and with what a contract says: plain Python, no library."""

from __future__ import annotations

import ipaddress
import json
import math
import operator
import re
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from generated_kinds import DAY, float32, moment, time_of_day

NUMBERS = {"int", "decimal", "float", "float32"}


WIDE = Context(prec=200)


_STEPS = {"yyyy-MM-dd HH:mm:ss": 1_000_000, "yyyy-MM-dd HH": 3_600_000_000, "yyyy-MM-dd": DAY}


def read(literal: Any, group: str) -> Any:
    """Return what a contract's spelling of a value means for a column."""
    if group in NUMBERS:
        return Fraction(Decimal(literal))
    if group in {"date", "timestamp"}:
        return moment(literal)
    if group == "time":
        return time_of_day(literal)
    return literal.lower() if group == "uuid" else literal


def repeated(keys: list[tuple[Any, ...]], width: int) -> int:
    """Return how many keys occur more than once."""
    counts: dict[tuple[Any, ...], int] = {}
    for key in keys:
        if key != (None,) * width:
            same = tuple(map(alike, key))
            counts[same] = counts.get(same, 0) + 1
    return sum(count > 1 for count in counts.values())


def alike(value: Any) -> Any:
    """Return what equals another value exactly if the two are one value."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, tuple):
        return tuple(map(alike, value))
    return (type(value).__name__, value) if isinstance(value, bool | str) else value


def outside(value: Any, options: dict[str, Any], group: str) -> bool:
    if isinstance(value, float) and math.isnan(value):
        return True
    for key, beyond in (("minimum", operator.lt), ("maximum", operator.gt),
                        ("exclusiveMinimum", operator.le), ("exclusiveMaximum", operator.ge)):  # fmt: skip
        if key in options and beyond(_exact(value), _end(options[key], group)):
            return True
    return False


def _exact(value: Any) -> Any:
    return value if isinstance(value, float) else Fraction(value)


def _end(literal: Any, group: str) -> Any:
    """Return what a value of the column is compared with: of floats, the float next to it."""
    if group == "float":
        return float(Decimal(literal))
    if group == "float32":
        return float32(float(literal)) if abs(float(literal)) < 3.5e38 else float(literal)
    return read(literal, group)


def among(value: Any, literals: Any, group: str) -> bool:
    if group == "json":
        inner = json.loads(value)
        return (inner if isinstance(inner, str) else value) in literals
    if group in NUMBERS:
        return any(_exact(value) == _end(one, group) for one in literals)
    return value in [read(one, group) for one in literals]


def matches(text: str, pattern: str) -> bool:
    return re.search(pattern.replace("$", r"\Z"), text, re.ASCII) is not None


def multiple(value: Any, of: str, group: str) -> bool:
    if not isinstance(value, float):
        return (Fraction(value) / Fraction(Decimal(of))).denominator == 1
    if not math.isfinite(value):
        return False
    narrow = float32 if group == "float32" else float
    times = round(Fraction(value) / Fraction(Decimal(of)))
    # A float is a multiple if it is the one next to a multiple; or off by the dust of a sum.
    near = Fraction(Decimal(of)) * times
    return (
        narrow(float(near)) == value or abs(Fraction(value) - near) <= Fraction(Decimal(of)) / 10**9
    )


def formed(value: Any, form: str) -> bool:
    if form in _STEPS:
        return math.isinf(value) or value % _STEPS[form] == 0
    try:
        match form:
            case "date":
                return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value) and date.fromisoformat(value))
            case "ipv4":
                return bool(ipaddress.IPv4Address(value))
    except ValueError:
        return False
    return bool(re.fullmatch(r"[a-z]+@[a-z]+\.com", value))


def shown32(value: float) -> float:
    """Return the number that people read where a float of 32 bits stands.

    >>> shown32(float32(-9.9))
    -9.9
    """
    if math.isinf(value):
        return value
    shown = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return next(number for number in shown if float32(number) == value)
