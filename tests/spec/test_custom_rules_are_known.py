"""A custom rule names an expectation that exists, with arguments it takes, or it is an error."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from declared import Workspace, with_column_rule, with_expectation, with_rule

from dataops_mesh.spec.checks.check import Check, checks_of
from dataops_mesh.spec.checks.coverage import coverage
from dataops_mesh.spec.checks.measures import GreatExpectation
from dataops_mesh.spec.model import ZERO, Severity


def custom(name: str, kwargs: str = "", engine: str = "greatExpectations") -> str:
    given = f", kwargs: {{{kwargs}}}" if kwargs else ""
    return f"type: custom, engine: {engine}, implementation: {{type: {name}{given}}}"


def the_check(workspace: Workspace, *args: str, **kwargs: object) -> Check:
    product = workspace.load(*args, **kwargs)
    (found,) = [c for c in checks_of(product) if isinstance(c.measure, GreatExpectation)]
    assert coverage(product).declared == coverage(product).executable == 1
    return found


def test_the_column_need_not_be_said_twice(workspace: Workspace):
    rule = custom("expect_column_mean_to_be_between", "min_value: 1, max_value: 5000")
    found = the_check(workspace, contract=with_column_rule(f"{rule}, severity: warning", "number"))
    assert found.name == "extra_expect_column_mean_to_be_between"
    assert (found.threshold, found.severity) == (ZERO, Severity.WARNING)
    assert isinstance(found.measure, GreatExpectation)
    assert json.loads(found.measure.kwargs) == {
        "column": "extra",
        "min_value": 1,
        "max_value": 5000,
    }


@pytest.mark.parametrize(
    "engine", ["great-expectations", "GREAT_EXPECTATIONS", "greatExpectations"]
)
def test_a_rule_of_the_relation_names_its_columns(workspace: Workspace, engine: str):
    kwargs = "column_list: [seats, tail_number], mostly: 0.9"
    rule = custom("expect_compound_columns_to_be_unique", kwargs, engine)
    assert (
        the_check(workspace, contract=with_rule(rule)).name
        == "expect_compound_columns_to_be_unique"
    )


def test_incoming_data_may_be_asked_for_an_expectation(workspace: Workspace):
    rule = custom("expect_column_values_to_be_unique") + ", column: tailnum, id: one"
    assert the_check(workspace, with_expectation(rule)).name == "input_aircraft_csv_one"


def test_rows_that_are_not_expected_are_a_query_of_the_batch(workspace: Workspace):
    query = "'SELECT * FROM {batch} WHERE seats < 1'"
    rule = custom("unexpected_rows_expectation", f"unexpected_rows_query: {query}")
    the_check(workspace, contract=with_rule(rule))


ON_COLUMN = {
    custom("expect_column_mean_to_be_betwen"): 'did you mean "expect_column_mean_to_be_between"?',
    custom("ExpectColumnMeanToBeBetween"): 'no expectation "ExpectColumnMeanToBeBetween"',
    custom("expect_column_values_to_be_increasing"): "write it as a rule of `type: sql` with lag()",
    custom("expect_column_values_to_be_json_parseable"): "json_valid",
    custom("expect_column_values_to_be_dateutil_parseable"): "format: date",
    custom("expect_table_row_count_to_equal_other_table", "other_table_name: x"): "relationships",
    custom("expect_column_mean_to_be_between"): "asserts nothing without min_value or max_value",
    custom("expect_column_mean_to_be_between", "min_value: [1]"): "must be a number or text",
    custom("expect_column_mean_to_be_between", "min: 1"): 'unknown key "min"',
    custom("expect_column_mean_to_be_between", "min_value: 1, row_condition: x"): "row_condition",
    custom("expect_column_mean_to_be_between", "min_value: 1, column: seats"):
        'stands under the column "extra"',
    custom("expect_column_mean_to_be_between", "min_value: {$PARAMETER: x}"): "must be a number",
    custom("expect_column_values_to_be_unique", "mostly: 0"): "out of range",
    custom("expect_column_values_to_be_unique", "mostly: 2"): "out of range",
    custom("expect_column_values_to_be_in_set"): "is missing",
    custom("expect_column_values_to_match_regex"): "is missing",
    custom("expect_column_values_to_match_regex", "regex: '(?=a)'"): "lookahead",
    custom("expect_column_values_to_match_regex_list", "regex_list: [a, '[']"): "regular expression",
    custom("expect_column_values_to_not_be_outliers", "method: iqr"): "not one of the valid values",
    custom("expect_column_values_to_not_be_outliers"): "is missing",
    custom("expect_column_pair_values_to_be_equal", "column_A: extra, column_B: seets"):
        'no column "seets" (did you mean "seats"?)',
    custom("unexpected_rows_expectation", "unexpected_rows_query: select 1"): "does not read {batch}",
    custom("unexpected_rows_expectation",
           "unexpected_rows_query: 'select * from {batch}, read_csv(''/etc/passwd'')'"): "may read only",
    custom("unexpected_rows_expectation", "unexpected_rows_query: 'drop table {batch}'"): "SELECT",
    custom("expect_column_values_to_be_unique") + ", mustBe: 0": "has no meaning",
    custom("expect_column_values_to_be_unique") + ", unit: percent": "has no meaning",
    "type: custom, engine: greatExpectations, implementation: expect_column_to_exist": "not text",
    "type: custom, engine: greatExpectations, implementation: {}": "needs the `type`",
    "type: custom, engine: greatExpectations, implementation: {type: [a]}": "needs the `type`",
    "type: custom, engine: greatExpectations, implementation: {expectation_type: a}": "unknown key",
    "type: custom, engine: greatExpectations, implementation: "
    "{type: expect_column_to_exist, kwargs: [a]}": "must be a mapping",
    "type: custom, engine: greatExpectations": "is missing",
    custom("expect_column_to_exist", engine="greatexpectation"): "there is no engine",
}  # fmt: skip


@pytest.mark.parametrize("rule", ON_COLUMN)
def test_what_nobody_could_execute_is_an_error(workspace: Workspace, rule: str):
    problems = workspace.problems(contract=with_column_rule(rule, "number"))
    assert [str(p) for p in problems if ON_COLUMN[rule] in str(p)], problems
    assert all(p.where and p.where.line >= 14 for p in problems)


def test_an_expectation_of_a_column_needs_one(workspace: Workspace):
    (problem,) = workspace.problems(contract=with_rule(custom("expect_column_values_to_be_unique")))
    assert "column: is missing" in str(problem)


def test_loading_a_custom_rule_imports_no_great_expectations(workspace: Workspace):
    rule = custom("expect_column_values_to_be_unique")
    folder = workspace.write(contract=with_column_rule(rule))
    code = (
        "import sys; from pathlib import Path; from dataops_mesh.spec.loader import load_product\n"
        f"load_product(Path({str(folder)!r}), Path({str(workspace.root)!r}))\n"
        "assert 'great_expectations' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
