"""What a contract demands of fields, items and values inside a column is checked on every row."""

from __future__ import annotations

import pytest
from helpers import a_product, environment, product, run, write_workspace

from dataops_mesh.errors import DeclarationError
from dataops_mesh.spec.checks.check import Outcome, checks_of
from dataops_mesh.spec.checks.coverage import unexecuted
from dataops_mesh.spec.model import Severity
from dataops_mesh.spec.predicate import row_condition
from dataops_mesh.store.manifest import read_manifest

SHAPE = """{name: basket, logicalType: object, classification: restricted, properties: [
  {name: sku, logicalType: string, required: true, physicalType: varchar(3), logicalTypeOptions: {pattern: '^[a-z@]+$'}},
  {name: 'the mail', logicalType: string, logicalTypeOptions: {format: email}},
  {name: day, logicalType: date, logicalTypeOptions: {minimum: '2026-01-01'}},
  {name: tags, logicalType: array, logicalTypeOptions: {maxItems: 2}, items: {logicalType: string, required: true, enum: [{value: a}, {value: '{object}'}]}},
  {name: prices, logicalType: map, map: {key: {logicalType: string, logicalTypeOptions: {minLength: 2}}, value: {logicalType: number, logicalTypeOptions: {minimum: 0.1}}}},
  {name: lines, logicalType: array, items: {logicalType: object, properties: [
    {name: n, logicalType: integer, required: true, logicalTypeOptions: {exclusiveMaximum: 9}}]}}]}"""
GOOD = {
    "sku": "'ab@'", "the mail": "'a@b.test'", "day": "date '2026-01-01'", "tags": "['a', '{object}']",
    "prices": "map {'eur': 0.1::double}", "lines": "[{n: 8::bigint}, NULL]",
}  # fmt: skip
# What stands instead -> the one check that fails.
BAD = {
    "sku": {"NULL": "basket__sku_required", "'abcd'": "basket__sku_length", "'A'": "basket__sku_pattern"},
    "the mail": {"'nobody'": "basket__the_mail_format"},
    "day": {"date '2025-12-31'": "basket__day_range"},
    "tags": {
        "['a', NULL]": "basket__tags_item_required",
        "['b']": "basket__tags_item_enum",
        "['a', 'a', 'a']": "basket__tags_items",
    },
    "prices": {
        "map {'e': 1::double}": "basket__prices_key_length",
        "map {'eur': 0.09::double}": "basket__prices_value_range",
    },
    "lines": {
        "[{n: 8::bigint}, {n: NULL::bigint}]": "basket__lines_item_n_required",
        "[{n: 9::bigint}]": "basket__lines_item_n_range",
    },
}  # fmt: skip
ROWS = [{}, *({name: text} for name, texts in BAD.items() for text in texts)]


def outcomes(root, rows: list[str]) -> dict[str, Outcome]:
    files = a_product(
        {"orders": ["{name: n, logicalType: integer, primaryKey: true}", SHAPE]},
        files={"orders.sql": " union all ".join(rows)},
    )
    settings = write_workspace(root, {"shop": {"orders": files}})
    report = run(settings, "shop.orders")
    manifest = read_manifest(environment(settings).store, report.candidate)
    return {result.check: result.outcome for result in manifest.results}


def row(n: int, **instead: str) -> str:
    fields = ", ".join(f'"{name}": {text}' for name, text in (GOOD | instead).items())
    return f"select {n}::bigint as n, {{{fields}}} as basket"


def test_good_rows_and_rows_without_any_value_pass(tmp_path):
    nothing = row(2, **dict.fromkeys((*GOOD,), "NULL")).replace('"sku": NULL', "\"sku\": 'a'")
    none = "select 3::bigint, NULL"
    found = outcomes(tmp_path, [row(1), nothing, none])
    assert set(found.values()) == {Outcome.PASSED}, found
    assert len([name for name in found if name.startswith("basket__")]) == 12


def test_each_wrong_row_breaks_its_check_and_no_other(tmp_path):
    for name, texts in BAD.items():
        for n, (text, check) in enumerate(texts.items()):
            root = tmp_path / f"{name}{n}".replace(" ", "_")
            root.mkdir()
            found = outcomes(root, [row(1), row(2, **{name: text})])
            failed = {one for one, outcome in found.items() if outcome is not Outcome.PASSED}
            assert failed == {check}


def test_every_demand_inside_can_set_a_row_aside(tmp_path):
    files = a_product({"orders": [SHAPE]}, files={"orders.sql": "select 1 as n"})
    (port,) = product(write_workspace(tmp_path, {"shop": {"orders": files}}), "shop.orders").outputs
    (column,) = port.contract.columns
    for one in column.inside:
        query = f"SELECT count(*) FROM {{object}} WHERE {one.broken}"
        condition = row_condition(query)
        assert condition is not None, one
        assert condition.condition == one.broken


LEFT = """{name: basket, logicalType: array, items: {logicalType: object, properties: [
  {name: sku, logicalType: string, unique: true, quality: [
    {id: known, metric: nullValues, mustBe: 0, severity: warning}, {type: text, description: d}]},
  {name: n, logicalType: integer, logicalTypeOptions: {multipleOf: 5}}]}}"""


def a_port(root, column: str):
    files = a_product({"orders": [column]}, files={"orders.sql": "select 1 as n"})
    return product(write_workspace(root, {"shop": {"orders": files}}), "shop.orders")


def test_what_has_no_check_inside_is_told(tmp_path):
    found = unexecuted(a_port(tmp_path, LEFT))
    assert [(one.what.split("`")[1] if "`" in one.what else "rule", one.severity) for one in found] == [
        ("unique", Severity.ERROR), ("rule", Severity.WARNING), ("multipleOf", Severity.ERROR),
    ]  # fmt: skip
    assert not [c for c in checks_of(a_port(tmp_path, LEFT)) if c.name.startswith("basket_")]


def test_a_column_is_as_secret_as_what_is_inside(tmp_path):
    inner = "{name: a, logicalType: string, classification: restricted}"
    (column,) = (
        a_port(tmp_path, f"{{name: b, logicalType: object, properties: [{inner}]}}")
        .outputs[0]
        .contract.columns
    )
    assert column.classification == "restricted"
    public = f"{{name: b, classification: public, logicalType: object, properties: [{inner}]}}"
    with pytest.raises(DeclarationError, match="classify the whole column as restricted"):
        a_port(tmp_path, public)


def test_values_of_a_type_inside_are_text_that_is_checked(tmp_path):
    values = "enum('x', 'y')"
    for n, written in enumerate(
        (
            f'items: {{logicalType: string, physicalType: "{values}"}}',
            f'physicalType: "array<{values}>", items: {{logicalType: string}}',
        )
    ):
        column = f"{{name: v, logicalType: array, {written}}}"
        for value, failed in (("x", set()), ("z", {"v__item_enum"})):
            root = tmp_path / f"{value}{n}"
            root.mkdir()
            files = a_product(
                {"orders": [column]}, files={"orders.sql": f"select ['{value}'] as v"}
            )
            settings = write_workspace(root, {"shop": {"orders": files}})
            report = run(settings, "shop.orders")
            results = read_manifest(environment(settings).store, report.candidate).results
            assert {one.check for one in results if one.outcome is not Outcome.PASSED} == failed


# What a column says -> the values that it takes, and those that it does not: by the nearest float.
FLOATS = {
    "logicalTypeOptions: {exclusiveMinimum: 0.3}": (["0.31"], ["0.3", "'nan'"]),
    "logicalTypeOptions: {minimum: 0.3}": (["0.3", "'inf'"], ["0.29", "'nan'"]),
    "logicalTypeOptions: {maximum: 0.3}": (["0.3"], ["0.31", "'nan'"]),
    "logicalTypeOptions: {exclusiveMaximum: 0.3}": (["0.29"], ["0.3"]),
    "logicalTypeOptions: {maximum: 1.0e+300}": (["3e38"], ["'inf'"]),
    "enum: [{value: 0.1}, {value: 7}]": (["0.1", "7"], ["0.2"]),
}


@pytest.mark.parametrize("kind", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("said", FLOATS)
def test_a_number_inside_is_compared_as_a_column_of_its_type_is(tmp_path, said: str, kind: str):
    part = f"logicalType: number, physicalType: {kind}, {said}"
    spelled = f"logicalType: number, {said}"
    columns = [
        "{name: k, logicalType: integer, primaryKey: true}",
        f"{{name: plain, {part}}}",
        f"{{name: items, logicalType: array, items: {{{part}}}}}",
        f"{{name: spelled, logicalType: array, physicalType: '{kind}[]', items: {{{spelled}}}}}",
        f"{{name: parts, logicalType: object, properties: [{{name: a, {part}}}]}}",
    ]
    good, bad = FLOATS[said]
    values = [f"{value}::{kind}" for value in (*good, *bad)]
    rows = [
        f"select {k} as k, {value} as plain, [{value}, NULL] as items, [{value}] as spelled, "
        f"{{a: {value}}} as parts"
        for k, value in enumerate([*values, f"NULL::{kind}"])
    ]
    files = a_product({"orders": columns}, files={"orders.sql": " union all ".join(rows)})
    report = run(write_workspace(tmp_path, {"shop": {"orders": files}}), "shop.orders")
    end = "enum" if said.startswith("enum") else "range"
    found = {one.check: one.observed for one in report.results if one.check.endswith(end)}
    assert found == dict.fromkeys(
        (f"plain_{end}", f"items__item_{end}", f"spelled__item_{end}", f"parts__a_{end}"), len(bad)
    )
