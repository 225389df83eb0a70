"""Fits the values of a contract to the type of the column they are compared with.

YAML says `"0"`, `0` or `"2013-01-01"` as its author pleases. DuckDB would cast the *column*
to the value's type and stop at the first cell that does not fit, so the value is fitted to
the column instead; one that no cell of that type can equal is left out.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataops_mesh.quality.loan import Loan
    from dataops_mesh.spec.checks.measures import Range
    from dataops_mesh.spec.model import Scalar

FLOATS = frozenset({"FLOAT", "DOUBLE"})
INTEGERS = frozenset(
    f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")
) | {"INTEGER", "UINTEGER"}


def base(kind: str) -> str:
    """Return a type without its parameters.

    >>> base("DECIMAL(18,2)"), base("VARCHAR[]")
    ('DECIMAL', 'VARCHAR[]')
    """
    return kind if kind.endswith("]") else kind.partition("(")[0]


def is_text(kind: str) -> bool:
    """Tell whether values of the type are compared as text."""
    return base(kind) in {"VARCHAR", "ENUM"}


def is_number(kind: str) -> bool:
    """Tell whether values of the type are compared as numbers."""
    return base(kind) in FLOATS | INTEGERS | {"DECIMAL"}


def fit(loan: Loan, kind: str, values: Iterable[Scalar]) -> tuple[Any, ...]:
    """Return the values that a column of this type can hold, comparable with its cells."""
    present = [value for value in values if value is not None]
    if is_text(kind):
        return tuple(_as_text(value) for value in present)
    if is_number(kind):
        numbers = (_as_number(value) for value in present)
        return tuple(number for number in numbers if number is not None)
    return tuple(v for v in present if not isinstance(v, str) or _casts(loan, kind, v))


def ceiling(measure: Range, kind: str) -> tuple[Scalar, bool]:
    """Return a range's upper bound and whether it is exclusive.

    A range without one ends at infinity for floats: DuckDB sorts NaN above infinity, so this
    bound leaves out NaN and nothing else.
    """
    if measure.maximum is None and kind in FLOATS:
        return float("inf"), False
    return measure.maximum, measure.exclusive_maximum


def _as_text(value: Scalar) -> str:
    """Return a scalar as YAML spells it.

    >>> _as_text(True), _as_text(7)
    ('true', '7')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_number(value: Scalar) -> int | float | Decimal | None:
    """Return a number, or None if the text is none.

    >>> _as_number("1.50"), _as_number("NA")
    (Decimal('1.50'), None)
    """
    if not isinstance(value, str):
        return value
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _casts(loan: Loan, kind: str, text: str) -> bool:
    return bool(loan.execute(f"SELECT TRY_CAST($1 AS {kind}) IS NOT NULL", [text])[0][0])
