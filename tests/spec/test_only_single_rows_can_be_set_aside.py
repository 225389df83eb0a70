"""`onFailure` where no single row is wrong, or nobody may set rows aside, is an error with its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from helpers import a_contract, a_product, a_setting, a_source, product, write_workspace

from dataops_mesh.errors import DeclarationError
from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.predicate import row_condition

KEY = "{name: id, logicalType: integer, primaryKey: true}"


def aside(most: str = "1%") -> str:
    setting = f"{{property: onFailure, vendor: dataops_mesh, value: {{quarantine: {most}}}}}"
    return f"customProperties: [{setting}]"


def load(root: Path, columns: list[str], *rules: str, more: str = "", **content: str):
    made = a_product(
        {"orders": a_contract("orders", columns, *rules) + more},
        inputs=[content.pop("source", a_source("orders_csv", "orders.csv"))],
        files={"orders.sql": "from orders_csv", "orders.csv": "id\n1\n", **content},
    )
    return product(write_workspace(root, {"shop": {"orders": made}}), "shop.orders")


def said(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(DeclarationError) as caught:
        load(*args, **kwargs)
    (problem,) = caught.value.problems
    assert re.match(r"domains/shop/orders/.*\.yaml:\d+: .*", str(problem))
    return str(problem)


RULES = {
    "metric: rowCount, mustBe: 0": "a number of rows is not wrong in any single row",
    "metric: duplicateValues, arguments: {properties: [id]}, mustBe: 0":
        "of a key that repeats no single row is wrong",
    "type: sql, query: 'select sum(id) from {object}', mustBe: 0": "does not say which rows",
    "type: sql, query: 'select count(*) from {object} where id > (select 1)', mustBe: 0":
        "does not say which rows",
    "type: sql, query: 'select count(*) from {object} where id > 1 group by id', mustBe: 0":
        "does not say which rows",
    "type: sql, query: 'select count(id) from {object} where id > 1', mustBe: 0":
        "does not say which rows",
    "type: sql, query: 'select count(*) from {object} where id > 1', mustBe: 2": "mustBe: 0",
    "type: sql, query: 'select count(*) from {object} where id > 1', mustBe: 0, severity: warning":
        "stops no row",
    "type: custom, engine: greatExpectations, implementation: "
    "{type: expect_column_values_to_be_unique, kwargs: {column: id}}": "Great Expectations",
    "type: text, description: be good": "nobody executes",
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_not_about_single_rows(tmp_path, rule):
    assert RULES[rule] in said(tmp_path, [KEY], f"{{{rule}, {aside()}}}")


@pytest.mark.parametrize(
    "most", ["0%", "0 rows", "100.1%", "3", "many", "-1%", "1e2 rows", "1.5 rows"]
)
def test_a_bound_is_a_share_or_a_number_of_rows(tmp_path, most):
    column = f"{{name: n, logicalType: integer, required: true, {aside(most)}}}"
    text = said(tmp_path, [KEY, column])
    assert "how many rows may be set aside at most" in text
    assert "valid: 1%, 0.5%, 100 rows" in text


def test_a_bound_is_required(tmp_path):
    column = aside().replace("{quarantine: 1%}", "{}")
    text = said(tmp_path, [KEY, f"{{name: n, logicalType: integer, required: true, {column}}}"])
    assert "quarantine: is missing" in text


def test_a_column_of_which_nothing_is_said_of_single_rows(tmp_path):
    column = f"{{name: n, logicalType: integer, unique: true, {aside()}}}"
    assert "about single rows" in said(tmp_path, [KEY, column])


def test_the_column_that_says_why_is_nobody_elses(tmp_path):
    columns = [f"{{name: n, logicalType: integer, required: true, {aside()}}}"]
    columns += ["{name: Mesh_Rules, logicalType: string}"]
    assert "says why a row was set aside" in said(tmp_path, [KEY, *columns])


def test_rows_that_come_in_are_not_set_aside(tmp_path):
    column = f"{{name: id, logicalType: integer, required: true, {aside()}}}"
    contract = a_contract("orders_csv", [column])
    text = said(tmp_path, [KEY], **{"inputs/orders_csv.odcs.yaml": contract})
    assert "not of a source's contract" in text
    rule = f"{{metric: nullValues, column: id, mustBe: 0, {aside()}}}"
    source = a_source("orders_csv", "orders.csv", rule)
    (tmp_path / "domains/shop/orders/inputs/orders_csv.odcs.yaml").unlink()
    assert "not of an expectation" in said(tmp_path, [KEY], source=source)


def test_what_can_be_told_of_rows_is_marked_and_bounded(tmp_path):
    column = (
        "{name: n, logicalType: integer, required: true, unique: true, "
        f"logicalTypeOptions: {{minimum: 1, multipleOf: 2}}, {aside('2.50%')}}}"
    )
    rule = f"{{name: low, type: sql, query: 'select count(*) from orders where n < 9', mustBe: 0, {aside('1 row')}}}"
    day = "{name: day, logicalType: date, required: true, partitioned: true}"
    cut = "{cadence: daily, start: '2026-01-01', onFailure: {quarantine: 3 rows}}"
    more = "customProperties:\n" + a_setting("partitions", cut)
    checks = {
        one.name: one for one in checks_of(load(tmp_path, [KEY, column, day], rule, more=more))
    }
    assert {name for name, one in checks.items() if one.sets_aside} == {
        "n_required", "n_range", "n_multiple", "low",
    }  # fmt: skip
    bounds = {name: str(one.threshold) for name, one in checks.items() if name.startswith("quar")}
    assert bounds == {
        "quarantine_n": "mustBeLessOrEqualTo 2.50 percent",
        "quarantine_low": "mustBeLessOrEqualTo 1",
        "quarantine_in_partition": "mustBeLessOrEqualTo 3",
    }


CONDITIONS = {
    "select count(*) from {object} where a < 0;": "a < 0",
    "SELECT COUNT(*) FROM {object} AS o WHERE o.a < 0 -- low": "o.a < 0 -- low",
    "with x as (select 1) select count(*) from {object} where a < 0": None,
    "select count(*) from {object}": None,
    "select count(*) from {object} where a < 0 limit 1": None,
    "select distinct count(*) from {object} where a < 0": None,
    "select count(*) from {object} join {object} b on true where a < 0": None,
    "select count(*) from (from {object}) where a < 0": None,
    "select count(*) from {object} where max(a) over () > 1": None,
    "select count(*) from {object} where exists (from {object})": None,
    "select count(*) filter (a > 1) from {object} where a < 0": None,
    "select count(*) + 1 from {object} where a < 0": None,
    "select count(*) from {object} tablesample 10% where a < 0": None,
    "select count(*) from {object} where list_filter(b, x -> x > 1) = [] and '(' <> '' ":
        "list_filter(b, x -> x > 1) = [] and '(' <> ''",
    "select count(*) from {object} where {property} is null": "{property} is null",
}  # fmt: skip


@pytest.mark.parametrize("query", CONDITIONS)
def test_only_a_plain_count_of_rows_says_which_rows(query):
    found = row_condition(query)
    assert (found.condition if found else None) == CONDITIONS[query]


@pytest.mark.parametrize(
    "condition",
    [
        *("random() < 0.4", "hash(random()) = 1", "uuid() > 'a'", "gen_random_uuid() = x"),
        *("now() < at", "current_timestamp < at", "current_date = day", "today() = day"),
        *("localtimestamp > at", "get_current_timestamp() > at", "nextval('s') > 1"),
    ],
)
def test_a_condition_that_changes_from_one_look_to_the_next_sets_nothing_aside(condition):
    assert row_condition(f"select count(*) from {{object}} where {condition}") is None
    assert row_condition("select count(*) from {object} where mesh_now() < at") is not None
