"""Numbers of YAML that two versions of it read differently, or that a float would round."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import yaml

_SHOWN = 40  # characters of a number that a message repeats


def two_readings(text: str) -> tuple[str, str] | None:
    """Return what is wrong with a number that YAML 1.1 and people read differently.

    >>> two_readings("0100")
    ('0100 is 64 to YAML 1.1 and 100 to people', 'for text write "0100" in quotes, else 100 or 64')
    >>> two_readings("-0100")[1]
    'for text write "-0100" in quotes, else -100 or -64'
    >>> two_readings("1:30")
    ('1:30 is 90 to YAML 1.1 and text to people', 'write "1:30" in quotes, or 90')
    >>> two_readings("0.5")
    """
    sign = "-" if text.startswith("-") else ""
    digits = text.lstrip("+-").replace("_", "")
    octal = len(digits) > 1 and digits[0] == "0" and digits.isdigit()
    if not octal and not digits.lower().startswith("0b") and not {":", "_"} & set(text):
        return None
    if len(text) > _SHOWN:
        return "not a usable number: YAML 1.1 and people read it differently", "write it in quotes"
    if ":" in text:
        seconds = yaml.safe_load(text)
        return (
            f"{text} is {seconds} to YAML 1.1 and text to people",
            f'write "{text}" in quotes, or {seconds}',
        )
    number, plain = yaml.safe_load(text), sign + (digits.lstrip("0") or "0")
    if str(number) == plain or not octal:
        return (
            f"{text} is {number} to YAML 1.1 and text to YAML 1.2",
            f'write {number}, or "{text}" in quotes',
        )
    return (
        f"{text} is {number} to YAML 1.1 and {plain} to people",
        f'for text write "{text}" in quotes, else {plain} or {number}',
    )


def exact(text: str, number: float) -> int | float | Decimal:
    """Return the number as it is written, where a float would have other digits."""
    if isinstance(number, int):
        return number
    try:
        written = Decimal(text)
    except InvalidOperation:
        return number
    return number if written == Decimal(repr(number)) else written
