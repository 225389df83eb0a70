"""Derives the checks of a product from its contracts and input expectations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from dataops_mesh.errors import Location
from dataops_mesh.spec.checks import (
    Check,
    ColumnSet,
    ColumnType,
    Duplicates,
    Length,
    Measure,
    Missing,
    Nulls,
    OutsideSet,
    Query,
    Range,
    RowCount,
    Stage,
    Unmatched,
    Unreferenced,
)
from dataops_mesh.spec.model import (
    ZERO,
    Address,
    Column,
    InputPort,
    Metric,
    Operator,
    OutputPort,
    Product,
    Relationship,
    Rule,
    RuleKind,
    Severity,
    Sla,
    Threshold,
)
from dataops_mesh.spec.physical import accepted_types
from dataops_mesh.spec.sla import hours
from dataops_mesh.spec.yaml import digest

FRESHNESS = "freshness"
NOT_EMPTY = Threshold(Operator.GREATER_OR_EQUAL, 1)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of a product's declared quality rules are executed.

    Args:
        declared: the quality rules of the contracts and of the input ports.
        executable: those that become checks.
        text: the names of the others, which only people can check.
    """

    declared: int
    executable: int
    text: tuple[str, ...]


def derive_checks(product: Product) -> tuple[Check, ...]:
    """Return the checks of a product: of its inputs, then of each port.

    A constraint that a rule of the same port says word for word (the same measure, threshold
    and severity) gives way to the rule.
    """
    checks: list[Check] = []
    if product.outputs:
        first = product.outputs[0].address
        for port in product.inputs:
            checks += _input_checks(port, first)
    for output in product.outputs:
        rules = list(_rule_checks(output))
        said = {check.fingerprint for check in rules}
        for check in _constraints(output):
            if check.fingerprint not in said:
                said.add(check.fingerprint)
                checks.append(check)
        checks += rules
    return tuple(_scoped(product, check) for check in checks)


def serializes(check: Check) -> bool:
    """Tell whether the check makes the publications of a partitioned product wait in line.

    Whether a key repeats across partitions depends on what the others publish meanwhile.
    """
    return check.table_wide and isinstance(check.measure, Duplicates)


def _scoped(product: Product, check: Check) -> Check:
    """Mark the checks of a partitioned port that must read all its partitions."""
    partitioning = product.partitioning
    if partitioning is None or check.stage is not Stage.OUTPUT:
        return check
    keys = isinstance(check.measure, Duplicates)
    wide = keys and partitioning.column not in getattr(check.measure, "columns", ())
    return replace(check, table_wide=wide or check.name == FRESHNESS)


def coverage(product: Product) -> Coverage:
    """Return how many of the declared rules are executed."""
    rules = [
        rule
        for port in product.outputs
        for rule in (*port.contract.rules, *(r for c in port.contract.columns for r in c.rules))
    ]
    rules += [rule for port in product.inputs for rule in port.expectations]
    text = tuple(rule.name for rule in rules if rule.kind is RuleKind.TEXT)
    return Coverage(len(rules), len(rules) - len(text), text)


def fingerprint(
    measure: Measure, threshold: Threshold, severity: Severity, stage: Stage, relation: str
) -> str:
    """Return the digest of everything that decides a check's outcome."""
    kind = type(measure).__name__
    return digest([kind, asdict(measure), asdict(threshold), severity, stage, relation])


def measure_of(rule: Rule) -> Measure | None:
    """Return what a rule measures; None for a rule that only people can check."""
    column = rule.column or ""
    measure: Measure | None = None
    match rule.metric:
        case None if rule.kind is RuleKind.SQL:
            measure = Query(rule.query or "", rule.column)
        case Metric.NULL_VALUES:
            measure = Nulls(column)
        case Metric.MISSING_VALUES:
            measure = Missing(column, rule.missing_values)
        case Metric.INVALID_VALUES if rule.pattern is not None:
            measure = Unmatched(column, rule.pattern)
        case Metric.INVALID_VALUES:
            measure = OutsideSet(column, rule.valid_values)
        case Metric.DUPLICATE_VALUES:
            measure = Duplicates((column,) if rule.column else rule.properties)
        case Metric.ROW_COUNT:
            measure = RowCount()
    return measure


def _input_checks(port: InputPort, first: Address) -> Iterator[Check]:
    for rule in port.expectations:
        check = _of_rule(rule, first, port.name, Stage.INPUT, f"input_{port.parameter}_{rule.name}")
        if check is not None:
            yield check


def _rule_checks(port: OutputPort) -> Iterator[Check]:
    contract = port.contract
    for rule in (*(rule for c in contract.columns for rule in c.rules), *contract.rules):
        check = _of_rule(rule, port.address, str(port.address), Stage.OUTPUT, rule.name)
        if check is not None:
            yield check


def _of_rule(rule: Rule, port: Address, relation: str, stage: Stage, name: str) -> Check | None:
    measure = measure_of(rule)
    if measure is None or rule.threshold is None:
        return None
    return Check(
        name=name,
        port=port,
        relation=relation,
        measure=measure,
        threshold=rule.threshold,
        severity=rule.severity,
        stage=stage,
        where=rule.where,
        fingerprint=fingerprint(measure, rule.threshold, rule.severity, stage, relation),
        dimension=rule.dimension,
        description=rule.description,
    )


def _constraints(port: OutputPort) -> Iterator[Check]:
    contract = port.contract
    names = tuple(column.name for column in contract.columns)
    yield _must(port, "schema", ColumnSet(names), contract.where, "conformity")
    if not contract.allow_empty:
        check = _must(port, "not_empty", RowCount(), contract.where, "completeness")
        yield _with(check, NOT_EMPTY, Severity.ERROR)
    if contract.key:
        yield _must(port, "primary_key", Duplicates(contract.key), contract.where, "uniqueness")
    for column in contract.columns:
        yield from _column_checks(port, column)
    for one in contract.relationships:
        yield _reference(port, one)
    for sla in contract.slas:
        if sla.property == "freshness" and sla.element:
            yield _freshness(port, sla)


def _column_checks(port: OutputPort, column: Column) -> Iterator[Check]:
    name, where, options = column.name, column.where, column.options
    accepted = (
        (column.physical_type,)
        if column.physical_type
        else accepted_types(column.logical_type, timezone=options.timezone)
    )
    yield _must(port, f"{name}_type", ColumnType(name, accepted), where, "conformity")
    if column.required or column.key_position is not None:
        yield _must(port, f"{name}_required", Nulls(name), where, "completeness")
    if column.unique:
        yield _must(port, f"{name}_unique", Duplicates((name,)), where, "uniqueness")
    if options.min_length is not None or options.max_length is not None:
        length = Length(name, options.min_length, options.max_length)
        yield _must(port, f"{name}_length", length, where, "conformity")
    bounds = _range(column)
    if bounds is not None:
        yield _must(port, f"{name}_range", bounds, where, "conformity")
    if options.pattern is not None:
        pattern = Unmatched(name, options.pattern)
        yield _must(port, f"{name}_pattern", pattern, where, "conformity")
    if column.enum:
        yield _must(port, f"{name}_enum", OutsideSet(name, column.enum), where, "conformity")


def _reference(port: OutputPort, one: Relationship) -> Check:
    # Without an address there is a problem, and no product.
    measure = Unreferenced(one.columns, one.address or Address("", one.relation), one.to)
    check = _must(port, one.name, measure, one.where, "consistency")
    return _with(check, one.threshold, one.severity)


def _range(column: Column) -> Range | None:
    options = column.options
    low = options.minimum if options.minimum is not None else options.exclusive_minimum
    high = options.maximum if options.maximum is not None else options.exclusive_maximum
    if low is None and high is None:
        return None
    return Range(
        column.name,
        low,
        high,
        exclusive_minimum=options.exclusive_minimum is not None,
        exclusive_maximum=options.exclusive_maximum is not None,
    )


def _must(port: OutputPort, name: str, measure: Measure, where: Location, dimension: str) -> Check:
    """Return a check that nothing may break."""
    relation = str(port.address)
    return Check(
        name=name,
        port=port.address,
        relation=relation,
        measure=measure,
        threshold=ZERO,
        severity=Severity.ERROR,
        stage=Stage.OUTPUT,
        where=where,
        fingerprint=fingerprint(measure, ZERO, Severity.ERROR, Stage.OUTPUT, relation),
        dimension=dimension,
    )


def _with(check: Check, threshold: Threshold, severity: Severity, description: str = "") -> Check:
    """Return the same check with another demand."""
    made = fingerprint(check.measure, threshold, severity, check.stage, check.relation)
    return replace(
        check, threshold=threshold, severity=severity, fingerprint=made, description=description
    )


def _freshness(port: OutputPort, sla: Sla) -> Check:
    # epoch() reads dates and naive timestamps as UTC, whatever the session's time zone. Where
    # there is no value at all, the data is as old as 1970: stale, and not an error.
    sql = (
        f'SELECT (epoch(mesh_now()) - coalesce(epoch(max("{sla.element}")), 0)) / 3600.0 '
        "FROM {object}"
    )
    threshold = Threshold(Operator.LESS_OR_EQUAL, hours(sla) or 0.0)
    check = _must(port, "freshness", Query(sql), sla.where, "timeliness")
    return _with(check, threshold, Severity.WARNING, f"Hours since the latest {sla.element}.")
