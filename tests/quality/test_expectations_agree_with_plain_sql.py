"""Every expectation class against an independent aggregate in plain DuckDB."""

from __future__ import annotations

from typing import get_args

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quality_cases import PORT, check, run

from dataops_mesh.spec.checks.measures import (
    ColumnType,
    Duplicates,
    Length,
    Measure,
    Missing,
    NotMultiple,
    Nulls,
    OutsideSet,
    Range,
    RowCount,
    TableSchema,
    Unformatted,
    Unmatched,
    Unreferenced,
)

TEXT = st.none() | st.sampled_from(["", " ", "a", "A", "ab", "é", "日本", "👩‍🚀", "a'b", 'a"b', "a%b", "1"])  # fmt: skip
NUMBER = st.none() | st.sampled_from([float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 1.5, 7.0])  # fmt: skip
ROW = st.tuples(st.none() | st.integers(0, 3), NUMBER, TEXT)

DUPLICATES = "SELECT count(*) FROM (SELECT {0} FROM t {1} GROUP BY {0} HAVING count(*) > 1)"


def schema(**columns: tuple[str, ...]) -> TableSchema:
    return TableSchema(tuple(ColumnType(name, accepted) for name, accepted in columns.items()))


ORACLES = {
    "ExpectNoNulls": (Nulls("s"), "SELECT count(*) - count(s) FROM t"),
    "ExpectNotInSet": (
        Missing("s", ("", "a'b", None)),
        "SELECT count(*) FROM t WHERE s IS NULL OR s = '' OR s = 'a''b'",
    ),
    "ExpectInSet": (
        OutsideSet("s", ("a", "日本")),
        "SELECT count(s) - count(*) FILTER (s = 'a') - count(*) FILTER (s = '日本') FROM t",
    ),
    "ExpectInSet of numbers said as text": (
        OutsideSet("i", ("1", 2, "x", 2.5)),
        "SELECT count(*) FROM t WHERE i <> 1 AND i <> 2",
    ),
    "ExpectInSet of text said as numbers": (
        OutsideSet("s", (1, True)),
        "SELECT count(*) FROM t WHERE s <> '1'",
    ),
    "ExpectInSet of nothing": (OutsideSet("i", ("x",)), "SELECT count(i) FROM t"),
    "ExpectPattern": (
        Unmatched("s", "a|本"),
        "SELECT count(*) FROM t WHERE NOT contains(s, 'a') AND NOT contains(s, '本')",
    ),
    "ExpectPattern on a number": (
        Unmatched("i", "^[01]$"),
        "SELECT count(*) FROM t WHERE i > 1",
    ),
    "ExpectBetween": (
        Range("f", 0, 7),
        "SELECT count(*) FROM t WHERE isnan(f) OR f < 0 OR f > 7",
    ),
    "ExpectBetween without a maximum": (
        Range("f", 0, None, exclusive_minimum=True),
        "SELECT count(*) FROM t WHERE isnan(f) OR f <= 0",
    ),
    "ExpectBetween without a minimum": (
        Range("f", None, 7, exclusive_maximum=True),
        "SELECT count(*) FROM t WHERE isnan(f) OR f >= 7",
    ),
    "ExpectLengthBetween": (
        Length("s", 1, 2),
        "SELECT count(*) FROM t WHERE len(s) = 0 OR len(s) > 2",
    ),
    "ExpectLengthBetween without a maximum": (
        Length("s", 2, None),
        "SELECT count(*) FROM t WHERE len(s) IN (0, 1)",
    ),
    "ExpectNoDuplicatedKeys": (
        Duplicates(("s",)),
        DUPLICATES.format("s", "WHERE s IS NOT NULL"),
    ),
    "ExpectNoDuplicatedKeys of numbers": (
        Duplicates(("f",)),
        DUPLICATES.format("f", "WHERE f IS NOT NULL"),
    ),
    "ExpectNoDuplicatedKeys of two columns": (
        Duplicates(("i", "s")),
        DUPLICATES.format("i, s", "WHERE i IS NOT NULL OR s IS NOT NULL"),
    ),
    "ExpectReferences": (
        Unreferenced(("i",), PORT, ("f",)),
        "SELECT count(*) FROM t WHERE i IS NOT NULL AND i NOT IN (SELECT f FROM t WHERE f IS NOT NULL)",
    ),
    "ExpectReferences of two columns": (
        Unreferenced(("f", "s"), PORT, ("i", "s")),
        (
            "SELECT count(*) FROM t WHERE f IS NOT NULL AND s IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM t o WHERE o.i = t.f AND o.s = t.s)"
        ),
    ),
    "ExpectConditionNotMet": (NotMultiple("i", 2), "SELECT count(*) FROM t WHERE i IN (1, 3)"),
    "ExpectConditionNotMet for floats": (
        NotMultiple("f", 1.5),
        "SELECT count(*) FROM t WHERE isnan(f) OR isinf(f) OR f = 7",
    ),
    "ExpectConditionNotMet for text": (
        Unformatted("s", "number", "^[0-9%']+$|^a'b$", "INTEGER"),
        "SELECT count(*) FROM t WHERE s <> '1'",
    ),
    "ExpectRowCount": (RowCount(), "SELECT count(*) FROM t"),
    # F and x are missing, f and s are not declared, i has another type.
    "the columns": (schema(i=("DATE",), F=("DOUBLE",), x=("DATE",)), "SELECT 5"),
    "the right columns": (
        schema(i=("INTEGER",), f=("INTEGER", "DOUBLE"), s=("VARCHAR",)),
        "SELECT 0",
    ),
    "a type": (
        schema(i=("INTEGER",), f=("INTEGER", "DECIMAL"), s=("VARCHAR",)),
        "SELECT 1",
    ),
}


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(ROW, max_size=12))
def test_every_expectation_counts_what_plain_sql_counts(rows):
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (i INTEGER, f DOUBLE, s VARCHAR)")
        if rows:
            connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.execute("CREATE SCHEMA weather")
        connection.execute("CREATE VIEW weather.hourly AS SELECT * FROM t")
        results = run(connection, *[check(ORACLES[name][0], name=name) for name in ORACLES])
        counted = {
            name: connection.execute(oracle).fetchall()[0][0]
            for name, (_, oracle) in ORACLES.items()
        }
    assert {result.check: result.observed for result in results} == counted


def test_every_measure_on_rows_has_an_oracle():
    # SetAside is of another relation: tests/run/aside/test_every_row_is_on_one_side.py counts it.
    elsewhere = {"Query", "GreatExpectation", "DbtTest", "RepeatedItems", "TooFine", "TableSchema"}
    elsewhere |= {"SetAside", "Unusual"}  # the history tells: tests/run/usual
    known = {type(measure).__name__ for measure, _ in ORACLES.values()}
    assert known | elsewhere == {kind.__name__ for kind in get_args(Measure)} | elsewhere


@pytest.mark.parametrize(
    ("kind", "accepted", "differs"),
    [
        ("DECIMAL(18,2)", "DECIMAL(18,2)", 0),
        ("DECIMAL(18,2)", "DECIMAL", 0),
        ("DECIMAL(18,2)", "DECIMAL(18,3)", 1),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE", 0),
        ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", 1),
        ("VARCHAR", "VARCHAR", 0),
        ("VARCHAR[]", "VARCHAR", 1),
        ("UUID", "VARCHAR", 1),
    ],
)
def test_a_type_is_compared_as_duckdb_spells_it(kind, accepted, differs):
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA weather")
        connection.execute(f"CREATE VIEW weather.hourly AS SELECT NULL::{kind} AS c")
        (result,) = run(connection, schema(c=(accepted,)))
    assert result.observed == differs


@pytest.mark.parametrize(
    ("kind", "low", "high", "outside"),
    [
        ("DATE", "2013-01-02", "2013-01-03", 2),
        ("TIMESTAMP", "2013-01-02T00:00:00", None, 1),
        ("TIMESTAMPTZ", "2013-01-02T00:00:00Z", None, 1),
    ],
)
def test_a_range_of_dates_may_be_said_as_text(kind, low, high, outside):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA weather")
        connection.execute(
            f"CREATE VIEW weather.hourly AS SELECT (DATE '2013-01-01' + i::INT)::{kind} AS d "
            "FROM range(4) r(i)"
        )
        (result,) = run(connection, Range("d", low, high))
    assert result.observed == outside, result.reason
