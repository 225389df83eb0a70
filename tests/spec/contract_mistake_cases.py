"""Mistakes in a contract and its columns, each with what must be said of it."""

from __future__ import annotations

from declared import CONTRACT, replaced, with_column, with_contract

# (what the contract says, where, key, in the message)
COLUMN_MISTAKES = {
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
    "column that cannot stand in quotes": (
        CONTRACT + "      - {name: 'tail\"number', logicalType: string}\n",
        11,
        "schema[0].properties[3].name",
        "cannot name a column",
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
}
