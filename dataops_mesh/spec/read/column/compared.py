"""Compares a number inside a nested column with one of the contract, in SQL and exactly.

Nobody knows the type of what is inside before the data is there. So floats are compared as DuckDB
compares them, and all others as decimals with every digit that the bound leaves room for: what
does not fit there is beyond the bound, on the side of its own sign.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation

_DIGITS = 38  # of DuckDB's widest decimal
_NO_FLOAT = 2**128 - 2**103  # from here on a number is no float of 32 bits
_ROUNDED = {"<": ROUND_CEILING, ">=": ROUND_CEILING, "<=": ROUND_FLOOR, ">": ROUND_FLOOR}
_WIDE = Context(prec=800)


def number_of(said: object) -> Decimal | None:
    """Return a number as it is written; None for what is none.

    >>> number_of(0.1), number_of("2.50"), number_of("soon")
    (Decimal('0.1'), Decimal('2.50'), None)
    """
    try:
        found = Decimal(repr(said) if isinstance(said, float) else str(said).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def compared(value: str, sign: str, number: Decimal) -> str:
    """Return the condition that a value is on a side of a number; null for null.

    Args:
        value: an expression of some type of numbers.
        sign: one of <, <=, >, >= and =.
        number: as the contract says it.
    """
    floats = f"{value} {sign} {_float(number, value)}"
    return f"if(typeof({value}) IN ('FLOAT', 'DOUBLE'), {floats}, {_decimal(value, sign, number)})"


def _decimal(value: str, sign: str, number: Decimal) -> str:
    before = max(number.adjusted() + 1, 0) if number else 0
    if before > _DIGITS:
        return _beyond(value, sign, number)
    places = _DIGITS - before
    step = Decimal(1).scaleb(-places)
    nearest = number.quantize(step, _ROUNDED.get(sign, ROUND_FLOOR), context=_WIDE)
    if sign == "=" and nearest != number:
        return _always(value, answer=False)
    if nearest and nearest.adjusted() >= before:  # rounded to the next power of ten
        return _decimal(value, sign, nearest)
    kind = f"DECIMAL({_DIGITS},{places})"
    there = f"TRY_CAST({value} AS {kind}) {sign} CAST('{nearest:f}' AS {kind})"
    larger = _always(value, answer=False) if sign == "=" else f"{value} {sign[0]} 0"
    found = f"coalesce({there}, {larger})"
    if not before or abs(nearest) != Decimal(1).scaleb(before - 1):
        return found
    # A value just below a power of ten may have one place more, and be rounded to it.
    below = f"TRY_CAST({value} AS DECIMAL({_DIGITS},{places + 1})) IS NOT NULL"
    closer = sign != "=" and (sign[0] == "<") is (nearest > 0)
    return f"if({below}, {str(closer).lower()}, {found})"


def _beyond(value: str, sign: str, number: Decimal) -> str:
    """Return the condition for a number that is larger than every decimal."""
    always = sign != "=" and (sign[0] == "<") is (number > 0)
    return _always(value, answer=always)


def _always(value: str, *, answer: bool) -> str:
    return f"if({value} IS NULL, NULL, {str(answer).lower()})"


def _float(number: Decimal, value: str) -> str:
    text = f"'{number}'"
    if abs(number) >= _NO_FLOAT:
        return f"{text}::DOUBLE"
    return f"if(typeof({value}) = 'FLOAT', {text}::FLOAT, {text}::DOUBLE)"
