"""What a declaration says is read in one way, or is an error that says both."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    mesh,
    product,
    read,
    run,
    write_workspace,
)

from dataops_mesh.errors import DeclarationError, MeshError
from dataops_mesh.gate import Publish
from dataops_mesh.spec.read.yaml import parse_document

READINGS = {
    "0100": ["0100 is 64 to YAML 1.1 and 100 to people", "else 100 or 64"],
    "1:30": ["1:30 is 90 to YAML 1.1 and text to people", 'write "1:30" in quotes, or 90'],
    "17:00:00": ["17:00:00 is 61200", 'write "17:00:00" in quotes'],
    "1_000": ["1_000 is 1000 to YAML 1.1 and text"],
    "-010": ["-010 is -8 to YAML 1.1 and -10 to people", "else -10 or -8"],
}


@pytest.mark.parametrize("text", READINGS)
def test_a_number_with_two_readings_is_an_error_that_says_both(text: str):
    with pytest.raises(MeshError) as error:
        parse_document(f"a: {text}\n", "x.yaml")
    for said in READINGS[text]:
        assert said in str(error.value)


def test_a_number_keeps_its_digits_from_the_file_to_the_value():
    text = "a: 0.12345678901234567891\nb: 0.1\nc: 9007199254740993\nd: 1.50\n"
    data = parse_document(text, "x.yaml").data
    assert data["a"] == Decimal("0.12345678901234567891")
    assert (data["b"], data["c"], data["d"]) == (0.1, 9007199254740993, 1.5)


HINTS = {
    "mustBe: 1e6": "write it as 1000000",
    "name: on, mustBe: 1": 'write it in quotes: "on"',
}


@pytest.mark.parametrize("said", HINTS)
def test_a_hint_leads_to_a_right_file(tmp_path: Path, said: str):
    rule = f"{{metric: rowCount, {said}}}"
    text = a_contract("p", ["{name: v, logicalType: integer}"], rule)
    settings = write_workspace(
        tmp_path, {"d": {"p": a_product({"p": text}, files={"p.sql": "select 1 as v"})}}
    )
    with pytest.raises(MeshError, match=HINTS[said]):
        mesh(settings)


ENDINGS = ["; -- note", ";;", " -- note", "; /* note */", "\n;\n-- 'quoted;"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_rule_may_end_as_people_end_it(tmp_path: Path, ending: str):
    query = json.dumps(f"select count(*) from {{object}}{ending}")
    rules = [f"{{type: sql, query: {query}, mustBe: 1}}"] * 2
    text = a_contract("p", ["{name: v, logicalType: integer}"], *rules)
    settings = write_workspace(
        tmp_path, {"d": {"p": a_product({"p": text}, files={"p.sql": "select 1 as v"})}}
    )
    report = run(settings, "d.p")
    assert isinstance(report.decision, Publish)
    assert {"sql", "sql_2"} <= {result.check for result in report.results}
    assert read(settings, "from d.p") == [(1,)]


@pytest.mark.parametrize("values", ["[SE, NO]", "[yes, maybe]"])
def test_an_unquoted_word_in_a_set_is_said_at_load(tmp_path: Path, values: str):
    made = f"{{type: expect_column_values_to_be_in_set, kwargs: {{value_set: {values}}}}}"
    rule = f"{{type: custom, engine: greatExpectations, implementation: {made}}}"
    text = a_contract("p", [f"{{name: v, logicalType: string, quality: [{rule}]}}"])
    settings = write_workspace(
        tmp_path, {"d": {"p": a_product({"p": text}, files={"p.sql": "select 'NO' as v"})}}
    )
    with pytest.raises(MeshError, match=r'write it in quotes: "(NO|yes)"'):
        mesh(settings)


@pytest.mark.parametrize("name", ["rows_csv", "{object}"])
def test_expectations_without_names_are_told_apart_and_name_their_input(tmp_path: Path, name: str):
    rules = [
        f"{{type: sql, query: 'select count(*) from {name} where v < {n}', mustBe: 0}}"
        for n in (0, 1)
    ]
    made = a_product(
        {"p": a_contract("p", ["{name: v, logicalType: integer}"])},
        inputs=[a_source("rows_csv", "rows.csv", *rules)],
        files={"p.sql": "select v from rows_csv", "rows.csv": "v\n5\n"},
    )
    reader = a_product(
        {"r": a_contract("r", ["{name: v, logicalType: integer}"])},
        inputs=[an_input("d.p", *(rule.replace("rows_csv", "d.p") for rule in rules))],
        files={"r.sql": "select v from d.p"},
    )
    settings = write_workspace(tmp_path, {"d": {"p": made, "r": reader}})
    for own in ("p", "r"):
        report = run(settings, f"d.{own}")
        assert report.published
        named = [check.name for check in report.checks if "sql" in check.name]
        assert len(named) == len(set(named)) == 2


CALLED = {
    "{name: null, logicalType: integer}": 'write it in quotes: "null"',
    "{name: ~, logicalType: integer}": 'write it in quotes: "~"',
    "{name: v, logicalType: datetime}": 'did you mean "timestamp"?',
    "{name: v, logicalType: Decimal(18,2)}": 'did you mean "number"?',
    "{name: v, logicalType: varchar}": 'did you mean "string"?',
    "{name: v, logicalType: struct}": 'did you mean "object"?',
    "{name: v, logicalType: strnig}": 'did you mean "string"?',
    "{name: v, logicalType: string, required: 'true'}": "write it without quotes: true",
    "{name: v, logicalType: string, logicalTypeOptions: {pattern: 010}}": (
        'for text write "010" in quotes, else 10 or 8'
    ),
}


@pytest.mark.parametrize("column", CALLED)
def test_what_people_call_it_leads_to_what_it_is_called_here(tmp_path: Path, column: str):
    made = a_product({"p": [column]}, files={"p.sql": "select 1 as v"})
    with pytest.raises(DeclarationError) as raised:
        product(write_workspace(tmp_path, {"d": {"p": made}}), "d.p")
    assert CALLED[column] in str(raised.value)


def test_a_name_that_is_left_empty_is_not_to_be_quoted(tmp_path: Path):
    made = a_product({"p": ["{name: , logicalType: integer}"]}, files={"p.sql": "select 1 as v"})
    with pytest.raises(DeclarationError) as raised:
        product(write_workspace(tmp_path, {"d": {"p": made}}), "d.p")
    assert "must be text, not empty" in str(raised.value)
    assert "quotes" not in str(raised.value)


SLIPS = {
    "a key of a source": ("delimiter: ';'", ""),
    "a cadence": ("", "dayly"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_one_slip_brings_no_second_message_that_is_false(tmp_path: Path, slip: str):
    option, cadence = SLIPS[slip]
    cut = f"{{cadence: {cadence or 'daily'}, start: '2026-11-01'}}"
    extra = f"customProperties: [{{property: partitions, vendor: dataops_mesh, value: {cut}}}]\n"
    day = "{name: day, logicalType: date, required: true, partitioned: true}"
    source = a_source("src", "'in/{partition}.csv'", more=option)
    made = a_product(
        {"p": a_contract("p", [day], extra=extra)},
        inputs=[source],
        files={"p.sql": "select day from src", "inputs/src.odcs.yaml": a_contract("src", [day])},
    )
    with pytest.raises(DeclarationError) as raised:
        product(write_workspace(tmp_path, {"d": {"p": made}}), "d.p")
    said = [problem.what for problem in raised.value.problems]
    assert not [one for one in said if "of no input port" in one or "published whole" in one]
