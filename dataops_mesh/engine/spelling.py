"""Does a text spell a value of a type, so that reading it as one loses nothing?"""

from __future__ import annotations

from dataops_mesh.engine import sql

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_ZONE = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_PLAIN = "[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)"
_SPELLED = {
    "BOOLEAN": "(?i)true|false|0|1",
    "DATE": _DAY,
    "TIME": _CLOCK,
    "TIMESTAMP": f"{_DAY}([ T]{_CLOCK})?",
    "TIMESTAMP WITH TIME ZONE": f"{_DAY}[ T]{_CLOCK}{_ZONE}?",
    "UUID": "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}
# They hold every decimal number of so many digits, if it is neither huge nor tiny.
DIGITS = {"DOUBLE": 15, "FLOAT": 6}


def value(text: str, kind: str) -> str:
    """Return the expression that reads a text as a value of a type.

    >>> value("v", "DATE")
    'TRY_CAST(v AS DATE)'
    """
    return f"TRY_CAST({text} AS {kind})"


def spells(text: str, kind: str, *, printed: bool = False) -> str:
    """Return the test that a text is a value of the type, to its last digit.

    Args:
        text: an expression of type VARCHAR.
        kind: a scalar type as DuckDB names it.
        printed: a double may also have 16 or 17 digits, as programs print what they hold.
    """
    bare = kind.partition("(")[0]
    if bare == "VARCHAR":
        return "true"
    if bare in DIGITS:
        return _double(text, kind, printed=printed)
    if bare == "DECIMAL":
        return _decimal(text, kind)
    whole = bare.endswith("INT") or bare == "INTEGER"
    pattern = "[+-]?[0-9]+([.]0+)?" if whole else _SPELLED.get(bare)
    if pattern is None:
        return f"{value(text, kind)} IS NOT NULL"
    return f"({_full(text, pattern)} AND {value(text, kind)} IS NOT NULL)"


def _full(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {sql.literal(pattern)})"


def _digits(text: str) -> str:
    """Return the number of significant digits of a number's text."""
    digits = f"translate(split_part(lower({text}), 'e', 1), '+-.', '')"
    return f"length(ltrim({digits}, '0'))"


def _double(text: str, kind: str, *, printed: bool) -> str:
    """Return the test that a double's shortest spelling is the text's number."""
    few = f"{_digits(text)} <= {DIGITS[kind]} AND {_full(text, _PLAIN + '([eE][+-]?[0-9]{1,2})?')}"
    if kind == "FLOAT":
        few = f"{_digits(text)} <= {DIGITS[kind]} AND {_full(text, _PLAIN + '([eE][+-]?[0-9])?')}"
    short = f"CASE WHEN contains({text}, '.') AND NOT contains(lower({text}), 'e') "
    short += f"THEN rtrim(rtrim({text}, '0'), '.') ELSE replace(lower({text}), 'e+', 'e') END"
    shown = [f"CAST({value(text, kind)} AS VARCHAR)"]
    if printed and kind == "DOUBLE":
        shown += [f"format('{{:.{digits}g}}', {value(text, kind)})" for digits in (16, 17)]
    same = " OR ".join(
        f"{short} = CASE WHEN contains({one}, 'e') THEN {one} "
        f"ELSE rtrim(rtrim({one}, '0'), '.') END"
        for one in shown
    )
    named = f"lower({text}) IN ('nan', 'inf', '-inf', 'infinity', '-infinity')"
    return f"(({few}) OR ({_full(text, _PLAIN + '([eE][+-]?[0-9]+)?')} AND ({same})) OR {named})"


def _decimal(text: str, kind: str) -> str:
    """Return the test that a decimal number has room for every digit of the text."""
    scale = kind[8:-1].partition(",")[2] if "(" in kind else "3"
    room = _full(text, f"[+-]?[0-9]*([.][0-9]{{0,{scale or 0}}}0*)?")
    # A number of few digits is another double than the one that rounding would make of it.
    same = f"CAST({value(text, kind)} AS DOUBLE) = TRY_CAST({text} AS DOUBLE)"
    power = f"{_full(text, _PLAIN + '[eE][+-]?[0-9]{1,2}')} AND {_digits(text)} <= 15 AND {same}"
    return f"({value(text, kind)} IS NOT NULL AND ({room} OR ({power})))"
