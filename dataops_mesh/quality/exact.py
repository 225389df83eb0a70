"""Compares a column with the values of a contract, exactly, as SQL that is true for offenders.

Every literal is spelled as a text that is cast to the column's own type, so that no number takes
the way through a double that is not one. Whole and decimal columns are compared on their own grid:
`minimum: 0.5` of an integer is 1. Floats are compared as DuckDB compares: the bound becomes the
float next to it. NaN is outside every range; infinity is a value like others, beyond all of them.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING

from dataops_mesh.quality.redact import AuditError
from dataops_mesh.quality.values import FLOATS, INTEGERS, base, is_text
from dataops_mesh.quality.values import number as number_of
from dataops_mesh.spec.checks.measures import Range

if TYPE_CHECKING:
    from dataops_mesh.spec.model import Scalar

_BITS = {"TINY": 8, "SMALL": 16, "": 32, "BIG": 64, "HUGE": 128}
_NO_ORDER = frozenset({"UUID", "JSON", "BOOLEAN", "BLOB"})
_ZULU = re.compile(r"(?<=\d)\s*[Zz]$")
_NO_SECONDS = re.compile(r"^(\d\d:\d\d)([+-]\d\d(?::?\d\d)?)$")
_OFFSET = re.compile(r":.*[+-]\d\d(?::?\d\d)?$")
_WIDE = Context(prec=120)
# From here on a number is no float of 32 or 64 bits: a text that is cast becomes infinity.
_TOO_LARGE = {"FLOAT": Decimal(2**128 - 2**103), "DOUBLE": Decimal(2**1024 - 2**970)}


def outside(value: str, kind: str, bounds: Range) -> str:
    """Return the condition that a value is outside of a range; null for null.

    >>> outside("n", "BIGINT", Range("n", 0.5, None))
    "n < CAST('1' AS BIGINT)"
    """
    value = _in_utc(value, kind)
    if is_text(kind) or kind in _NO_ORDER or kind.endswith("]"):
        raise AuditError(f"{bounds.column} is {kind}, which has no range")
    low, high = number_of(bounds.minimum), number_of(bounds.maximum)
    if low is not None and high is not None and low > high:
        raise AuditError("the minimum is above the maximum")
    if bounds.minimum is None and bounds.maximum is None:
        raise AuditError("a range needs a bound")
    parts = []
    if bounds.minimum is not None:
        parts.append(_beyond(value, kind, bounds.minimum, "<", exclusive=bounds.exclusive_minimum))
    if bounds.maximum is not None:
        parts.append(_beyond(value, kind, bounds.maximum, ">", exclusive=bounds.exclusive_maximum))
    elif base(kind) in FLOATS:
        parts.append(f"isnan({value})")  # which DuckDB sorts above infinity
    return " OR ".join(parts)


def literals(kind: str, values: tuple[Scalar | Decimal, ...]) -> list[str]:
    """Return those values that a cell of the type can equal, as literals of the type."""
    found = []
    for value in values:
        spelled = _spelled(kind, value)
        if spelled is not None:
            found.append(spelled)
    return found


def among(value: str, kind: str, values: tuple[Scalar | Decimal, ...]) -> str:
    """Return the condition that a cell is one of the values.

    >>> among("n", "TINYINT", (1, 2.5, 300))
    "n IN (CAST('1' AS TINYINT))"
    """
    found = literals(kind, values)
    if kind == "JSON":  # a text in JSON is compared without its quotes; its null is a value
        value = f"coalesce({value} ->> '$', CAST({value} AS VARCHAR))"
    elif base(kind) == "ENUM":
        value = f"CAST({value} AS VARCHAR)"
    value = _in_utc(value, kind)
    return f"{value} IN ({', '.join(found)})" if found else "false"


def quoted(text: str, kind: str) -> str:
    """Return a literal of a type; of a time with an offset, for a column without a zone, in UTC.

    >>> quoted("2026-01-01T02:00:00+02:00", "TIMESTAMP")
    "CAST('2026-01-01T02:00:00+02:00' AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE 'UTC'"
    >>> quoted("17:00:00Z", "TIME WITH TIME ZONE")
    "timezone('UTC', CAST('17:00:00+00:00' AS TIME WITH TIME ZONE))"
    """
    if kind.startswith("TIME") and not kind.startswith("TIMESTAMP"):
        text = _NO_SECONDS.sub(r"\1:00\2", _ZULU.sub("+00:00", text))  # as DuckDB reads them
    if kind.startswith("TIMESTAMP") and "WITH" not in kind and _OFFSET.search(text):
        # A cast to TIMESTAMP would leave the offset out.
        return f"{quoted(text, 'TIMESTAMP WITH TIME ZONE')} AT TIME ZONE 'UTC'"
    if kind.startswith("TIME") and "WITH" not in kind and _OFFSET.search(text):
        return f"CAST({quoted(text, 'TIME WITH TIME ZONE')} AS {kind})"
    return _in_utc(f"CAST('{text.replace(chr(39), chr(39) * 2)}' AS {kind})", kind)


def _in_utc(value: str, kind: str) -> str:
    """Return a time with an offset as that of UTC: DuckDB tells 10:00+00 from 12:00+02."""
    return f"timezone('UTC', {value})" if kind == "TIME WITH TIME ZONE" else value


def _spelled(kind: str, value: Scalar | Decimal) -> str | None:
    if is_text(kind) or kind == "JSON":
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return quoted(text, "VARCHAR")
    if base(kind) in FLOATS:
        number = number_of(value)
        if number is None or abs(number) >= _TOO_LARGE[kind]:
            return None
        return quoted(str(number), kind)
    grid = _grid(kind)
    if grid is None:
        return quoted(str(value).lower() if isinstance(value, bool) else str(value), kind)
    number, (step, least, most) = number_of(value), grid
    if number is None or not least <= number <= most or _on(number, step, ROUND_FLOOR) != number:
        return None
    return quoted(f"{number:f}", kind)


def _beyond(value: str, kind: str, bound: Scalar, sign: str, *, exclusive: bool) -> str:
    grid, number = _grid(kind), number_of(bound)
    equal = "=" if exclusive else ""
    if base(kind) in FLOATS and number is not None:
        if kind == "FLOAT" and abs(number) >= _TOO_LARGE[kind]:
            value, kind = f"CAST({value} AS DOUBLE)", "DOUBLE"
        return f"{value} {sign}{equal} {quoted(str(number), kind)}"
    if grid is None:
        return f"{value} {sign}{equal} {quoted(str(bound), kind)}"
    if number is None:
        raise AuditError(f"the bound of a {kind} is no number")
    step, least, most = grid
    up = sign == "<"
    nearest = _on(number, step, ROUND_CEILING if up else ROUND_FLOOR)
    if exclusive and nearest == number:
        nearest = _WIDE.add(nearest, step if up else -step)
    if nearest < least:
        return "false" if up else f"{value} IS NOT NULL"
    if nearest > most:
        return f"{value} IS NOT NULL" if up else "false"
    return f"{value} {sign} {quoted(f'{nearest:f}', kind)}"


def _grid(kind: str) -> tuple[Decimal, Decimal, Decimal] | None:
    """Return the step, the least and the greatest number of a whole or decimal type."""
    if kind.startswith("DECIMAL("):
        width, scale = (int(part) for part in kind[8:-1].split(","))
        step = Decimal(1).scaleb(-scale)
        most = _WIDE.subtract(Decimal(1).scaleb(width - scale), step)
        return step, _WIDE.minus(most), most  # `-most` would be rounded to 28 digits
    if kind not in INTEGERS:
        return None
    unsigned = kind.startswith("U")
    size = kind.removeprefix("U").removesuffix("INT") if kind not in {"INTEGER", "UINTEGER"} else ""
    bits = _BITS[size]
    least, most = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return Decimal(1), Decimal(least), Decimal(most)


def _on(number: Decimal, step: Decimal, rounding: str) -> Decimal:
    """Return the next number that the type can hold, downwards or upwards."""
    return number.quantize(step, rounding=rounding, context=Context(prec=400))
