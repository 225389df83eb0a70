"""Reads the custom rule that compares what was built with what was built before.

type: custom
engine: dataops_mesh
implementation: {check: usual, of: [rows, nulls, distinct, mean]}
"""

from __future__ import annotations

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.read.node import Node

NAME = "usual"
_KEYS = ("check", "of")
_OF_COLUMN = ("nulls", "distinct", "mean")
_KINDS = ("rows", *_OF_COLUMN)


def read_usual(node: Node, column: str | None, problems: list[Problem]) -> tuple[str, ...]:
    """Return which numbers must be usual.

    Args:
        node: the rule.
        column: the column that it stands under, or None for the whole port.
        problems: receives what is wrong.
    """
    valid = _KINDS if column is None else _OF_COLUMN
    given = node.child("implementation")
    if given is None:
        return ()  # the schema has reported it
    if not isinstance(given.value, dict):
        problems.append(given.problem("must be a mapping with `check` and `of`, not text"))
        return ()
    for key in given.value:
        child = given.child(key)
        if child is not None and key not in _KEYS:
            problems.append(child.problem(f"unknown key{did_you_mean(key, _KEYS)}", _KEYS))
    check = given.child("check")
    if check is None or check.value != NAME:
        problems.append((check or given).problem("needs the name of a check", [NAME]))
    if given.child("of") is None:
        return valid
    named = given.items("of")
    if not named:
        problems.append(given.problem("`of` must be a list with at least one number", valid))
    for one in named:
        if one.value not in valid:
            where = " of a column" if column else ""
            hint = did_you_mean(str(one.value), valid)
            problems.append(one.problem(f'no number "{one.value}"{where}{hint}', valid))
    return tuple(kind for kind in valid if kind in [one.value for one in named])
