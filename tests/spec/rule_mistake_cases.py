"""Mistakes in the rules and service levels of a contract, each with what must be said of it."""

from __future__ import annotations

from declared import with_column_rule, with_contract, with_rule

# (what the contract says, where, key, in the message)
RULE_MISTAKES = {
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
