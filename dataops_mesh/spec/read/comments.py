"""What stands between the words of a query: to DuckDB nothing but space and comments.

sqlglot skips `{# ... #}` too, in every dialect. To DuckDB that is a map, and whoever asks sqlglot
would be told of another query than the one that runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_PART = re.compile(r"\s+|--[^\r\n]*|/\*|\*/")


def skipped_otherwise(text: str, tokens: Iterable[Any]) -> str:
    """Return what sqlglot left out of a query and DuckDB does not; nothing if they agree.

    >>> from sqlglot import tokenize
    >>> text = "select a /* b /* c */ d */ -- e"
    >>> skipped_otherwise(text, tokenize(text, dialect="duckdb"))
    ''
    >>> text = "select a {# b #}"
    >>> skipped_otherwise(text, tokenize(text, dialect="duckdb"))
    '{#'
    """
    at = 0
    for token in tokens:
        if left := _left(text[at : token.start]):
            return left
        at = token.end + 1
    return _left(text[at:])


def _left(gap: str) -> str:
    """Return the first two characters of what is neither space nor a comment to DuckDB."""
    at = depth = 0
    while at < len(gap):
        found = _PART.match(gap, at)
        if depth:
            mark = gap[at : at + 2]
            step = {"/*": 1, "*/": -1}.get(mark, 0)
            depth, at = depth + step, at + (2 if step else 1)
        elif found is None or found[0] == "*/":
            return gap[at : at + 2]
        else:
            depth, at = int(found[0] == "/*"), found.end()
    return "/*" if depth else ""
