"""Values that a contract compares a column with: are they of the column's logical type?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Scalar
from dataops_mesh.spec.read.node import Node

_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date as text, for example '2026-11-21'",
    "timestamp": "a time as text, for example '2026-11-21T09:30:00Z'",
    "time": "a time of day as text, for example '09:30:00'",
}

_CLASSES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float, Decimal),
}
PARSERS: dict[str, Callable[[str], date | time]] = {
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "time": time.fromisoformat,
}


def fits(value: Scalar, logical: str) -> bool:
    """Tell whether a value can be compared with a column of this logical type.

    >>> fits(1, "integer"), fits("1", "integer"), fits("2026-02-30", "date")
    (True, False, False)
    """
    if logical in PARSERS:
        return isinstance(value, str) and _parses(value, PARSERS[logical])
    if isinstance(value, bool):  # Python counts True among the integers
        return logical == "boolean"
    return isinstance(value, _CLASSES.get(logical, ()))


def _parses(text: str, parse: Callable[[str], object]) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def read_values(
    nodes: Iterable[Node], logical: str | None, problems: list[Problem]
) -> tuple[Scalar, ...]:
    """Return the values of a list, each of the column's type and given once.

    Args:
        nodes: the entries.
        logical: the column's logical type, or None where it is not known.
        problems: receives what is wrong.
    """
    values: list[Scalar] = []
    for node in nodes:
        value = node.value
        if not isinstance(value, str | int | float | Decimal):
            problems.append(node.problem("must be text, a number, true or false"))
        elif logical in _WORDS and not fits(value, logical):
            then = "write it in quotes" if logical == "string" else ""
            what = f"must be {_WORDS[logical]}, because the column is of type {logical}"
            problems.append(node.problem(what, then=then))
        elif any(value == seen and type(value) is type(seen) for seen in values):
            problems.append(node.problem("is given twice"))
        else:
            values.append(value)
    return tuple(values)
