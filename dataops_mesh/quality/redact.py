"""Turns an engine's error into words that cannot contain a cell of the data.

DuckDB prints the offending value in many of its messages, so a message is only kept for the
classes that speak about names (Binder, Catalog, Parser), and there only its first line
without anything in single quotes. For every other class one of our own sentences is said.
"""

from __future__ import annotations

import re

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


def redact(error: BaseException) -> str:
    r"""Return the error's class and a hint that holds no value.

    >>> import duckdb
    >>> redact(duckdb.ConversionException("Could not convert string 'DE89 3704' to INT32"))
    'ConversionException: a value cannot be converted to the type it is compared with'
    >>> redact(duckdb.BinderException("Binder Error: no column 'x' in t\nLINE 1: ..."))
    'BinderException: no column (...) in t'
    >>> redact(KeyError("DE89 3704"))
    'KeyError'
    """
    if isinstance(error, AuditError):
        return str(error)
    name = type(error).__name__
    hint = HINTS.get(name, "")
    if name in NAMES_ONLY:
        first = (
            str(error).partition("\n")[0].removeprefix(f"{name.removesuffix('Exception')} Error: ")
        )
        hint = re.sub(r"'.*'", "(...)", first)
        if "'" in hint:  # an unbalanced quote may hide half a value
            hint = ""
    return f"{name}: {hint}" if hint else name
