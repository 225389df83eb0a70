"""What a query says word by word, where its parsed form has lost some of it.

The parser takes the unit of `date_trunc(unit, born)` for a word whatever it is, and forgets the
third argument of `time_bucket`: what is in a column there would be seen by nobody.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

# Their first argument is a unit of time, which people write as a text.
_UNITS = frozenset(
    {"date_trunc", "datetrunc", "date_diff", "datediff", "date_sub", "datesub"}
    | {"date_part", "datepart", "timestamp_trunc"}
)
_MOST = {"time_bucket": 2, "decode": 1}  # arguments that are read


def loses_an_argument(text: str) -> bool:
    """Tell whether a query says something in a call that its parsed form has not.

    >>> loses_an_argument("select date_trunc('year', born) from people.staff")
    False
    >>> loses_an_argument("select date_trunc(unit, born) from people.staff")
    True
    """
    from sqlglot import TokenType, tokenize

    tokens = tokenize(text, read="duckdb")
    for at, (token, opened) in enumerate(pairwise(tokens)):
        name = token.text.lower()
        if opened.token_type is not TokenType.L_PAREN:
            continue
        unit = tokens[at + 2 : at + 4]
        if name in _UNITS and [one.token_type for one in unit] != [
            TokenType.STRING,
            TokenType.COMMA,
        ]:
            return True
        if name in _MOST and _arguments(tokens[at + 2 :]) > _MOST[name]:
            return True
    return False


def _arguments(tokens: list[Token]) -> int:
    """Return how many arguments a call has, by the words behind its bracket."""
    from sqlglot import TokenType

    opening = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
    closing = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
    depth, count = 0, 1
    for token in tokens:
        if token.token_type in closing and depth == 0:
            break
        depth += (token.token_type in opening) - (token.token_type in closing)
        count += token.token_type is TokenType.COMMA and depth == 0
    return count
