"""Fits the values of a contract to the type of the column they are compared with.

YAML says `"0"`, `0` or `"2013-01-01"` as its author pleases. DuckDB would cast the *column*
to the value's type and stop at the first cell that does not fit, so the value is fitted to
the column instead; one that no cell of that type can equal is left out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from dataops_mesh.spec.read.column.compared import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dataops_mesh.quality.loan import Loan
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


def fit(loan: Loan, kind: str, values: Iterable[Scalar]) -> tuple[Scalar, ...]:
    """Return the values that a column of this type can hold."""
    present = [value for value in values if value is not None]
    if is_text(kind) or is_number(kind) or kind == "JSON":
        return tuple(present)
    return tuple(value for value in present if _casts(loan, kind, str(value)))


def number(value: object) -> Decimal | None:
    """Return a number as it is written, or None if the text is none.

    >>> number("1.50"), number(0.1), number("NA")
    (Decimal('1.50'), Decimal('0.1'), None)
    """
    return Decimal(int(value)) if isinstance(value, bool) else number_of(value)


def _casts(loan: Loan, kind: str, text: str) -> bool:
    return bool(loan.execute(f"SELECT TRY_CAST($1 AS {kind}) IS NOT NULL", [text])[0][0])
