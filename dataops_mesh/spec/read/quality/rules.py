"""Reads quality rules (ODCS `quality`): what each measures and what it demands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from dataops_mesh.errors import DeclarationError, Problem, did_you_mean
from dataops_mesh.spec.model import ZERO, Metric, Rule, RuleKind, Scalar, Severity
from dataops_mesh.spec.pattern import pattern_problem
from dataops_mesh.spec.read.aside import SETTING, rule_bound
from dataops_mesh.spec.read.column.values import read_values
from dataops_mesh.spec.read.extras import Extras
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.quality.custom import (
    ENGINE,
    Target,
    foreign_engine,
    is_own,
    read_expectation,
)
from dataops_mesh.spec.read.quality.rule_names import by_position, name_of
from dataops_mesh.spec.read.quality.thresholds import OPERATORS, read_threshold
from dataops_mesh.spec.read.quality.usual import NAME as USUAL
from dataops_mesh.spec.read.quality.usual import read_usual
from dataops_mesh.spec.sql import rule_query

_NEVER_READ = {"rule": "write `metric` with one of the five metrics"}
# What a contract of anybody may say and nobody executes here; where rules are written for us,
# it is refused.
_SCHEDULES = dict.fromkeys(("schedule", "scheduler"), "rules run with every build")
# Keys that mean something for one kind of rule only; elsewhere they would be ignored.
_KEYS = {
    RuleKind.LIBRARY: {"metric", "arguments", "unit", *OPERATORS},
    RuleKind.SQL: {"query", "unit", *OPERATORS},
    RuleKind.CUSTOM: {"engine", "implementation"},
    RuleKind.TEXT: set[str](),
}
_WRITE = "write it with a metric of the library, or as `type: sql`"
_OF_THE_BUILT = "what is usual is told of what a product builds, not of what it reads"
_WHERE = "say it in the contract of the output port"
_OWNED = {"metric", "arguments", "unit", "query", "engine", "implementation", *OPERATORS}
_ARGUMENTS = {
    Metric.NULL_VALUES: (),
    Metric.MISSING_VALUES: ("missingValues",),
    Metric.INVALID_VALUES: ("validValues", "pattern"),
    Metric.DUPLICATE_VALUES: ("properties",),
    Metric.ROW_COUNT: (),
}


def read_rules(
    nodes: list[Node], target: Target, problems: list[Problem], extras: Extras
) -> tuple[Rule, ...]:
    """Return the rules of one `quality` list; what cannot be run is a problem."""
    found: list[Rule] = []
    taken: set[str] = set()
    for position, node in enumerate(nodes, 1):
        rule = read_rule(node, target, problems)
        if rule is None:
            continue
        rule = by_position(rule, node, position, taken)
        bound = rule_bound(extras.get(node.keys, {}).get(SETTING), rule, problems)
        found.append(replace(rule, quarantine=bound))
    return tuple(found)


def read_rule(
    node: Node, target: Target, problems: list[Problem], *, ours: bool = False
) -> Rule | None:
    """Return one rule, or None when there are problems with it.

    Args:
        node: the rule.
        target: what it stands under.
        problems: receives what is wrong.
        ours: it is written for this library, so that one that nobody executes is a mistake.
    """
    before = len(problems)
    node.refuse(_NEVER_READ | (_SCHEDULES if ours else {}), problems)
    kind = _kind(node)
    severity = read_severity(node, problems)
    if kind is None:
        return None
    engine = foreign_engine(node, problems) if kind is RuleKind.CUSTOM else ""
    # Of another engine's rule we do not know what its keys mean.
    for key in set[str]() if engine else _OWNED - _KEYS[kind]:
        child = node.child(key)
        if child is not None:
            problems.append(child.problem(f'has no meaning for a rule of type "{kind}"'))
    metric = _metric(node, target, problems) if kind is RuleKind.LIBRARY else None
    threshold = None
    if kind in {RuleKind.LIBRARY, RuleKind.SQL}:
        threshold = read_threshold(node, kind, metric, problems)
    arguments = _read_arguments(node, metric, target, problems) if metric else _Arguments()
    query, foreign = None, ""
    if kind is RuleKind.SQL:
        query, foreign = _query(node, target, problems)
    expectation, kwargs, usual = "", "", tuple[str, ...]()
    if kind is RuleKind.CUSTOM:
        if engine and ours:
            what = f'the engine "{engine}" is not supported yet'
            problems.append((node.child("engine") or node).problem(what, [ENGINE], _WRITE))
        elif engine:
            foreign = f'it is for the engine "{engine}"'
        elif is_own(node):
            threshold, usual = ZERO, read_usual(node, target.column, problems)
            if ours:
                problems.append(node.problem(_OF_THE_BUILT, [ENGINE], _WHERE))
        else:
            threshold = ZERO
            expectation, kwargs = read_expectation(node, target, problems)
    if kind is RuleKind.TEXT and not node.text("description"):
        problems.append(node.problem("a text rule needs a description"))
    if len(problems) > before:
        return None
    return Rule(
        name=name_of(node, expectation or (usual and USUAL) or metric or engine or kind, target),
        kind=kind,
        where=node.where,
        column=target.column,
        metric=metric,
        threshold=threshold,
        missing_values=arguments.missing,
        valid_values=arguments.valid,
        pattern=arguments.pattern,
        properties=arguments.properties,
        query=query,
        expectation=expectation,
        kwargs=kwargs,
        usual=usual,
        severity=severity,
        dimension=node.text("dimension"),
        description=node.text("description") or "",
        foreign=foreign,
        schedule=" ".join(t for k in reversed(tuple(_SCHEDULES)) if (t := node.text(k))),
    )


def _kind(node: Node) -> RuleKind | None:
    text = node.text("type")
    if text is None:
        return RuleKind.LIBRARY
    return RuleKind(text) if text in set(RuleKind) else None


def read_severity(node: Node, problems: list[Problem]) -> Severity:
    """Return what a failure means for publishing; absent means error."""
    child = node.child("severity")
    if child is None:
        return Severity.ERROR
    problem = child.choose(Severity)
    if problem:
        problems.append(problem)
        return Severity.ERROR
    return Severity(child.value) if isinstance(child.value, str) else Severity.ERROR


def _metric(node: Node, target: Target, problems: list[Problem]) -> Metric | None:
    child = node.child("metric")
    if child is None:
        problems.append(node.problem("needs a metric, or `type: sql` or `text`", Metric))
        return None
    if not isinstance(child.value, str) or child.value not in set(Metric):
        # Said here too: a metric that is no text slips through the schema's conditionals.
        problems.append(child.choose(Metric) or child.problem("must be a metric", Metric))
        return None
    metric = Metric(child.value)
    if metric is Metric.ROW_COUNT and target.column is not None:
        problems.append(child.problem("rowCount counts the rows of the relation, not of a column"))
        return None
    values = metric in {Metric.MISSING_VALUES, Metric.INVALID_VALUES}
    if values and target.logical in {"object", "array", "map", "vector"}:
        what = f"{metric} is not supported yet for a column of type {target.logical}"
        problems.append(child.problem(what, then="write it as a rule of type sql"))
        return None
    needs_column = metric not in {Metric.ROW_COUNT, Metric.DUPLICATE_VALUES}
    if needs_column and target.column is None:
        what = f"{metric} is a metric of a column"
        problems.append(child.problem(what, then="move the rule under the column it is about"))
        return None
    return metric


@dataclass(frozen=True, slots=True)
class _Arguments:
    missing: tuple[Scalar, ...] = ()
    valid: tuple[Scalar, ...] = ()
    pattern: str | None = None
    properties: tuple[str, ...] = ()


def _read_arguments(
    node: Node, metric: Metric, target: Target, problems: list[Problem]
) -> _Arguments:
    given = node.child("arguments") or Node(node.document, {}, (*node.keys, "arguments"))
    if not isinstance(given.value, dict):
        return _Arguments()
    allowed = _ARGUMENTS[metric]
    if metric is Metric.DUPLICATE_VALUES and target.column is not None:
        allowed = ()
    for key in given.value:
        if key not in allowed:
            child = given.child(key) or given
            what = f"{metric} here has no argument {key}{did_you_mean(key, allowed)}"
            problems.append(child.problem(what, allowed))
    readers: dict[Metric, Callable[[Node, Target, list[Problem]], _Arguments]] = {
        Metric.MISSING_VALUES: _missing,
        Metric.INVALID_VALUES: _invalid,
        Metric.DUPLICATE_VALUES: _duplicates,
    }
    reader = readers.get(metric)
    if reader is None or (metric is Metric.DUPLICATE_VALUES and target.column is not None):
        return _Arguments()
    return reader(given, target, problems)


def _missing(given: Node, target: Target, problems: list[Problem]) -> _Arguments:
    nodes = given.items("missingValues")
    if not nodes:
        what = "missingValues needs the list of values that stand for missing"
        problems.append(given.problem(what, then="use nullValues to count nulls only"))
    # Null always counts as missing, so naming it adds nothing.
    named = [node for node in nodes if node.value is not None]
    return _Arguments(missing=read_values(named, target.logical, problems))


def _invalid(given: Node, target: Target, problems: list[Problem]) -> _Arguments:
    valid, pattern = given.child("validValues"), given.child("pattern")
    if (valid is None) == (pattern is None):
        problems.append(given.problem("invalidValues needs one of validValues and pattern"))
        return _Arguments()
    if valid is not None:
        nodes = given.items("validValues")
        if not nodes:
            problems.append(valid.problem("must be a list with at least one value"))
        # Null is never invalid, so naming it adds nothing.
        named = [node for node in nodes if node.value is not None]
        return _Arguments(valid=read_values(named, target.logical, problems))
    assert pattern is not None  # noqa: S101 # exactly one of the two is given
    return _Arguments(pattern=read_pattern(pattern, target.logical, problems))


def read_pattern(node: Node, logical: str | None, problems: list[Problem]) -> str | None:
    """Return a regular expression that DuckDB can run on the column."""
    if not isinstance(node.value, str):
        problems.append(node.problem("must be text"))
        return None
    what = pattern_problem(node.value)
    if logical not in {None, "string"}:
        what = f"a pattern needs a column of type string, not {logical}"
    if what:
        problems.append(node.problem(what))
        return None
    return node.value


def _duplicates(given: Node, target: Target, problems: list[Problem]) -> _Arguments:
    nodes = given.items("properties")
    names = [node.value for node in nodes]
    if not names:
        problems.append(given.problem("duplicateValues needs the list `properties` of columns"))
    for node in nodes:
        if not isinstance(node.value, str):
            problems.append(node.problem("must be the name of a column"))
        elif names.count(node.value) > 1:
            problems.append(node.problem(f'the column "{node.value}" is given twice'))
        elif target.columns is not None and node.value not in target.columns:
            hint = did_you_mean(node.value, target.columns)
            problems.append(node.problem(f'no column "{node.value}"{hint}', target.columns))
    return _Arguments(properties=tuple(str(name) for name in names))


def _query(node: Node, target: Target, problems: list[Problem]) -> tuple[str | None, str]:
    """Return the query of a rule, or why it is one of another system."""
    child = node.child("query")
    if child is None or not isinstance(child.value, str):
        return None, ""  # the schema has reported it
    try:
        return rule_query(
            child.value, child.start, has_column=target.column is not None, own=target.relations
        ), ""
    except DeclarationError as error:
        if target.system:
            return None, f"it is SQL for {target.system} ({error.problems[0].what})"
        problems += [
            child.problem(problem.what, problem.choices, problem.next)
            if problem.where is None
            else Problem(
                problem.what, problem.where, child.problem("").key, problem.choices, problem.next
            )
            for problem in error.problems
        ]
        return None, ""
