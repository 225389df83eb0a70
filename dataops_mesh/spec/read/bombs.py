"""Values of any size out of nothing: the one way in which a SELECT escapes DuckDB's memory limit.

A single value is allocated outside the limit, and inside one call DuckDB does not look whether
it was interrupted. What takes a size must say it as a number that is small enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

LARGEST = 10_000
_SIZED = frozenset({"list_resize", "array_resize", "bitstring"})
_FORMATS = frozenset({"printf", "format"})
_WIDE = re.compile(r"\d{5,}|\*")


def bomb(query: exp.Query) -> str:
    """Return what in a query could make a value of any size, or nothing.

    >>> from sqlglot import parse_one
    >>> bomb(parse_one("select lpad(code, 5, '0') from t", dialect="duckdb"))
    ''
    >>> bomb(parse_one("select repeat('x', 3000000000) from t", dialect="duckdb"))
    'repeat'
    """
    from sqlglot import exp

    for call in query.find_all(exp.Func):
        name = call.name if isinstance(call, exp.Anonymous) else call.sql_name()
        if not all(map(_is_small, _sizes(call, name.lower()))):
            return name.lower()
    return ""


def _sizes(call: exp.Func, name: str) -> Iterator[exp.Expr | None]:
    """Return the arguments of a function that say how large its value becomes."""
    from sqlglot import exp

    if isinstance(call, exp.Repeat):
        yield call.args.get("times")
    elif isinstance(call, exp.Pad):
        yield call.expression
    elif isinstance(call, exp.GenerateSeries) and not isinstance(call.parent, exp.Table):
        yield from (call.args.get("start"), call.args.get("end"))
    elif name in _SIZED:
        yield from call.expressions[1:2]
    elif name in _FORMATS:
        text = call.this if isinstance(call, exp.Format) else next(iter(call.expressions), None)
        plain = isinstance(text, exp.Literal) and not _WIDE.search(text.name)
        yield exp.Literal.number(0 if plain else LARGEST + 1)


def _is_small(size: exp.Expr | None) -> bool:
    from sqlglot import exp

    if isinstance(size, exp.Neg):
        size = size.this
    if not isinstance(size, exp.Literal) or size.is_string:
        return False
    return size.name.isdigit() and int(size.name) <= LARGEST
