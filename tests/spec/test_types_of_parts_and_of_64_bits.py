"""Types of parts say what those of columns do; an INT of BigQuery or Snowflake has 64 bits."""

from __future__ import annotations

import duckdb
import pytest
from declared import Workspace, checks, with_column

from dataops_mesh.spec.checks.coverage import coverage, unexecuted
from dataops_mesh.spec.checks.measures import ColumnShape, ColumnType
from dataops_mesh.spec.model import Severity

BIGQUERY = "{server: a, type: bigquery, project: p, dataset: d}"
SNOWFLAKE = "{server: b, type: snowflake, account: a, database: d, schema: s}"
MYSQL = "{server: c, type: mysql, host: h, port: 3306, database: d}"
WIDE = {
    "INTEGER": ("integer", "BIGINT", "INTEGER"),
    "INT": ("integer", "BIGINT", "INTEGER"),
    "smallint": ("integer", "BIGINT", "SMALLINT"),
    "BYTEINT": ("integer", "BIGINT", "TINYINT"),
    "FLOAT": ("number", "DOUBLE", "FLOAT"),
    "NUMBER(38,0)": ("integer", "DECIMAL(38,0)", "DECIMAL(38,0)"),
}


def servers(*given: str) -> str:
    return f"servers: [{', '.join(given)}]\n"


@pytest.mark.parametrize("written", WIDE)
def test_an_int_of_bigquery_or_snowflake_keeps_its_64_bits(workspace: Workspace, written: str):
    logical, wide, narrow = WIDE[written]
    kind = f"logicalType: {logical}, physicalType: '{written}'"
    for given, wanted in {
        servers(BIGQUERY): wide,
        servers(SNOWFLAKE): wide,
        servers(BIGQUERY, SNOWFLAKE): wide,
        servers(SNOWFLAKE, MYSQL): narrow,
        servers(MYSQL): narrow,
    }.items():
        found = checks(workspace, contract=given + with_column(kind))
        column = found["schema"].measure.columns[-1]
        assert isinstance(column, ColumnType)
        assert column.accepted == (wanted,)
        inside = with_column(f"logicalType: array, items: {{{kind}}}")
        column = checks(workspace, contract=given + inside)["schema"].measure.columns[-1]
        assert isinstance(column, ColumnShape)
        assert str(column.shape) == f"{wanted}[]"
    whole = with_column(
        "logicalType: array, physicalType: array<int>, items: {logicalType: integer}"
    )
    column = checks(workspace, contract=servers(BIGQUERY) + whole)["schema"].measure.columns[-1]
    assert str(column.shape) == "BIGINT[]"


@pytest.mark.parametrize("written", ["TIMESTAMP", "timestamp(3)"])
def test_a_timestamp_is_a_moment_where_it_is_one(workspace: Workspace, written: str):
    kind = f"logicalType: timestamp, physicalType: '{written}'"
    for given, wanted in {
        servers(BIGQUERY): "TIMESTAMP WITH TIME ZONE",
        servers(MYSQL): "TIMESTAMP WITH TIME ZONE",
        servers(SNOWFLAKE): "TIMESTAMP",
        servers(BIGQUERY, SNOWFLAKE): "TIMESTAMP",
        "": "TIMESTAMP",
    }.items():
        column = checks(workspace, contract=given + with_column(kind))["schema"].measure.columns[-1]
        assert column.accepted == (wanted,)
        inside = with_column(f"logicalType: array, items: {{{kind}}}")
        column = checks(workspace, contract=given + inside)["schema"].measure.columns[-1]
        assert str(column.shape) == f"{wanted}[]"
    clock = with_column("logicalType: timestamp, physicalType: DATETIME")
    column = checks(workspace, contract=servers(BIGQUERY) + clock)["schema"].measure.columns[-1]
    assert column.accepted == ("TIMESTAMP",)


TEXTS = "items: {logicalType: string}"
TIMES = "timestamp '2026-01-01 00:00:00.{}'"
# What is declared -> the one check that comes of it, a value that passes and one that does not.
PARTS = {
    f"logicalType: array, physicalType: array<varchar(3)>, {TEXTS}":
        ("extra__item_length", "['abc', NULL]", "['a', 'abcd']"),
    f"logicalType: array, physicalType: 'varchar(3)[]', {TEXTS}":
        ("extra__item_length", "['abc']", "['abcd']"),
    "logicalType: array, physicalType: array<varchar(3)>, "
    "items: {logicalType: string, physicalType: varchar(3)}":
        ("extra__item_length", "['abc']", "['abcd']"),
    "logicalType: array, physicalType: array<varchar(3)>, "
    "items: {logicalType: string, logicalTypeOptions: {maxLength: 5}}":
        ("extra__item_length", "['abc']", "['abcd']"),
    "logicalType: object, physicalType: 'struct<x: varchar(3), y: bigint>', properties: ["
    "{name: x, logicalType: string}, {name: y, logicalType: integer}]":
        ("extra__x_length", "{x: 'abc', y: 1::bigint}", "{x: 'abcd', y: 1::bigint}"),
    "logicalType: object, physicalType: 'struct<y: timestamp(3)>', properties: ["
    "{name: y, logicalType: timestamp}]":
        ("extra__y_digits", f"{{y: {TIMES.format('123')}}}", f"{{y: {TIMES.format('1234')}}}"),
    "logicalType: map, physicalType: 'map<varchar(2), bigint>', "
    "map: {key: {logicalType: string}, value: {logicalType: integer}}":
        ("extra__key_length", "map {'ab': 1::bigint}", "map {'abc': 1::bigint}"),
    "logicalType: array, items: {logicalType: timestamp, physicalType: timestamp(3)}":
        ("extra__item_digits", f"[{TIMES.format('123')}, 'infinity'::timestamp]",
         f"[{TIMES.format('1234')}]"),
    "logicalType: array, items: {logicalType: time, physicalType: time(0)}":
        ("extra__item_digits", "[time '00:00:01', NULL]", "[time '00:00:01.5']"),
    "logicalType: array, items: {logicalType: string, physicalType: \"enum('x','y')\"}":
        ("extra__item_enum", "['x', NULL]", "['x', 'z']"),
    f"logicalType: array, physicalType: \"array<enum('x','y')>\", {TEXTS}":
        ("extra__item_enum", "['x', NULL]", "['x', 'z']"),
    "logicalType: array, items: {logicalType: string, physicalType: 'varchar[3]'}":
        ("extra__item_length", "['abc']", "['abcd']"),
}  # fmt: skip


@pytest.mark.parametrize("keys", PARTS)
def test_what_a_type_says_of_parts_is_checked(workspace: Workspace, keys: str):
    before = set(checks(workspace))
    product = workspace.load(contract=with_column(keys))
    assert unexecuted(product) == ()
    found = checks(workspace, contract=with_column(keys))
    name, good, bad = PARTS[keys]
    assert set(found) - before == {name}
    sql = found[name].measure.sql
    for value, wrong in ((good, 0), (bad, 1), (f"if(false, {good}, NULL)", 0)):
        relation = f"(select {value} as extra)"
        assert duckdb.sql(sql.replace("{object}", relation)).fetchone() == (wrong,)


TOLD = {
    "logicalType: array, physicalType: bytes": "stored as logicalType array",
    "logicalType: object, physicalType: map": "stored as logicalType object",
    "logicalType: object, physicalType: 'map<string, string>'": "stored as logicalType object",
    "logicalType: array, items: {logicalType: object, physicalType: map}":
        "of extra.item: here it is stored as logicalType object",
    "logicalType: array, items: {logicalType: date, physicalType: VARCHAR}":
        "of extra.item: here it is stored as logicalType date",
    "logicalType: array, physicalType: 'array<row(a varchar(3), b geography)>'":
        "nothing of it is checked",
}  # fmt: skip


@pytest.mark.parametrize("keys", TOLD)
def test_a_type_of_a_part_that_is_not_ours_is_told(workspace: Workspace, keys: str):
    (one,) = unexecuted(workspace.load(contract=with_column(keys)))
    assert one.severity is Severity.WARNING
    assert TOLD[keys] in one.what


@pytest.mark.parametrize(
    "keys",
    [
        "logicalType: array, physicalType: VARCHAR",
        "logicalType: array, items: {logicalType: integer, physicalType: VARCHAR}",
        "logicalType: object, physicalType: 'MAP(VARCHAR, VARCHAR)'",
        "logicalType: array, items: {logicalType: string, physicalType: VARCHARR}",
    ],
)
def test_no_type_of_a_part_is_an_error_for_another_system(workspace: Workspace, keys: str):
    assert len(workspace.problems(contract=with_column(keys))) == 1
    product = workspace.load(contract=servers(BIGQUERY) + with_column(keys))
    assert len(unexecuted(product)) == ("VARCHARR" not in keys)


def test_rules_in_words_inside_a_column_are_counted(workspace: Workspace):
    rule = "quality: [{type: text, description: neat}]"
    keys = f"logicalType: array, {rule}, items: {{logicalType: string, {rule}}}"
    found = coverage(workspace.load(contract=with_column(keys)))
    assert found.text == ("extra_text", "extra__item_text")
    assert (found.declared, found.executable) == (2, 0)
    bare = with_column(keys.replace(", description: neat", ""))
    assert len([one for one in workspace.problems(contract=bare) if "description" in one.what]) == 2
