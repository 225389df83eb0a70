"""Thresholds: the number that a check measured, and what it must be."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


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


_COMPARE: dict[Operator, Callable[[float, float], bool]] = {
    Operator.BE: operator.eq,
    Operator.NOT_BE: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """An operator and the number, or pair of numbers, it compares with.

    `mustBeBetween` includes both ends: the standard's prose and its tools disagree, and
    datacontract-cli, which most people run, includes them.
    """

    operator: Operator
    value: float | tuple[float, float]
    unit: Unit = Unit.ROWS

    def holds(self, observed: float) -> bool:  # one line per operator
        """Tell whether the observed number satisfies the threshold.

        >>> Threshold(Operator.LESS, 5).holds(5)
        False
        >>> Threshold(Operator.BETWEEN, (1, 5)).holds(5)
        True
        """
        if isinstance(self.value, tuple):
            low, high = self.value
            inside = low <= observed <= high
            return inside if self.operator is Operator.BETWEEN else not inside
        return _COMPARE[self.operator](observed, self.value)

    def __str__(self) -> str:
        """Return the threshold as it is written in a contract."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        unit = " percent" if self.unit is Unit.PERCENT else ""
        return f"{self.operator} {value}{unit}"


ZERO = Threshold(Operator.BE, 0)
