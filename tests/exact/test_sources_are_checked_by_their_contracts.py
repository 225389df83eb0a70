"""The rules of a source's contract are checked first; a contract that does not fit is placed."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_contract, a_product, a_source, product, write_workspace
from source_contract_cases import PARSED, published, written

from dataops_mesh.errors import DeclarationError
from dataops_mesh.gate import Refuse

RULES = {
    "a constraint": ("{name: v, logicalType: string, required: true}", ()),
    "unique": ("{name: v, logicalType: string, unique: true}", ()),
    "a bound": ("{name: v, logicalType: string, logicalTypeOptions: {maxLength: 1}}", ()),
    "a library rule": (("{name: v, logicalType: string, quality: [{id: few, metric: "
                       "nullValues, mustBe: 0}]}"), ()),
    "a SQL rule": ("{name: v, logicalType: string}",
                   ("{id: few, type: sql, query: 'select count(*) from {object}', mustBe: 2}",)),
    "a custom rule": ("{name: v, logicalType: string}",
                      (("{id: few, type: custom, engine: greatExpectations, implementation: "
                       "{type: expect_table_row_count_to_equal, kwargs: {value: 2}}}"),)),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
def test_a_rule_of_the_source_refuses_before_anything_is_built(tmp_path: Path, case: str):
    column, rules = RULES[case]
    report, _ = published(tmp_path, "k,v\n1,\n2,aa\n3,aa\n", column, rules=rules, port=(
        "{name: v, logicalType: string}"
    ))  # fmt: skip
    assert isinstance(report.decision, Refuse)
    assert all("input_src_" in reason for reason in report.decision.reasons)
    assert not report.ports


def test_a_rule_of_the_source_that_only_warns_publishes(tmp_path: Path):
    rule = "{id: few, metric: rowCount, mustBe: 2, severity: warning}"
    report, found = published(
        tmp_path, "k,v\n1,a\n", "{name: v, logicalType: string}", rules=(rule,)
    )
    assert found == ["a"]
    assert any("input_src_few" in warning for warning in report.decision.warnings)


def test_a_delivery_without_rows_needs_the_contracts_word(tmp_path: Path):
    report, _ = published(tmp_path, "k,v\n", "{name: v, logicalType: string}")
    assert isinstance(report.decision, Refuse)
    assert "input_src_not_empty" in str(report.decision.reasons)


WRONG = {
    "of no input": ({"inputs/scr.odcs.yaml": a_contract("scr", PARSED[:1])},
                    "inputs/scr.odcs.yaml:1: is the contract of no input port"),
    "a wrong key": ({"inputs/src.odcs.yaml": a_contract("src", ["{name: k, logicalTyp: date}"])},
                    "inputs/src.odcs.yaml:8"),
    "no YAML": ({"inputs/src.odcs.yaml": "a: ["}, "inputs/src.odcs.yaml:"),
    "partitions": ({"inputs/src.odcs.yaml": a_contract("src", PARSED[:1], extra="customProperties:"
                    "\n  - {property: partitions, vendor: dataops_mesh, value: {values: [a]}}\n")},
                   "partitions is a setting of an output port's contract"),
    "a width": ({"inputs/src.odcs.yaml": a_contract("src", [
        "{name: k, logicalType: number, physicalType: DECIMAL}"])}, "say how wide it is"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_contract_that_does_not_fit_is_placed(tmp_path: Path, case: str):
    files, said = WRONG[case]
    made = a_product(
        {"p": ["{name: k, logicalType: integer}"]},
        inputs=[a_source("src", "src.csv")],
        files={"p.sql": "select * from src", "src.csv": "k\n1\n", **files},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    with pytest.raises(DeclarationError) as error:
        product(settings, "d.p")
    assert said in str(error.value)


def test_options_and_a_contract_do_not_both_say_the_columns(tmp_path: Path):
    settings = written(
        tmp_path, "k,v\n1,a\n", "{name: v, logicalType: string}", more="options: {types: {v: DATE}}"
    )
    with pytest.raises(DeclarationError, match="so does the option types"):
        product(settings, "d.p")


def test_the_setting_of_a_source_means_nothing_in_an_output_port(tmp_path: Path):
    setting = "{property: dateformat, vendor: dataops_mesh, value: '%d/%m/%Y'}"
    column = f"{{name: k, logicalType: date, customProperties: [{setting}]}}"
    made = a_product({"p": [column]}, files={"p.sql": "select date '2026-01-01' as k"})
    settings = write_workspace(tmp_path, {"d": {"p": made}})
    with pytest.raises(DeclarationError, match="dateformat is a setting of a source's column"):
        product(settings, "d.p")


def test_an_edit_of_the_contract_of_a_source_is_another_product(tmp_path: Path):
    column = "{name: v, logicalType: string}"
    first = product(written(tmp_path, "k,v\n", column), "d.p").fingerprint
    again = written(tmp_path, "k,v\n", column.replace("}", ", required: true}"))
    assert product(again, "d.p").fingerprint != first
