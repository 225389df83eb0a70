"""What the right answers are, in plain Python: nothing here may come from the library under test."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

WHOLE = {
    "TINYINT": (-(2**7), 2**7 - 1),
    "SMALLINT": (-(2**15), 2**15 - 1),
    "INTEGER": (-(2**31), 2**31 - 1),
    "BIGINT": (-(2**63), 2**63 - 1),
    "UTINYINT": (0, 2**8 - 1),
    "UBIGINT": (0, 2**64 - 1),
    "DECIMAL(38,0)": (-(10**38) + 1, 10**38 - 1),
}


def exact(value: Any) -> Fraction | None:
    """Return the number that a value is, or None for NaN and the infinities."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return Fraction(value)


def holds_exactly(value: Any, kind: str) -> bool:
    """Tell whether a numeric type holds the very value, as people would write it.

    A double has one of its own for each decimal of 15 digits; a double is whole only below 2^53, from where on it may have been rounded.
    """
    if value is None:
        return True
    if kind in WHOLE:
        number = exact(value)
        if number is None or number.denominator != 1:
            return False
        if isinstance(value, float) and abs(number) > 2**53:
            return False
        low, high = WHOLE[kind]
        return low <= number <= high
    if kind.startswith("DECIMAL("):
        width, scale = map(int, kind[8:-1].split(","))
        return _fits_decimal(value, width, scale)
    if isinstance(value, float):
        return True
    if isinstance(value, int):
        try:
            return int(float(value)) == value
        except OverflowError:
            return False
    scale = -value.as_tuple().exponent
    if scale == 0:
        return int(float(value)) == value
    few = abs(value.scaleb(scale)) < 10**15  # of so many digits each has a double of its own
    return few or (value == value.to_integral_value() and abs(value) <= 2**53)


def _fits_decimal(value: Any, width: int, scale: int) -> bool:
    if isinstance(value, float):
        if not math.isfinite(value):
            return False
        with localcontext() as context:
            context.prec = 400
            near = round(Decimal(value), scale)
        return (
            abs(value) <= 2**53
            and float(near) == value
            and abs(near) < Decimal(10) ** (width - scale)
        )
    number = Fraction(value) * 10**scale
    return number.denominator == 1 and abs(number) < 10**width
