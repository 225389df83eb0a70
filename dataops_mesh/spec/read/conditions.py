"""Reads a product's own conditions, and refuses one that could never be evaluated."""

from __future__ import annotations

from dataops_mesh.errors import Problem
from dataops_mesh.spec import cel
from dataops_mesh.spec.condition import METRICS, Condition
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.rule import Severity

# Different from each other and from 0, so that a comparison of types is tried, not a division.
_TRIED = dict(zip(METRICS, (17, 13, 7, 5, 3, 2), strict=True))
_WHOLE = "metrics are whole numbers: rows * 2 < rowsBefore, or double(rows) < 0.5"
_DOCS = "docs/alerts.md, Conditions of your own"


def read_conditions(setting: Node | None, problems: list[Problem]) -> tuple[Condition, ...]:
    """Return the conditions of a product.

    Args:
        setting: our custom property `conditions`, which its schema has judged.
        problems: receives what is wrong.
    """
    if setting is None or not isinstance(setting.value, list):
        return ()
    found: dict[str, Condition] = {}
    for index, value in enumerate(setting.value):
        entry = Node(setting.document, value, (*setting.keys, index))
        name, when = entry.text("name"), entry.child("when")
        if name is None or when is None or not isinstance(when.value, str):
            continue
        if name in found:
            problems.append(entry.problem(f'two conditions are called "{name}"'))
        problems += _problems(when, when.value)
        severity = Severity(entry.text("severity") or Severity.ERROR)
        found[name] = Condition(name, when.value, entry.text("message") or "", severity)
    return tuple(found.values())


def _problems(node: Node, text: str) -> list[Problem]:
    if wrong := cel.problem_of(text, METRICS):
        return [node.problem(f"the condition {wrong}", choices=tuple(METRICS), then=_DOCS)]
    said = cel.answer(text, _TRIED)
    if said == "neither":
        what = "the condition answers neither true nor false"
        return [node.problem(what, then="compare with something: rows == 0")]
    if said.startswith("error") and "by zero" not in said:
        part = said.partition(" in `")[2].partition("`")[0] or text
        what = f"the condition cannot be evaluated: `{part}` is of different kinds"
        return [node.problem(what, choices=tuple(METRICS), then=_WHOLE)]
    return []
