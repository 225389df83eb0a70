"""Reads what a rule demands of its number: operator, value and unit (ODCS `DataQuality`)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Metric, Operator, RuleKind, Threshold, Unit
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.standards.explained import as_number
from dataops_mesh.spec.threshold import Number

OPERATORS = tuple(operator.value for operator in Operator)
_PAIRS = {Operator.BETWEEN, Operator.NOT_BETWEEN}
_PAIR = 2
_HUNDRED = 100


def read_threshold(
    node: Node, kind: RuleKind, metric: Metric | None, problems: list[Problem]
) -> Threshold | None:
    """Return the threshold of a rule; exactly one operator must be given."""
    unit = _unit(node, kind, metric, problems)
    given = [operator for operator in Operator if node.child(operator)]
    if len(given) != 1:
        found = f"has {len(given)} ({', '.join(given)})" if given else "has none"
        problems.append(node.problem(f"needs exactly one operator and {found}", OPERATORS))
        return None
    (operator,) = given
    child = node.child(operator)
    value = _value(child.value if child else None, operator, kind)
    if child is None or value is None:
        expected = "two numbers, the smaller first" if operator in _PAIRS else "a number"
        then = as_number(child.value) if child else ""
        problems.append((child or node).problem(f"{operator} needs {expected}", then=then))
        return None
    if unit is Unit.PERCENT and not all(0 <= n <= _HUNDRED for n in _numbers(value)):
        problems.append(child.problem("percent lies between 0 and 100"))
        return None
    return Threshold(operator, value, unit)


def _unit(node: Node, kind: RuleKind, metric: Metric | None, problems: list[Problem]) -> Unit:
    child = node.child("unit")
    if child is None:
        return Unit.ROWS
    problem = child.choose(Unit)
    if problem:
        problems.append(problem)
        return Unit.ROWS
    if child.value == Unit.PERCENT and (metric is Metric.ROW_COUNT or kind is RuleKind.SQL):
        subject = "rowCount" if metric is Metric.ROW_COUNT else "the result of a query"
        problems.append(child.problem(f"{subject} has no percent", [Unit.ROWS]))
        return Unit.ROWS
    return Unit(child.value) if isinstance(child.value, str) else Unit.ROWS


def _value(value: Any, operator: Operator, kind: RuleKind) -> Number | tuple[Number, Number] | None:
    if operator in _PAIRS:
        if not isinstance(value, list) or len(value) != _PAIR:
            return None
        low, high = (_number(item) for item in value)
        return (low, high) if low is not None and high is not None and low < high else None
    if isinstance(value, bool) and kind is RuleKind.SQL and operator in _EQUALITY:
        return int(value)  # a query may answer true or false
    return _number(value)


_EQUALITY = {Operator.BE, Operator.NOT_BE}


def _number(value: Any) -> Number | None:
    return (
        value if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None
    )


def _numbers(value: Number | tuple[Number, Number]) -> tuple[Number, ...]:
    return value if isinstance(value, tuple) else (value,)
