"""Each mistake is reported with its file, its line, its key and what would be right."""

from __future__ import annotations

import pytest
from contract_mistake_cases import COLUMN_MISTAKES
from declared import (
    CONTRACT,
    PRODUCT,
    Workspace,
    replaced,
    with_column,
    with_expectation,
    with_setting,
    with_source,
)
from rule_mistake_cases import RULE_MISTAKES

ODPS, ODCS = "domains/fleet/aircraft/product.odps.yaml", "domains/fleet/aircraft/aircraft.odcs.yaml"

# (what the product file says, where, key, in the message)
PRODUCT_MISTAKES = {
    "unknown key": (PRODUCT + "statuss: active\n", 8, "statuss", 'did you mean "status"?'),
    "unknown key of a port": (
        replaced(PRODUCT, "- name: aircraft_csv\n", "- name: aircraft_csv\n    contractID: x\n"),
        6,
        "inputPorts[0].contractID",
        'did you mean "contractId"?',
    ),
    "missing id": (replaced(PRODUCT, "id: fleet.aircraft\n", ""), 1, "id", "is missing"),
    "wrong version of the standard": (
        replaced(PRODUCT, "v1.1.0", "v0.8.0"),
        1,
        "apiVersion",
        "valid: v1.1.0, v1.0.0",
    ),
    "number for text": (PRODUCT + "version: 1.0\n", 8, "version", 'write it in quotes: "1.0"'),
    "no version": (PRODUCT + "version: latest\n", 8, "version", "is not a version"),
    "unknown status": (PRODUCT + "status: activ\n", 8, "status", 'did you mean "active"?'),
    "another domain": (
        PRODUCT + "domain: weather\n",
        8,
        "domain",
        'the folder, which says "fleet"',
    ),
    "unknown setting": (
        with_setting("transfrom", "{python: a.py}"),
        9,
        "customProperties[0].property",
        'did you mean "transform"?',
    ),
    "setting where none is read": (
        PRODUCT
        + "team: {customProperties: [{property: source, vendor: dataops_mesh, value: 1}]}\n",
        8,
        "team.customProperties[0]",
        "would have no effect",
    ),
    "vendor nearly ours": (
        PRODUCT + "      - {property: address, vendor: dataops-mesh, value: a.b}\n",
        8,
        "inputPorts[0].customProperties[1].vendor",
        'did you mean "dataops_mesh"?',
    ),
    "setting given twice": (
        PRODUCT + "      - {property: source, vendor: dataops_mesh, value: {path: b.csv}}\n",
        8,
        "inputPorts[0].customProperties[1]",
        "given twice",
    ),
    "two transforms at once": (
        with_setting("transform", "{python: a.py, sql: b.sql}"),
        9,
        "customProperties[0].value",
        "at most 1",
    ),
    "transform that is not there": (
        with_setting("transform", "{python: a.py}"),
        9,
        "customProperties[0].value.python",
        "does not exist",
    ),
    "dbt project that is not there": (
        with_setting("transform", "{dbt: {project: dbt}}"),
        9,
        "customProperties[0].value.dbt.project",
        '"dbt/dbt_project.yml" does not exist',
    ),
    "SQL for a port that is not there": (
        with_setting("transform", "{sql: {aircraft: aircraft.sql, aircrafts: aircraft.sql}}"),
        9,
        "customProperties[0].value.sql.aircrafts",
        'did you mean "aircraft"?',
    ),
    "port that is neither address nor source": (
        PRODUCT + "  - name: weather\n",
        8,
        "inputPorts[1].name",
        "name it <domain>.<port>",
    ),
    "source and address": (
        PRODUCT + "      - {property: address, vendor: dataops_mesh, value: weather.rain}\n",
        8,
        "inputPorts[0].customProperties[1].value",
        "not both",
    ),
    "address that is none": (
        PRODUCT
        + "  - name: x\n    customProperties:\n"
        + "      - {property: address, vendor: dataops_mesh, value: rain}\n",
        10,
        "inputPorts[1].customProperties[0].value",
        "does not match",
    ),
    "input read twice": (
        PRODUCT + "  - name: weather.rain\n  - name: weather.rain\n",
        9,
        "inputPorts[2]",
        "is read twice",
    ),
    "source named like a keyword": (
        replaced(PRODUCT, "aircraft_csv", "class"),
        5,
        "inputPorts[0].name",
        "cannot be a parameter",
    ),
    "source named like the clock": (
        replaced(PRODUCT, "aircraft_csv", "now"),
        5,
        "inputPorts[0].name",
        "cannot be a parameter",
    ),
    "source with capitals": (
        replaced(PRODUCT, "aircraft_csv", "Aircraft-CSV"),
        5,
        "inputPorts[0].name",
        'for example to "aircraft_csv"',
    ),
    "unknown reader option": (
        with_source("{path: a.csv, options: {delimiter: ';'}}"),
        7,
        "inputPorts[0].customProperties[0].value.options.delimiter",
        'did you mean "delim"?',
    ),
    "option that would drop rows": (
        with_source("{path: a.csv, options: {ignore_errors: true}}"),
        7,
        "inputPorts[0].customProperties[0].value.options.ignore_errors",
        "unknown key",
    ),
    "option of another format": (
        with_source("{path: a.parquet, options: {delim: ';'}}"),
        7,
        "inputPorts[0].customProperties[0].value.options.delim",
        'the format "parquet" has no option delim',
    ),
    "unknown type of a column": (
        with_source("{path: a.csv, options: {types: {a: VARCHARR}}}"),
        7,
        "inputPorts[0].customProperties[0].value.options.types.a",
        'did you mean "VARCHAR"?',
    ),
    "source without a path": (
        with_source("{format: csv}"),
        7,
        "inputPorts[0].customProperties[0].value",
        "give one of path, url, query",
    ),
    "source that is a URL": (
        with_source("{path: 'https://example.test/a.csv'}"),
        7,
        "inputPorts[0].customProperties[0].value.path",
        "write `url` instead of `path`",
    ),
    "output port without a contract": (
        PRODUCT + "outputPorts:\n  - {name: aircraft}\n  - {name: aircrafts}\n",
        10,
        "outputPorts[1].name",
        'there is no aircrafts.odcs.yaml (did you mean "aircraft"?)',
    ),
    "contract that is not listed": (
        PRODUCT + "outputPorts: []\n",
        8,
        "outputPorts",
        "outputPorts does not list it",
    ),
    "port listed twice": (
        PRODUCT + "outputPorts:\n  - {name: aircraft}\n  - {name: aircraft, version: 2.0.0}\n",
        10,
        "outputPorts[1].name",
        "is not supported yet",
    ),
    "another contract id": (
        PRODUCT + "outputPorts:\n  - {name: aircraft, contractId: other}\n",
        9,
        "outputPorts[0].contractId",
        'which says "fleet.aircraft.contract"',
    ),
    "another major version": (
        PRODUCT + "outputPorts:\n  - {name: aircraft, version: 2.0.0}\n",
        9,
        "outputPorts[0].version",
        "the same major version",
    ),
    "expectation with an unknown key": (
        with_expectation("metric: rowCount, mustbe: 3"),
        11,
        "inputPorts[0].customProperties[1].value[0].mustbe",
        'did you mean "mustBe"?',
    ),
    "expectation without an operator": (
        with_expectation("metric: rowCount"),
        11,
        "inputPorts[0].customProperties[1].value[0]",
        "needs exactly one operator",
    ),
}


@pytest.mark.parametrize("case", PRODUCT_MISTAKES)
def test_a_mistake_in_a_product_names_line_key_and_cure(workspace: Workspace, case: str):
    text, line, key, message = PRODUCT_MISTAKES[case]
    (problem,) = workspace.problems(product=text)
    assert (str(problem.where), problem.key) == (f"{ODPS}:{line}", key)
    assert message in str(problem)


CONTRACT_MISTAKES = {**COLUMN_MISTAKES, **RULE_MISTAKES}


@pytest.mark.parametrize("case", CONTRACT_MISTAKES)
def test_a_mistake_in_a_contract_names_line_key_and_cure(workspace: Workspace, case: str):
    text, line, key, message = CONTRACT_MISTAKES[case]
    (problem,) = workspace.problems(contract=text)
    assert (str(problem.where), problem.key) == (f"{ODCS}:{line}", key)
    assert message in str(problem)


def test_all_problems_of_all_files_come_at_once(workspace: Workspace):
    problems = workspace.problems(
        product=PRODUCT + "statuss: active\ndomain: weather\n",
        contract=replaced(
            with_column("logicalType: strin, required: 1"), "version: 1.0.0", "version: 1.0"
        ),
        files={"boats.odcs.yaml": "a: ["},
    )
    places = [(str(p.where).split("/")[-1], p.key) for p in problems]
    assert sorted(places) == [
        ("aircraft.odcs.yaml:11", "schema[0].properties[3].logicalType"),
        ("aircraft.odcs.yaml:11", "schema[0].properties[3].required"),
        ("aircraft.odcs.yaml:4", "version"),
        ("boats.odcs.yaml:1", ""),
        ("product.odps.yaml:1", "transform"),
        ("product.odps.yaml:8", "statuss"),
        ("product.odps.yaml:9", "domain"),
    ]


def test_a_line_in_a_block_of_sql_is_the_line_of_the_mistake(workspace: Workspace):
    text = CONTRACT + (
        "    quality:\n      - type: sql\n        mustBe: 0\n        query: |\n"
        "          select count(*)\n          from {object}\n          wher x\n          > > 3\n"
    )
    (problem,) = workspace.problems(contract=text)
    assert problem.where is not None
    assert 16 <= problem.where.line <= 18
