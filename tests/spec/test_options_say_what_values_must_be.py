"""`logicalTypeOptions` and nested types become checks, or an error that names what is wrong."""

from __future__ import annotations

import pytest
from declared import Workspace, with_column

from dataops_mesh.spec.checks.check import Check, checks_of
from dataops_mesh.spec.checks.measures import (
    ColumnShape,
    ColumnType,
    Length,
    NotMultiple,
    RepeatedItems,
    TableSchema,
    TooFine,
    Unformatted,
)
from dataops_mesh.spec.pattern import pattern_problem
from dataops_mesh.spec.types.formats import TEXT, TimeFormat, time_format
from dataops_mesh.spec.types.shape import read_shape


def checks(workspace: Workspace, keys: str) -> dict[str, Check]:
    found = checks_of(workspace.load(contract=with_column(keys)))
    return {check.name: check for check in found if check.name.startswith("extra")}


def type_of(workspace: Workspace, keys: str) -> ColumnType | ColumnShape:
    """Return what the schema check wants of the column."""
    found = checks_of(workspace.load(contract=with_column(keys)))
    (schema,) = [check.measure for check in found if isinstance(check.measure, TableSchema)]
    return next(one for one in schema.columns if one.column == "extra")


def options(logical: str, text: str) -> str:
    return f"logicalType: {logical}, logicalTypeOptions: {{{text}}}"


MEASURES = {
    "string, format: ipv4": ("format", Unformatted("extra", "ipv4", TEXT["ipv4"].pattern)),
    "string, format: date": ("format", Unformatted("extra", "date", TEXT["date"].pattern, "DATE")),
    "integer, multipleOf: 5": ("multiple", NotMultiple("extra", 5)),
    "number, multipleOf: 0.25": ("multiple", NotMultiple("extra", 0.25)),
    "timestamp, format: 'yyyy-MM-dd HH:mm'": (
        "format",
        TooFine("extra", "yyyy-MM-dd HH:mm", 60_000_000),
    ),
    "time, format: 'HH:mm:ss', defaultTimezone: Etc/UTC": (
        "format",
        TooFine("extra", "HH:mm:ss", 1_000_000),
    ),
    "array, minItems: 1, maxItems: 3": ("items", Length("extra", 1, 3)),
    "array, uniqueItems: true": ("unique_items", RepeatedItems("extra")),
    "vector, dimensions: 3, distanceMetric: cosine": ("items", Length("extra", 3, 3)),
}


@pytest.mark.parametrize("case", MEASURES)
def test_an_option_is_checked(workspace: Workspace, case: str):
    logical, text = case.split(", ", 1)
    suffix, measure = MEASURES[case]
    assert checks(workspace, options(logical, text))[f"extra_{suffix}"].measure == measure


TYPES = {
    "integer, format: u8": "UTINYINT",
    "number, format: f32": "FLOAT",
    "timestamp, format: yyyy-MM-dd HH:mm:ssZ": "TIMESTAMP WITH TIME ZONE",
}


@pytest.mark.parametrize("case", TYPES)
def test_an_option_can_be_a_type(workspace: Workspace, case: str):
    logical, text = case.split(", ", 1)
    assert type_of(workspace, options(logical, text)) == ColumnType("extra", (TYPES[case],))


def test_a_format_that_any_date_has_needs_no_check(workspace: Workspace):
    assert set(checks(workspace, options("date", "format: dd.MM.yyyy"))) == set()
    text = options("timestamp", "format: \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\"")
    assert set(checks(workspace, text)) == set()


SHAPES = {
    "logicalType: object": "STRUCT",
    "logicalType: object, physicalType: json": "JSON",
    "logicalType: object, properties: [{name: a, logicalType: date}, "
    "{name: b c, logicalType: array, items: {logicalType: boolean}}]": "STRUCT(a DATE, b c BOOLEAN[])",
    "logicalType: array": "ANY[]",
    "logicalType: array, items: {logicalType: string, physicalType: varchar(9)}": "VARCHAR[]",
    "logicalType: array, physicalType: 'integer[]', items: {logicalType: integer}": "INTEGER[]",
    "logicalType: map, map: {key: {logicalType: string, physicalType: text}, "
    "value: {logicalType: object, properties: [{name: x, logicalType: boolean}]}}":
        "MAP(VARCHAR, STRUCT(x BOOLEAN))",
    "logicalType: vector, logicalTypeOptions: {dimensions: 3}": "FLOAT[]",
    "logicalType: vector, logicalTypeOptions: {dimensions: 3, elementType: uint8}": "UTINYINT[]",
    "logicalType: object, physicalType: 'STRUCT(a int, b text[])', properties: "
    "[{name: a, logicalType: integer}, {name: b, logicalType: array}]": "STRUCT(a INTEGER, b VARCHAR[])",
    "logicalType: object, physicalType: JSON, properties: [{name: a, logicalType: date}]":
        "STRUCT(a DATE)",
    "logicalType: array, physicalType: list": "ANY[]",
    "logicalType: array, physicalType: array<string>": "VARCHAR[]",
    "logicalType: array, physicalType: 'array(row(a varchar, b decimal(9, 2)))'": "STRUCT(a VARCHAR, b DECIMAL(9,2))[]",
    "logicalType: object, physicalType: 'struct<a: bigint, b: map<string, int>>'":
        "STRUCT(a BIGINT, b MAP(VARCHAR, INTEGER))",
    "logicalType: array, physicalType: RECORD, items: {logicalType: integer, physicalType: int}": "INTEGER[]",
    "logicalType: object, logicalTypeOptions: {required: [a], minProperties: 1, maxProperties: 1}, "
    "properties: [{name: a, logicalType: date}]": "STRUCT(a DATE)",
}  # fmt: skip


@pytest.mark.parametrize("keys", SHAPES)
def test_a_nested_column_has_a_shape(workspace: Workspace, keys: str):
    wanted = type_of(workspace, keys)
    assert isinstance(wanted, ColumnShape)
    assert str(wanted.shape) == SHAPES[keys]


PROBLEMS = {
    options("string", "format: emial"): 'the format "emial" is not supported yet (did you mean "email"?)',
    options("boolean", "minLength: 1"): "a column of type boolean has no option minLength",
    options("map", "minItems: 1"): "a column of type map has no option minItems",
    options("array", "minItems: 3, maxItems: 2"): "minItems is above maxItems",
    options("integer", "format: f32"): "not one of the valid values",
    options("integer", "multipleOf: 0"): "out of range",
    options("date", "format: 'HH:mm'"): "shows no year, and a date has one",
    options("date", "format: 'yyyy-MM-dd HH'"): "shows hours, and a date has none",
    options("time", "format: 'HH:ss'"): "shows a second without minutes",
    options("time", "format: 'hh:mm'"): "half of the day",
    options("timestamp", "format: 'yyyy-MM-ddX', timezone: false"): "against `timezone: false`",
    "logicalType: integer, physicalType: BIGINT, logicalTypeOptions: {format: i32}": "with format: i32",
    "logicalType: string, items: {logicalType: string}": "has no meaning for a column of type string",
    "logicalType: array, items: {physicalType: geography}": "needs a logicalType",
    "logicalType: array, items: {logicalType: strin}": 'did you mean "string"?',
    "logicalType: array, physicalType: strct": "is not a type of DuckDB",
    "logicalType: array, physicalType: INTEGER": "INTEGER is not ANY[]",
    "logicalType: array, physicalType: 'TEXT[]', items: {logicalType: integer}": "VARCHAR[] is not",
    "logicalType: object, properties: [{name: a, logicalType: date}, {name: a, logicalType: date}]":
        "given twice",
    "logicalType: object, properties: [{logicalType: date}]": "is missing",
    "logicalType: object, properties: [{name: a, logicalType: date}], "
    "logicalTypeOptions: {required: [b]}": 'there is no property "b"',
    "logicalType: object, properties: [{name: a, logicalType: date}], "
    "logicalTypeOptions: {minProperties: 2}": "declares 1 properties",
    "logicalType: map": "is missing",
    "logicalType: vector": "a vector needs `dimensions`",
    options("vector", "elementType: int8"): "is missing",
    options("vector", "dimensions: 3, elementType: {}"): "must be text, not a mapping",
}  # fmt: skip


@pytest.mark.parametrize("keys", PROBLEMS)
def test_what_cannot_be_meant_is_an_error(workspace: Workspace, keys: str):
    problems = workspace.problems(contract=with_column(keys))
    assert [str(p) for p in problems if PROBLEMS[keys] in str(p)], problems
    assert all(p.where and p.where.line == 11 for p in problems)


@pytest.mark.parametrize("name", TEXT)
def test_every_pattern_of_a_format_runs_on_duckdb(name: str):
    assert pattern_problem(TEXT[name].pattern) == ""


def test_java_letters_are_read_as_java_reads_them():
    quoted = time_format("yyyy'year'MM'h'dd", "date")
    assert quoted == TimeFormat(86_400_000_000, zone=False)
    assert time_format("hh:mm a", "time") == TimeFormat(60_000_000, zone=False)
    assert time_format("yyyy-DDD", "date") == TimeFormat(86_400_000_000, zone=False)
    assert time_format("HH:mm:ss.SSS", "time") == TimeFormat(1000, zone=False)


@pytest.mark.parametrize(
    "text", ["", "STRUCT()", "STRUCT(a)", "STRUCT(a INTEGER", "MAP(INTEGER)", "INTEGER[", "[]",
             "STRUCT(a INTEGER, a DATE)", "UNION(a INTEGER)", "INTEGER INTEGER", "(" * 99,
             "STRUCT(a " * 99 + "INTEGER" + ")" * 99]
)  # fmt: skip
def test_what_is_no_type_is_none(text: str):
    assert read_shape(text) is None
