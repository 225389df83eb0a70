"""What may be told of a cast that failed: the column and the line, and never the value.

DuckDB's message begins with the value and ends with the column's name and the line. A value may
end as a message does; so a name is only told if the text that was run says it, or a column of what
it reads is called so.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_COLUMN = " when casting from source column "
_END = re.compile(r"\n\nLINE (\d+): [^\n]*\n *\^\s*$")
_WORD = re.compile(r"\w+")


def cast_in(message: str, text: str, columns: Collection[str] = (), *, line: bool = True) -> str:
    r"""Return which cast of a text failed, as far as it can be told; else nothing.

    Args:
        message: of the engine, with the value.
        text: the SQL, or the code that runs SQL.
        columns: other names that may be told.
        line: the text begins where people see it begin.

    >>> said = "Could not convert string 'DE89' to INT32 when casting from source column iban"
    >>> cast_in(f"{said}\n\nLINE 2: iban::int from t\n        ^", "select\niban::int from t")
    'a value of "iban" cannot be cast, in line 2 of the query'
    >>> cast_in(said, "select other::int from t")
    ''
    """
    end = _END.search(message)
    where = f", in line {end[1]} of the query" if end and line else ""
    head = message[: end.start()] if end else message
    _, found, name = head.rpartition(_COLUMN)
    known = name in columns or (name.lower() in text.lower() and _is_whole(name, text))
    if found and known:
        return f'a value of "{name}" cannot be cast{where}'
    return f"a value cannot be cast{where}" if where else ""


def _is_whole(name: str, text: str) -> bool:
    """Tell whether a text has a name as a word, or in quotes."""
    quoted = '"' + name.replace('"', '""') + '"'
    return name.lower() in map(str.lower, _WORD.findall(text)) or quoted.lower() in text.lower()
