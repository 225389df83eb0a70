"""Derives the checks of a product from its contracts and input expectations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dataops_mesh.spec.checks.aside import with_quarantine
from dataops_mesh.spec.checks.check import Check, Stage
from dataops_mesh.spec.checks.constraints import column_checks, column_type, reference_check
from dataops_mesh.spec.checks.levels import sla_check
from dataops_mesh.spec.checks.making import fingerprint, having, must
from dataops_mesh.spec.checks.measures import (
    Duplicates,
    GreatExpectation,
    Measure,
    Missing,
    Nulls,
    OutsideSet,
    Query,
    RowCount,
    TableSchema,
    Unmatched,
    Unusual,
)
from dataops_mesh.spec.checks.withheld import with_secrets
from dataops_mesh.spec.model import (
    ZERO,
    Address,
    Column,
    Contract,
    InputPort,
    Metric,
    Operator,
    OutputPort,
    Product,
    Rule,
    RuleKind,
    Severity,
    Threshold,
)
from dataops_mesh.spec.names import new_columns
from dataops_mesh.spec.read.pact import check_name, power
from dataops_mesh.spec.read.sla import CHECKED

NOT_EMPTY = Threshold(Operator.GREATER_OR_EQUAL, 1)


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
        checks += _of_contract(output)
        checks += _pact_checks(product, output)
    return tuple(with_secrets(product, _scoped(product, check)) for check in checks)


def serializes(check: Check) -> bool:
    """Tell whether the check makes the publications of a partitioned product wait in line.

    Whether a key repeats across partitions depends on what the others publish meanwhile.
    """
    return check.table_wide and isinstance(check.measure, Duplicates)


def _scoped(product: Product, check: Check) -> Check:
    """Mark the checks of a partitioned port that must read all its partitions."""
    wide = _reads_all(product, check)
    return check if wide == check.table_wide else replace(check, table_wide=wide)


def _reads_all(product: Product, check: Check) -> bool:
    partitioning = product.partitioning
    if partitioning is None or check.stage is not Stage.OUTPUT:
        return False
    keys = isinstance(check.measure, Duplicates)
    if keys and partitioning.column in getattr(check.measure, "columns", ()):
        return False
    return keys or check.table_wide or check.name in CHECKED


def measure_of(rule: Rule) -> Measure | None:
    """Return what a rule measures; None for a rule that only people or another engine check."""
    column = rule.column or ""
    measure: Measure | None = None
    if rule.foreign:
        return None
    match rule.metric:
        case None if rule.kind is RuleKind.SQL:
            measure = Query(rule.query or "", rule.column)
        case None if rule.usual:
            measure = Unusual(rule.usual, column)
        case None if rule.kind is RuleKind.CUSTOM:
            measure = GreatExpectation(rule.expectation, rule.kwargs)
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
    if port.contract is not None:
        yield from _source_checks(port, port.contract, first)


def _source_checks(port: InputPort, contract: Contract, first: Address) -> Iterator[Check]:
    """Yield what the contract of a source says, as checks on what comes in.

    Names and types are not among them: a column that is gone or does not have its type is an
    error of reading. A column that the contract does not have is a warning, or its end.
    """
    new = Query(f"SELECT count(*) FROM {new_columns(port.name)}")
    power = Severity.ERROR if contract.closed else Severity.WARNING
    promised = OutputPort(first, contract, contract.where, contract.version)
    check = must(promised, "no_new_columns", new, contract.where, "conformity")
    told = "The delivery has the columns of the contract and no others."
    for one in (having(check, ZERO, power, told), *_of_contract(promised)):
        if isinstance(one.measure, TableSchema | Unusual):
            continue
        made = fingerprint(one.measure, one.threshold, one.severity, Stage.INPUT, port.name)
        name = f"input_{port.parameter}_{one.name}"
        yield replace(one, name=name, relation=port.name, stage=Stage.INPUT, fingerprint=made)


def _of_contract(port: OutputPort) -> list[Check]:
    """Return the checks of a contract; a rule goes before the constraint that says the same."""
    rules = list(_rule_checks(port))
    said = {check.fingerprint for _, check in rules}
    checks = []
    made = list(_constraints(port))
    for _, check in made:
        if check.fingerprint not in said:
            said.add(check.fingerprint)
            checks.append(check)
    every = [*checks, *(check for _, check in rules)]
    return list(with_quarantine(port, every, [*made, *rules]))


def _rule_checks(port: OutputPort) -> Iterator[tuple[Rule, Check]]:
    contract = port.contract
    for rule in (*(rule for c in contract.columns for rule in c.rules), *contract.rules):
        check = _of_rule(rule, port.address, str(port.address), Stage.OUTPUT, rule.name)
        if check is not None:
            yield rule, check


def _pact_checks(product: Product, port: OutputPort) -> Iterator[Check]:
    """Yield what consumers expect of the port; they read all its partitions."""
    for pact in (pact for pact in product.pacts if pact.port == port.address):
        for rule in pact.rules:
            name, relation = check_name(pact, rule), str(port.address)
            check = _of_rule(power(rule, pact), port.address, relation, Stage.OUTPUT, name)
            if check is not None:
                why = f"{pact.consumer} relies on it"
                description = f"{rule.description} ({why})" if rule.description else why
                yield replace(check, description=description, table_wide=True)


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


def _constraints(port: OutputPort) -> Iterator[tuple[Column | None, Check]]:
    """Yield what a contract says beside its rules, each with the column that says it."""
    contract = port.contract
    declared = TableSchema(tuple(column_type(column) for column in contract.columns))
    yield None, must(port, "schema", declared, contract.where, "conformity")
    if not contract.allow_empty:
        check = must(port, "not_empty", RowCount(), contract.where, "completeness")
        yield None, having(check, NOT_EMPTY, Severity.ERROR)
    if contract.key:
        key = Duplicates(contract.key)
        yield None, must(port, "primary_key", key, contract.where, "uniqueness")
    for column in contract.columns:
        for check in column_checks(port, column):
            yield column, check
    for one in contract.relationships:
        yield None, reference_check(port, one)
    for sla in contract.slas:
        level = sla_check(port, sla)
        if level is not None:
            yield None, level
