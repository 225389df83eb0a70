"""The one exit: a cell, or an engine's error, becomes words that may be shown.

A cell is shown only of a column classified public or internal, and not when it looks like
personal data: a class is a promise, and rows do not always keep it.

DuckDB prints the offending value in many of its messages, so a message is only kept for the
classes that speak about names (Binder, Catalog, Parser), and there only its first line, of a known
form, with names that stand in the query. For every other class one of our own sentences is said.
"""

from __future__ import annotations

import re
import unicodedata

from dataops_mesh.spec.types.casts import cast_in
from dataops_mesh.spec.types.telling import WITHHELD, Known, tellable

HINTS = {
    "ConversionException": "a value cannot be converted to the type it is compared with",
    "InvalidInputException": "an argument is not valid, for example a pattern or a cast",
    "OutOfRangeException": "a number is out of range",
    "InterruptException": "it was stopped",
    "IOException": "a file cannot be read",
    "OutOfMemoryException": "it needs more memory than it may use",
    "TypeMismatchException": "two types cannot be compared",
}
NAMES_ONLY = ("BinderException", "CatalogException", "ParserException")


class AuditError(Exception):
    """A check could not run; the text is safe to show."""


def redact(error: BaseException, query: str = "") -> str:
    r"""Return the error's class and a hint that holds no value.

    Args:
        error: what was raised.
        query: what was run, if it may be told which of its columns a failed cast is about.

    >>> import duckdb
    >>> redact(duckdb.ConversionException("Could not convert string 'DE89 3704' to INT32"))
    'ConversionException: a value cannot be converted to the type it is compared with'
    >>> redact(duckdb.BinderException('Binder Error: Referenced table "x" not found!'), "x.y")
    'BinderException: Referenced table "x" not found!'
    >>> redact(KeyError("DE89 3704"))
    'KeyError'
    """
    if isinstance(error, AuditError):
        return str(error)
    name = type(error).__name__
    hint = HINTS.get(name, "")
    if name == "ConversionException" and query:
        hint = cast_in(str(error), query, line=False) or hint
    if name in NAMES_ONLY:
        first = (
            str(error).partition("\n")[0].removeprefix(f"{name.removesuffix('Exception')} Error: ")
        )
        # A column may be called as a value is: only names that the query itself says are told.
        hint = tellable(first, Known([query])) or WITHHELD
    return f"{name}: {hint}" if hint else name


_SUFFIXES = "png|jpe?g|gif|svg|webp|ico|service|socket|timer|target|mount|slice|scope|device|swap"
_LOOKS: tuple[tuple[str, str], ...] = (
    # Not `git@host.example:folder`, `icon@2x.png`, `getty@tty1.service`.
    (
        "an e-mail",
        rf"[^\s@]+@[^\s@.:/]+(?:\.[^\s@.:/]+)*\.(?!(?:{_SUFFIXES})\b)[^\W\d_][\w-]*+(?!:[\w~/]|\.\w)",
    ),
    ("a social security number", r"(?<!\d)\d{3}[- ]\d{2}[- ]\d{4}(?!\d)"),
    ("a phone number", r"\+(?!\d+[.]\d+$)[1-9](?:[ ()/.-]{0,2}\d){7,13}(?!\d)"),
    ("a phone number", r"(?<!\d)00[1-9](?:[ ()/.-]{0,2}\d){8,13}(?!\d)"),
    ("a phone number", r"(?<!\d)\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}(?!\d)"),
    ("a phone number", r"(?<![\d.:-])0[1-9]\d{1,4} ?[ /-] ?\d[\d -]{4,10}\d(?!\d)"),
    ("a phone number", r"(?<![\d.:-])0[1-9]([ .-])\d{2}(?:\1\d{2}){3}(?![\d.-])"),
    ("a phone number", r"\((?:0[1-9]\d{0,4}|[1-9]\d)\) ?\d[\d -]{5,10}\d(?!\d)"),
    ("a phone number", r"(?<![\d.:-])(?:[1-9]\d 9\d{4}|0[1-9]-\d{4})-\d{4}(?![\d-])"),
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_LONGEST = 2_000  # characters of a text: far more than is shown of it
_NUMBERS = re.compile(r"\d+(?:[ -]\d+)*")
CARD = "a card number"
CARD_LENGTHS = range(13, 20)
_IBAN_LENGTHS = range(15, 35)


def looks_like(text: str) -> str:
    """Return what kind of personal data a text seems to hold; empty if none.

    >>> looks_like("ana@mesh.example"), looks_like("4111 1111 1111 1111"), looks_like("EWR")
    ('an e-mail', 'a card number', '')
    >>> looks_like("2013-01-01 10:00:00"), looks_like("+49 30 1234567")
    ('', 'a phone number')
    """
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKC", text[:_LONGEST])
        if unicodedata.category(letter) != "Cf"
    )
    if any(_is_iban(found[0]) for found in _IBAN.finditer(plain)):
        return "an IBAN"
    if any(_holds_card(found[0]) for found in _NUMBERS.finditer(plain)):
        return CARD
    return next((kind for kind, pattern in _LOOKS if re.search(pattern, plain)), "")


def shown(text: str | None, width: int) -> str | None:
    """Return a cell as it may be shown: short, and without what looks like personal data.

    >>> shown("write to ana@mesh.example", 80)
    '<looks like an e-mail>'
    """
    if text is None:
        return None
    if kind := looks_like(text):
        return f"<looks like {kind}>"
    return text if len(text) <= width else text[: width - 1] + "…"


def _holds_card(text: str) -> bool:
    """Tell whether numbers in a row hold a card's: what stands beside it may be another number."""
    numbers = re.split("[ -]", text)
    return any(
        _is_card("".join(numbers[first:last]))
        for first in range(len(numbers))
        for last in range(first + 1, min(first + CARD_LENGTHS[-1], len(numbers)) + 1)
    )


def _is_card(digits: str) -> bool:
    """Tell whether so many digits are a card's and keep Luhn's rule."""
    if len(digits) not in CARD_LENGTHS:
        return False
    figures = [int(digit) for digit in reversed(digits)]
    doubled = (sum(divmod(2 * figure, 10)) for figure in figures[1::2])
    return any(figures) and (sum(figures[::2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Tell whether the text begins with an IBAN: what follows may be the next word."""
    from stdnum.iban import is_valid

    letters = re.sub(r"[ -]", "", text).upper()
    return any(
        int("".join(str(int(c, 36)) for c in letters[4:end] + letters[:4])) % 97 == 1
        and is_valid(letters[:end])
        for end in _IBAN_LENGTHS
        if end <= len(letters)
    )
