"""The words of a SQL text, for what is written out before anything is parsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_OPEN, _CLOSE = (
    frozenset({"L_PAREN", "L_BRACKET", "L_BRACE"}),
    frozenset({"R_PAREN", "R_BRACKET", "R_BRACE"}),
)


def words(text: str) -> Sequence[Any]:
    """Return the tokens of a text; none of one that is not SQL, which is told elsewhere."""
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    try:
        return tuple(Dialect.get_or_raise("duckdb").tokenize(text))
    except SqlglotError:
        return ()


def kind(tokens: Sequence[Any], index: int) -> str:
    """Return what a token is; nothing beyond the last."""
    return tokens[index].token_type.name if 0 <= index < len(tokens) else ""


def is_call(tokens: Sequence[Any], index: int) -> bool:
    """Tell whether a function is called here."""
    before, after = kind(tokens, index - 1), kind(tokens, index + 1)
    return kind(tokens, index) == "VAR" and after == "L_PAREN" and before != "DOT"


def flat(text: str) -> str:
    """Return the text on one line and without comments."""
    tokens = words(text)
    parts = list[str]()
    for n, token in enumerate(tokens):
        apart = n > 0 and token.start > tokens[n - 1].end + 1
        parts += [" " if apart else "", text[token.start : token.end + 1]]
    return "".join(parts)


def closing(tokens: Sequence[Any], start: int) -> int | None:
    """Return where the bracket that opens here is closed."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += (kind(tokens, index) in _OPEN) - (kind(tokens, index) in _CLOSE)
        if depth == 0:
            return index
    return None


def arguments(text: str, tokens: Sequence[Any]) -> list[str]:
    """Return what stands between the commas of a call, whose brackets come first and last."""
    found, depth, start = list[str](), 0, tokens[0].end + 1
    for index, token in enumerate(tokens):
        depth += (kind(tokens, index) in _OPEN) - (kind(tokens, index) in _CLOSE)
        if depth == 0 or (depth == 1 and kind(tokens, index) == "COMMA"):
            found.append(flat(text[start : token.start]))
            start = token.end + 1
    return [] if found == [""] else found
