"""Each mistake is reported with its file, its line, its key and what would be right."""

from __future__ import annotations

import pytest
from declared import (
    CONTRACT,
    PRODUCT,
    Workspace,
    replaced,
    with_column,
    with_column_rule,
    with_contract,
    with_expectation,
    with_rule,
    with_setting,
    with_source,
)

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
        "inputPorts[0].customProperties[0].value.path",
        "is missing",
    ),
    "source that is a URL": (
        with_source("{path: 'https://example.test/a.csv'}"),
        7,
        "inputPorts[0].customProperties[0].value.path",
        "only local files are supported yet",
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


CONTRACT_MISTAKES = {
    "unknown key": (with_contract("sla: []\n"), 11, "sla", "unknown key"),
    "missing kind": (replaced(CONTRACT, "kind: DataContract\n", ""), 1, "kind", "is missing"),
    "other standard version": (
        replaced(CONTRACT, "v3.2.0", "v2.2.2"),
        1,
        "apiVersion",
        "valid: v3.2.0, v3.1.0, v3.0.2",
    ),
    "another domain": (with_contract("domain: sea\n"), 11, "domain", 'which says "fleet"'),
    "another relation": (
        replaced(CONTRACT, "- name: aircraft", "- name: planes"),
        6,
        "schema[0].name",
        "the file's name",
    ),
    "unknown key of a column": (
        with_column("logicalType: string, uniqe: true"),
        11,
        "schema[0].properties[3].uniqe",
        'did you mean "unique"?',
    ),
    "unknown type": (
        with_column("logicalType: strin"),
        11,
        "schema[0].properties[3].logicalType",
        'did you mean "string"?',
    ),
    "no type": (
        with_column("required: true"),
        11,
        "schema[0].properties[3]",
        "needs a logicalType",
    ),
    "column given twice": (
        CONTRACT + "      - {name: SEATS, logicalType: integer}\n",
        11,
        "schema[0].properties[3].name",
        "given twice",
    ),
    "column that is no identifier": (
        CONTRACT + "      - {name: 'tail number', logicalType: string}\n",
        11,
        "schema[0].properties[3].name",
        "letters, digits and _",
    ),
    "unknown physical type": (
        with_column("logicalType: string, physicalType: VARCHARR"),
        11,
        "schema[0].properties[3].physicalType",
        'did you mean "VARCHAR"?',
    ),
    "types that contradict each other": (
        with_column("logicalType: string, physicalType: INTEGER"),
        11,
        "schema[0].properties[3].physicalType",
        "no physical type of logicalType string",
    ),
    "time zone against the physical type": (
        with_column(
            "logicalType: timestamp, physicalType: TIMESTAMP, logicalTypeOptions: {timezone: true}"
        ),
        11,
        "schema[0].properties[3].physicalType",
        "with timezone: true",
    ),
    "option of another type": (
        with_column("logicalType: integer, logicalTypeOptions: {minLength: 3}"),
        11,
        "schema[0].properties[3].logicalTypeOptions.minLength",
        "unknown key",
    ),
    "bounds the wrong way round": (
        with_column("logicalType: integer, logicalTypeOptions: {minimum: 3, maximum: 1}"),
        11,
        "schema[0].properties[3].logicalTypeOptions",
        "the minimum is above the maximum",
    ),
    "two minima": (
        with_column("logicalType: integer, logicalTypeOptions: {minimum: 3, exclusiveMinimum: 1}"),
        11,
        "schema[0].properties[3].logicalTypeOptions",
        "not both",
    ),
    "bound that is no date": (
        with_column("logicalType: date, logicalTypeOptions: {minimum: '2026-02-30'}"),
        11,
        "schema[0].properties[3].logicalTypeOptions.minimum",
        "must be a date in ISO 8601",
    ),
    "pattern that is none": (
        with_column("logicalType: string, logicalTypeOptions: {pattern: '['}"),
        11,
        "schema[0].properties[3].logicalTypeOptions.pattern",
        "is not a regular expression",
    ),
    "pattern that RE2 cannot run": (
        with_column("logicalType: string, logicalTypeOptions: {pattern: '(?!x)'}"),
        11,
        "schema[0].properties[3].logicalTypeOptions.pattern",
        "uses lookahead",
    ),
    "enum of another type (the Norway problem)": (
        with_column("logicalType: string, enum: [{value: SE}, {value: NO}]"),
        11,
        "schema[0].properties[3].enum[1].value",
        "write it in quotes",
    ),
    "position without a key": (
        with_column("logicalType: string, primaryKeyPosition: 2"),
        11,
        "schema[0].properties[3].primaryKeyPosition",
        "has no effect",
    ),
    "unknown severity": (
        with_rule("metric: rowCount, mustBe: 1, severity: critical"),
        12,
        "schema[0].quality[0].severity",
        "valid: info, warning, error",
    ),
    "unknown unit": (
        with_column_rule("metric: nullValues, mustBe: 1, unit: '%'"),
        14,
        "schema[0].properties[3].quality[0].unit",
        "valid: rows, percent",
    ),
    "percent of a row count": (
        with_rule("metric: rowCount, mustBe: 1, unit: percent"),
        12,
        "schema[0].quality[0].unit",
        "rowCount has no percent",
    ),
    "percent above a hundred": (
        with_column_rule("metric: nullValues, mustBeLessThan: 500, unit: percent"),
        14,
        "schema[0].properties[3].quality[0].mustBeLessThan",
        "between 0 and 100",
    ),
    "unknown metric": (
        with_rule("metric: rowcount, mustBe: 1"),
        12,
        "schema[0].quality[0].metric",
        'did you mean "rowCount"?',
    ),
    "no metric": (with_rule("mustBe: 1"), 12, "schema[0].quality[0]", "needs a metric"),
    "two operators": (
        with_rule("metric: rowCount, mustBeGreaterThan: 1, mustBeLessThan: 9"),
        12,
        "schema[0].quality[0]",
        "has 2 (mustBeGreaterThan, mustBeLessThan)",
    ),
    "operator with text": (
        with_rule("metric: rowCount, mustBe: many"),
        12,
        "schema[0].quality[0].mustBe",
        "needs a number",
    ),
    "interval the wrong way round": (
        with_rule("metric: rowCount, mustBeBetween: [9, 1]"),
        12,
        "schema[0].quality[0].mustBeBetween",
        "the smaller first",
    ),
    "row count of a column": (
        with_column_rule("metric: rowCount, mustBe: 1"),
        14,
        "schema[0].properties[3].quality[0].metric",
        "not of a column",
    ),
    "column metric on the relation": (
        with_rule("metric: nullValues, mustBe: 0"),
        12,
        "schema[0].quality[0].metric",
        "move the rule under the column",
    ),
    "invalid values without a criterion": (
        with_column_rule("metric: invalidValues, mustBe: 0"),
        14,
        "schema[0].properties[3].quality[0].arguments",
        "one of validValues and pattern",
    ),
    "invalid values with two criteria": (
        with_column_rule(
            "metric: invalidValues, mustBe: 0, arguments: {validValues: [a], pattern: a}"
        ),
        14,
        "schema[0].properties[3].quality[0].arguments",
        "one of validValues and pattern",
    ),
    "missing values without values": (
        with_column_rule("metric: missingValues, mustBe: 0"),
        14,
        "schema[0].properties[3].quality[0].arguments",
        "use nullValues",
    ),
    "missing value of another type": (
        with_column_rule(
            "metric: missingValues, mustBe: 0, arguments: {missingValues: [null, 'N/A']}", "integer"
        ),
        14,
        "schema[0].properties[3].quality[0].arguments.missingValues[1]",
        "must be a whole number",
    ),
    "argument of another metric": (
        with_column_rule("metric: nullValues, mustBe: 0, arguments: {missingValues: ['']}"),
        14,
        "schema[0].properties[3].quality[0].arguments.missingValues",
        "has no argument missingValues",
    ),
    "duplicates of an unknown column": (
        with_rule("metric: duplicateValues, mustBe: 0, arguments: {properties: [seat]}"),
        12,
        "schema[0].quality[0].arguments.properties[0]",
        'did you mean "seats"?',
    ),
    "duplicates of nothing": (
        with_rule("metric: duplicateValues, mustBe: 0"),
        12,
        "schema[0].quality[0].arguments",
        "needs the list `properties`",
    ),
    "operator on a text rule": (
        with_rule("type: text, description: d, mustBe: 0"),
        12,
        "schema[0].quality[0].mustBe",
        'no meaning for a rule of type "text"',
    ),
    "query on a library rule": (
        with_rule("metric: rowCount, mustBe: 1, query: 'select 1'"),
        12,
        "schema[0].quality[0].query",
        "no meaning",
    ),
    "query that is not SQL": (
        with_rule("type: sql, mustBe: 0, query: 'select from where'"),
        12,
        "schema[0].quality[0].query",
        "is not valid SQL",
    ),
    "query that writes": (
        with_rule("type: sql, mustBe: 0, query: 'delete from {object}'"),
        12,
        "schema[0].quality[0].query",
        "is not a SELECT statement",
    ),
    "query that reads a file": (
        with_rule("type: sql, mustBe: 0, query: \"select count(*) from {object}, 'a.csv'\""),
        12,
        "schema[0].quality[0].query",
        'reads "a.csv"',
    ),
    "query that reads through a function": (
        with_rule("type: sql, mustBe: 0, query: \"from {object} join read_csv('a') using (x)\""),
        12,
        "schema[0].quality[0].query",
        "reads read_csv()",
    ),
    "query on another port": (
        with_rule("type: sql, mustBe: 0, query: 'select count(*) from {object}, sea.ships'"),
        12,
        "schema[0].quality[0].query",
        "reads sea.ships",
    ),
    "query that reads nothing": (
        with_rule("type: sql, mustBe: 0, query: 'select 0'"),
        12,
        "schema[0].quality[0].query",
        "does not read {object}",
    ),
    "column placeholder without a column": (
        with_rule("type: sql, mustBe: 0, query: 'select count({column}) from {object}'"),
        12,
        "schema[0].quality[0].query",
        "unknown placeholder {column}",
    ),
    "rules of one name": (
        with_rule("metric: rowCount, mustBe: 1, id: a")
        + "      - {metric: rowCount, mustBe: 2, id: a}\n",
        13,
        "",
        'two rules are named "a"',
    ),
    "rule named like a constraint": (
        with_rule("metric: rowCount, mustBe: 1, id: tail_number_required"),
        12,
        "",
        'two checks would be named "tail_number_required"',
    ),
    "unknown service level": (
        with_contract("slaProperties: [{property: freshnes, value: 1, unit: d}]\n"),
        11,
        "slaProperties[0].property",
        'did you mean "freshness"?',
    ),
    "ambiguous unit": (
        with_contract("slaProperties: [{property: latency, value: 5, unit: m}]\n"),
        11,
        "slaProperties[0].unit",
        '"m" is not a unit of time',
    ),
    "no unit": (
        with_contract("slaProperties: [{property: latency, value: 5}]\n"),
        11,
        "slaProperties[0]",
        "latency needs a unit",
    ),
    "element that is no column": (
        with_contract(
            "slaProperties: [{property: latency, value: 5, unit: d, element: aircraft.seen}]\n"
        ),
        11,
        "slaProperties[0].element",
        'did you mean "aircraft.seen_at"?',
    ),
    "freshness of a number": (
        with_contract(
            "slaProperties: [{property: freshness, value: 5, unit: d, element: seats}]\n"
        ),
        11,
        "slaProperties[0].element",
        "of type date or timestamp",
    ),
    "schedule that is no cron": (
        with_contract(
            "slaProperties: [{property: frequency, value: 5, unit: d, schedule: daily}]\n"
        ),
        11,
        "slaProperties[0].schedule",
        "is not cron",
    ),
}


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
