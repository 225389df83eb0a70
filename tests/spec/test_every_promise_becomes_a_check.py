"""What a contract promises is checked: under one name, once, with a stable fingerprint."""

from __future__ import annotations

from dataclasses import fields

import duckdb
import pytest
from declared import (
    CONTRACT,
    PRODUCT,
    Workspace,
    checks,
    replaced,
    with_column,
    with_column_rule,
    with_contract,
    with_expectation,
    with_rule,
)

from dataops_mesh.spec.checks.check import Stage, checks_of, declared_rules
from dataops_mesh.spec.checks.coverage import coverage
from dataops_mesh.spec.checks.measures import (
    ColumnType,
    Duplicates,
    Length,
    Missing,
    Nulls,
    OutsideSet,
    Query,
    Range,
    RowCount,
    TableSchema,
    Unmatched,
)
from dataops_mesh.spec.model import Operator, Severity, Threshold, Unit
from dataops_mesh.spec.types.physical import FAMILIES, TYPES, is_accepted, normalise


def test_the_shortest_contract_is_checked_too(workspace: Workspace):
    found = checks(workspace)
    assert {name: check.measure for name, check in found.items()} == {
        "schema": TableSchema(
            (
                ColumnType("tail_number", ("VARCHAR",), FAMILIES["string"]),
                ColumnType("seats", ("BIGINT",), FAMILIES["integer"]),
                ColumnType("seen_at", ("TIMESTAMP",), FAMILIES["timestamp"]),
            )
        ),
        "not_empty": RowCount(),
        "primary_key": Duplicates(("tail_number",)),
        "tail_number_required": Nulls("tail_number"),
    }
    assert found["not_empty"].threshold == Threshold(Operator.GREATER_OR_EQUAL, 1)
    assert {check.severity for check in found.values()} == {Severity.ERROR}
    assert {str(check.port) for check in found.values()} == {"fleet.aircraft"}
    assert {check.relation for check in found.values()} == {"fleet.aircraft"}


COLUMNS = {
    "required: true": ("extra_required", Nulls("extra")),
    "unique: true": ("extra_unique", Duplicates(("extra",))),
    "logicalTypeOptions: {minLength: 1}": ("extra_length", Length("extra", 1, None)),
    "logicalTypeOptions: {pattern: '^a$'}": ("extra_pattern", Unmatched("extra", "^a$")),
    "enum: [{value: a}, {value: b}]": ("extra_enum", OutsideSet("extra", ("a", "b"))),
}


@pytest.mark.parametrize("keys", COLUMNS)
def test_a_constraint_of_a_text_column_is_checked(workspace: Workspace, keys: str):
    name, measure = COLUMNS[keys]
    assert (
        checks(workspace, contract=with_column(f"logicalType: string, {keys}"))[name].measure
        == measure
    )


def test_a_physical_type_is_the_only_one_accepted(workspace: Workspace):
    found = checks(workspace, contract=with_column("logicalType: string, physicalType: varchar(3)"))
    assert found["schema"].measure.columns[-1] == ColumnType("extra", ("VARCHAR",))
    assert found["extra_length"].measure == Length("extra", None, 3)


RANGES = {
    "integer: {minimum: 0, exclusiveMaximum: 9}": Range("extra", 0, 9, False, True),
    "number: {exclusiveMinimum: 0.5}": Range("extra", 0.5, None, True, False),
    "date: {minimum: '2026-01-01'}": Range("extra", "2026-01-01", None),
}


@pytest.mark.parametrize("case", RANGES)
def test_bounds_are_checked(workspace: Workspace, case: str):
    logical, options = case.split(": ", 1)
    text = with_column(f"logicalType: {logical}, logicalTypeOptions: {options}")
    assert checks(workspace, contract=text)["extra_range"].measure == RANGES[case]


RULES = {
    "metric: nullValues, mustBe: 0": ("extra_null_values", Nulls("extra")),
    "metric: missingValues, arguments: {missingValues: [null, '']}, mustBe: 0": (
        "extra_missing_values",
        Missing("extra", ("",)),
    ),
    "metric: invalidValues, arguments: {validValues: [a]}, mustBe: 0": (
        "extra_invalid_values",
        OutsideSet("extra", ("a",)),
    ),
    "metric: invalidValues, arguments: {pattern: a+}, mustBe: 0": (
        "extra_invalid_values",
        Unmatched("extra", "a+"),
    ),
    "metric: duplicateValues, mustBe: 0, name: No Twins!": ("no_twins", Duplicates(("extra",))),
    "type: sql, query: 'select count(${column}) from ${table};', mustBe: 0, id: mine": (
        "mine",
        Query("select count({property}) from {object}", "extra"),
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_a_column_is_a_check(workspace: Workspace, rule: str):
    name, measure = RULES[rule]
    assert checks(workspace, contract=with_column_rule(rule))[name].measure == measure


def test_a_rule_of_the_relation_is_a_check(workspace: Workspace):
    rule = (
        "metric: duplicateValues, arguments: {properties: [seats, seen_at]}, "
        "mustBeLessThan: 5, unit: percent, severity: warning, dimension: uniqueness"
    )
    check = checks(workspace, contract=with_rule(rule))["duplicate_values"]
    assert check.measure == Duplicates(("seats", "seen_at"))
    assert check.threshold == Threshold(Operator.LESS, 5, Unit.PERCENT)
    assert (check.severity, check.dimension) == (Severity.WARNING, "uniqueness")


def test_a_composite_key_keeps_its_order(workspace: Workspace):
    text = replaced(
        with_column("logicalType: string, primaryKey: true, primaryKeyPosition: 1"),
        "primaryKey: true}",
        "primaryKey: true, primaryKeyPosition: 2}",
    )
    found = checks(workspace, contract=text)
    assert found["primary_key"].measure == Duplicates(("extra", "tail_number"))
    assert {"extra_required", "tail_number_required"} <= found.keys()


def test_the_same_assertion_is_not_checked_twice(workspace: Workspace):
    keys = "logicalType: string, primaryKey: true, required: true, unique: true"
    text = CONTRACT.replace("logicalType: string, primaryKey: true", keys)
    assert "tail_number_unique" not in checks(workspace, contract=text)
    said = with_column_rule("metric: nullValues, mustBe: 0, id: mine")
    said = replaced(said, "logicalType: string\n", "logicalType: string\n        required: true\n")
    found = checks(workspace, contract=said)
    assert "mine" in found
    assert "extra_required" not in found


def test_an_empty_port_is_allowed_only_by_its_contract(workspace: Workspace):
    text = with_contract(
        "customProperties: [{property: allowEmpty, vendor: dataops_mesh, value: true}]\n"
    )
    assert "not_empty" not in checks(workspace, contract=text)


def test_an_expectation_is_checked_before_the_transform(workspace: Workspace):
    text = with_expectation("metric: nullValues, column: tailnum, mustBe: 0, id: known")
    check = checks(workspace, text)["input_aircraft_csv_known"]
    assert (check.stage, check.relation) == (Stage.INPUT, "aircraft_csv")
    assert (str(check.port), check.measure) == ("fleet.aircraft", Nulls("tailnum"))


def test_a_fingerprint_changes_with_what_decides_the_outcome(workspace: Workspace):
    rule = "metric: rowCount, mustBe: 5, id: r"
    prints = {
        checks(workspace, contract=with_rule(text))["r"].fingerprint
        for text in (rule, rule.replace("5", "6"), rule + ", severity: info")
    }
    assert len(prints) == 3
    again = checks(workspace, contract=with_rule(rule + ", description: words"))["r"]
    assert again.fingerprint in prints
    assert len(again.fingerprint) == 16


def test_text_rules_count_as_declared_and_not_as_checked(workspace: Workspace):
    text = (
        with_rule("type: text, description: d, id: note")
        + "      - {metric: rowCount, mustBe: 1}\n"
    )
    product = workspace.load(contract=text)
    found = coverage(product)
    assert (found.declared, found.executable, found.text) == (2, 1, ("note",))
    assert declared_rules(product) == len(checks_of(product)) + 1


def test_a_new_contract_has_a_new_fingerprint(workspace: Workspace):
    first = workspace.load()
    layout = workspace.load(contract="# a comment\n" + CONTRACT)
    edited = workspace.load(contract=with_contract("status: draft\n"))
    prints = [p.outputs[0].contract.fingerprint for p in (first, layout, edited)]
    assert prints[0] == prints[1] != prints[2]
    assert first.fingerprint == layout.fingerprint != edited.fingerprint


def test_every_type_name_is_one_that_duckdb_knows():
    with duckdb.connect() as connection:
        for alias, name in TYPES.items():
            if name == "ENUM":
                continue
            row = connection.execute(f"SELECT typeof(CAST(NULL AS {alias}))").fetchone()
            assert is_accepted(row[0], (normalise(alias),)), alias


def test_the_product_keeps_what_was_declared(workspace: Workspace):
    text = (
        PRODUCT
        + "name: Aircraft\nversion: 2.1.0\nstatus: draft\ntags: [gold]\n"
        + "description: {purpose: p, usage: u, limitations: l}\n"
        + "team: {name: t, members: [{username: a@b.test, role: owner}]}\n"
        + "support: [{channel: c, url: 'https://a.test', tool: slack}]\n"
        + "outputPorts: [{name: aircraft, version: 1.1.0, description: d, deprecated: true}]\n"
    )
    product = workspace.load(text)
    assert (product.title, product.version, product.status) == ("Aircraft", "2.1.0", "draft")
    assert (product.description, product.usage, product.limitations) == ("p", "u", "l")
    assert product.team is not None
    assert product.team.members[0].role == "owner"
    assert product.support[0].tool == "slack"
    (port,) = product.outputs
    assert (port.version, port.description, port.deprecated) == ("1.1.0", "d", True)
    assert hash(product) is not None
    assert {field.name for field in fields(product)} >= {"inputs", "outputs"}
