"""What rules are called: by their authors, else by what they count and where they stand."""

from __future__ import annotations

from dataclasses import replace

from dataops_mesh.errors import Problem
from dataops_mesh.spec.names import slug, stem
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.quality.custom import Target
from dataops_mesh.spec.rule import Rule


def name_of(node: Node, asserted: str, target: Target) -> str:
    """Return what a rule is called: its id, its name, or its column and what it counts."""
    given = node.text("id") or node.text("name")
    if given:
        return slug(given)
    parts = (target.column and stem(target.column), slug(asserted))
    return "_".join(part for part in parts if part)


def by_position(rule: Rule, node: Node, position: int, taken: set[str]) -> Rule:
    """Return the rule; one that nobody named is called by its position where its name is taken."""
    if rule.name in taken and not (node.text("id") or node.text("name")):
        rule = replace(rule, name=f"{rule.name}_{position}")
    taken.add(rule.name)
    return rule


def report_duplicates(rules: tuple[Rule, ...], problems: list[Problem]) -> None:
    """Report rules of one contract or input port that have the same name."""
    seen: dict[str, Rule] = {}
    for rule in rules:
        first = seen.setdefault(rule.name, rule)
        if first is not rule:
            what = f'two rules are named "{rule.name}", here and at {first.where}'
            problems.append(Problem(what, rule.where, next="give this one another `id`"))
