"""Thresholds: the number that a check measured, and what it must be."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import isfinite


class Unit(StrEnum):
    """What a threshold counts (ODCS `quality.unit`)."""

    ROWS = "rows"
    PERCENT = "percent"


class Operator(StrEnum):
    """The eight comparisons of ODCS 3.2 (`DataQualityOperators`)."""

    BE = "mustBe"
    NOT_BE = "mustNotBe"
    GREATER = "mustBeGreaterThan"
    GREATER_OR_EQUAL = "mustBeGreaterOrEqualTo"
    LESS = "mustBeLessThan"
    LESS_OR_EQUAL = "mustBeLessOrEqualTo"
    BETWEEN = "mustBeBetween"
    NOT_BETWEEN = "mustNotBeBetween"


Number = int | float | Decimal  # as a contract or a query says it: never rounded on the way
_COMPARE: dict[Operator, Callable[[Fraction | float, Fraction | float], bool]] = {
    Operator.BE: operator.eq,
    Operator.NOT_BE: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}


def exactly(number: Number) -> Fraction:
    """Return a number as it is written: 0.1 is a tenth.

    >>> exactly(0.1)
    Fraction(1, 10)
    """
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def as_json(number: Number) -> int | float | str:
    """Return a number as JSON can keep it: a decimal that no float shows is text.

    >>> as_json(Decimal("0.30")), as_json(Decimal("0.12345678901234567890"))
    (0.3, '0.12345678901234567890')
    """
    if not isinstance(number, Decimal):
        return number
    return float(number) if exactly(float(number)) == exactly(number) else str(number)


@dataclass(frozen=True, slots=True)
class Threshold:
    """An operator and the number, or pair of numbers, it compares with.

    `mustBeBetween` includes both ends: the standard's prose and its tools disagree, and
    datacontract-cli, which most people run, includes them.
    """

    operator: Operator
    value: Number | tuple[Number, Number]
    unit: Unit = Unit.ROWS

    def holds(self, observed: Number | str) -> bool:
        """Tell whether the observed number satisfies the threshold, exactly.

        A float that was observed is compared with the float next to a fraction, as DuckDB does,
        and with a whole number exactly; everything else is compared as it is written.

        >>> Threshold(Operator.LESS, 5).holds(5)
        False
        >>> Threshold(Operator.BETWEEN, (1, 5)).holds(5)
        True
        >>> Threshold(Operator.BE, 9007199254740992).holds(9007199254740993)
        False
        >>> Threshold(Operator.BE, 9007199254740993).holds(9007199254740992.0)
        False
        """
        found = Decimal(observed) if isinstance(observed, str) else observed
        if isinstance(self.value, tuple):
            (least, low), (most, high) = (_alike(found, bound) for bound in self.value)
            inside = low <= least and most <= high
            return inside if self.operator is Operator.BETWEEN else not inside
        return _COMPARE[self.operator](*_alike(found, self.value))

    def __str__(self) -> str:
        """Return the threshold as it is written in a contract."""
        pair = isinstance(self.value, tuple)
        value = f"[{self.value[0]}, {self.value[1]}]" if pair else self.value  # type: ignore[index]  # a pair
        unit = " percent" if self.unit is Unit.PERCENT else ""
        return f"{self.operator} {value}{unit}"


def _alike(found: Number, bound: Number) -> tuple[Fraction | float, Fraction | float]:
    """Return an observed number and one of a contract as they are compared."""
    if not isinstance(found, float):
        return exactly(found), exactly(bound)
    if isfinite(found) and not isinstance(bound, float) and bound == int(bound):
        return Fraction(found), Fraction(bound)  # it may be one that no float is
    return found, float(bound)


ZERO = Threshold(Operator.BE, 0)
