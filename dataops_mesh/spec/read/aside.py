"""Reads the setting `onFailure: {quarantine: 1%}`: how many rows a rule may set aside.

A rule that sets rows aside says of each row by itself whether it breaks the rule. Keys that
repeat, foreign keys, counts and sums do not, so there the setting is an error.
"""

from __future__ import annotations

import re
from decimal import Decimal

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Metric, Operator, RuleKind, Severity, Threshold, Unit
from dataops_mesh.spec.predicate import row_condition
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.rule import Rule

SETTING, KEY = "onFailure", "quarantine"
_BOUND = re.compile(r"(?P<share>\d{1,3}(\.\d{1,12})?) ?%|(?P<rows>\d{1,15}) rows?", re.ASCII)
_HUNDRED = 100
_EXAMPLES = ("1%", "0.5%", "100 rows")
_ROW = "SELECT count(*) FROM {object} WHERE <what is wrong with a row>"


def read_bound(setting: Node | None, problems: list[Problem]) -> Threshold | None:
    """Return the largest share, or number, of rows that may be set aside."""
    node = setting.child(KEY) if setting is not None else None
    if node is None:
        return None
    bound = bound_of(node.value)
    if bound is None:
        what = f"{node.value!r} does not say how many rows may be set aside at most"
        problems.append(node.problem(what, _EXAMPLES))
    return bound


def bound_of(text: object) -> Threshold | None:
    """Return the bound that a text says; None if it says none.

    >>> str(bound_of("0.5%")), str(bound_of("100 rows")), bound_of("0 rows")
    ('mustBeLessOrEqualTo 0.5 percent', 'mustBeLessOrEqualTo 100', None)
    """
    found = _BOUND.fullmatch(text) if isinstance(text, str) else None
    value = Decimal(found["share"] or found["rows"]) if found else Decimal(0)
    if found is None or not value or (found["share"] and value > _HUNDRED):
        return None
    number = int(value) if value == value.to_integral_value() else value
    unit = Unit.PERCENT if found["share"] else Unit.ROWS
    return Threshold(Operator.LESS_OR_EQUAL, number, unit)


def rule_bound(setting: Node | None, rule: Rule, problems: list[Problem]) -> Threshold | None:
    """Return the bound of a rule, where the rule can tell a row that breaks it from others."""
    bound = read_bound(setting, problems)
    if setting is None or bound is None:
        return None
    why, then = _not_by_row(rule)
    if why:
        problems.append(setting.problem(f"{why}, so it can set none aside", then=then))
        return None
    zero = rule.threshold is not None and rule.threshold.operator is Operator.BE
    if not zero or rule.threshold is None or rule.threshold.value != 0:
        what = f"sets aside every row that breaks the rule, and the rule says {rule.threshold}"
        problems.append(setting.problem(what, ["mustBe: 0"]))
    if rule.severity is not Severity.ERROR:
        what = f"a rule of severity {rule.severity} stops no row, so it sets none aside"
        problems.append(setting.problem(what, then="leave `severity` out"))
    return bound


def refuse_setting(setting: Node | None, whose: str, problems: list[Problem]) -> None:
    """Report the setting where rows are not ours to set aside."""
    if setting is not None:
        what = f"{SETTING} is a setting of an output port's contract, not of {whose}"
        then = "rows are set aside from what the transform returns: let it pass them on"
        problems.append(setting.problem(what, then=then))


def _not_by_row(rule: Rule) -> tuple[str, str]:
    """Return why nobody can say which row breaks a rule, and what to do; nothing if one can."""
    if rule.foreign:
        return "nobody executes this rule here", "write it with a metric, or as `type: sql`"
    if rule.kind is RuleKind.SQL:
        known = row_condition(rule.query or "") is not None
        return ("", "") if known else ("this query does not say which rows are wrong", _ROW)
    if rule.kind is RuleKind.CUSTOM:
        return "an expectation of Great Expectations does not say which rows are wrong", _ROW
    if rule.kind is RuleKind.TEXT:
        return "nobody executes a rule of type text", "write it with a metric, or as `type: sql`"
    then = "remove the setting: the gate refuses all rows together"
    match rule.metric:
        case Metric.DUPLICATE_VALUES:
            return "of a key that repeats no single row is wrong", then
        case Metric.ROW_COUNT:
            return "a number of rows is not wrong in any single row", then
    return "", ""
