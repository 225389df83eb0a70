"""Policies for the least that a contract must promise of its data."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.policy.model import Finding, Options, Policy, Surroundings
from dataops_mesh.policy.place import at_contract
from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.checks.coverage import unexecuted
from dataops_mesh.spec.checks.measures import SetAside
from dataops_mesh.spec.model import (
    Column,
    ColumnOptions,
    Contract,
    Metric,
    Product,
    Severity,
    Threshold,
)
from dataops_mesh.spec.read.aside import bound_of
from dataops_mesh.spec.threshold import Number

_COMPLETENESS = (Metric.NULL_VALUES, Metric.MISSING_VALUES)


def _key(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    for port in product.outputs:
        if not port.contract.key:
            where = at_contract(port.contract, "schema", 0, "properties")
            what = f"{port.address} has no primary key"
            fix = "add `primaryKey: true` to the columns that identify a row"
            yield Finding(what, where, "schema[0].properties", fix)


def _completeness(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    for port in product.outputs:
        contract = port.contract
        rest = [column for column in contract.columns if column.key_position is None]
        if rest and not any(_is_complete(column) for column in rest):
            where = at_contract(contract, "schema", 0, "properties")
            what = f"no column of {port.address} outside the key must be filled"
            fix = "add `required: true`, or a rule with `metric: nullValues`"
            yield Finding(what, where, "schema[0].properties", fix)


def _row_count(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    for port in product.outputs:
        contract = port.contract
        if not any(rule.metric is Metric.ROW_COUNT for rule in contract.rules):
            where = at_contract(contract, "schema", 0, "quality")
            what = f"{port.address} says nothing of how many rows it has"
            fix = "add a rule with `metric: rowCount`"
            yield Finding(what, where, "schema[0].quality", fix)


def _critical(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    for port in product.outputs:
        for index, column in enumerate(port.contract.columns):
            if column.critical and not _is_checked(column, port.contract):
                what = (
                    f'nothing is checked of the critical column "{column.name}" of {port.address}'
                )
                fix = "add `required`, `logicalTypeOptions`, an `enum` or a quality rule"
                key = f"schema[0].properties[{index}].criticalDataElement"
                yield Finding(what, column.where, key, fix)


def _executed(product: Product, _options: Options, _around: Surroundings) -> Iterator[Finding]:
    fix = "write it as a metric, as `type: sql` or for Great Expectations, or take it out"
    for one in unexecuted(product):
        what = f"{one.of}: {one.what}"
        remark = one.severity is not Severity.ERROR
        yield Finding(what, one.where, "quality", fix, remark=remark)


def _few_set_aside(product: Product, options: Options, _around: Surroundings) -> Iterator[Finding]:
    most = [bound for bound in map(bound_of, options["most"]) if bound is not None]
    allowed = " or ".join(options["most"]) or "none"
    for check in checks_of(product):
        if isinstance(check.measure, SetAside) and not any(
            bound.unit is check.threshold.unit and bound.holds(_number(check.threshold))
            for bound in most
        ):
            rules = ", ".join(check.measure.rules)
            what = f"more rows of {check.port} than {allowed} may be set aside by {rules}"
            fix = "lower the bound, or let the rule refuse"
            yield Finding(what, check.where, "onFailure", fix)


def _number(threshold: Threshold) -> Number:
    value = threshold.value
    return value[1] if isinstance(value, tuple) else value


def _is_complete(column: Column) -> bool:
    return column.required or any(rule.metric in _COMPLETENESS for rule in column.rules)


def _is_checked(column: Column, contract: Contract) -> bool:
    """Tell whether a column has an expectation beyond being there and having its type."""
    if column.required or column.unique or column.key_position is not None or column.enum:
        return True
    if column.rules or column.options != ColumnOptions(timezone=column.options.timezone):
        return True
    named = [*(r.properties for r in contract.rules), *(r.columns for r in contract.relationships)]
    return any(column.name in names for names in named)


EXPECTATIONS = (
    Policy("primary_key", "without a key nobody can join, and duplicates are not seen", _key),
    Policy("completeness", "a column that may always be null promises nothing", _completeness),
    Policy("row_count", "half a delivery looks like a whole one", _row_count),
    Policy("critical_columns", "what is called critical is checked", _critical),
    Policy(
        "few_set_aside",
        "a port that may lack many rows promises little, and nobody looks",
        _few_set_aside,
        options={"most": ("5%", "1000 rows")},
    ),
    Policy(
        "rules_executed",
        "a rule that nobody executes protects nobody",
        _executed,
        severity=Severity.ERROR,
        keeps_severity=True,
    ),
)
