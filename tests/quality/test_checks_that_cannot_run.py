"""A check that cannot run is errored with a plain reason, and only that check."""

from __future__ import annotations

import time

import duckdb
import pytest
from quality_cases import check, parquet, run

from dataops_mesh.quality import Relation, audit, measure_supported
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.spec.checks.measures import (
    ColumnType,
    DbtTest,
    Duplicates,
    Length,
    Nulls,
    Query,
    Range,
    RowCount,
    TableSchema,
    Unmatched,
)

DATA = "SELECT i, 'name ' || i AS name FROM range(10) r(i)"
FOR_EVER = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7"
CANNOT_RUN = {
    "a column that is not there": (Nulls("gone"), "column gone is not in the candidate"),
    "columns that are not there": (Duplicates(("x", "i", "y")), "columns x, y are not in"),
    "a query on a column that is not there": (Query("SELECT 1", "gone"), "is not in the"),
    "a pattern that is none": (Unmatched("name", "(?!x)"), "InvalidInputException"),
    "a length of a number": (Length("i", 1, 2), "i is BIGINT, which has no length"),
    "a range of text": (Range("name", 0, 9), "name is VARCHAR, which has no range"),
    "a range upside down": (Range("i", 9, 0), "the minimum is above the maximum"),
    "a range with no end": (Range("i", None, None), "a range needs a bound"),
    "a query of two rows": (Query("SELECT i FROM {object}"), "must return one row, not several"),
    "a query of no row": (Query("SELECT i FROM {object} WHERE i < 0"), "one row, not none"),
    "a query of two columns": (Query("SELECT 1, 2"), "must return one column, not 2"),
    "a query of null": (Query("SELECT max(i) FROM {object} WHERE i < 0"), "returned no number"),
    "a query of NaN": (Query("SELECT 'nan'::DOUBLE"), "returned no number"),
    "a query of text": (Query("SELECT 'many'"), "returned no number"),
    "a query of two statements": (Query("SELECT 1; SELECT 2"), "must be one SELECT"),
    "a query that writes": (Query("DROP VIEW weather.hourly"), "must be one SELECT"),
    "a query that breaks out": (Query("SELECT 1); DROP SCHEMA weather; (SELECT 2"), "Parser"),
    "a query of an unknown name": (Query("SELECT nope FROM {object}"), 'column "nope" not found'),
    "a query without its column": (Query("SELECT max({property}) FROM {object}"), "no column"),
    "dbt's own test": (DbtTest("test.x"), "DbtTest is not an expectation"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run everything that cannot run, between two checks that can."""
    connection = parquet(tmp_path_factory.mktemp("errored"), DATA)
    checks = [check(measure, name=name) for name, (measure, _) in CANNOT_RUN.items()]
    good = [check(Nulls("name"), name="first"), check(Query("SELECT 0"), name="last")]
    found = run(connection, good[0], *checks, good[1])
    assert [r.check for r in found] == ["first", *CANNOT_RUN, "last"]
    return {result.check: result for result in found}


@pytest.mark.parametrize("name", CANNOT_RUN)
def test_what_cannot_run_is_errored_with_a_plain_reason(results, name):
    result = results[name]
    assert result.outcome is Outcome.ERRORED
    assert CANNOT_RUN[name][1] in result.reason
    assert result.observed is None
    assert result.sample == ()


@pytest.mark.parametrize("name", ["first", "last"])
def test_one_bad_check_does_not_take_the_others_down(results, name):
    assert results[name].outcome is Outcome.PASSED


def test_no_checks_give_no_results():
    with duckdb.connect() as connection:
        assert run(connection) == ()


def test_a_relation_that_is_not_there_errs_every_check():
    with duckdb.connect() as connection:
        measures = [
            RowCount(),
            TableSchema((ColumnType("i", ("BIGINT",)),)),
            Nulls("i"),
            Query("SELECT 0"),
        ]
        results = run(connection, *measures)
    assert [r.outcome for r in results] == [Outcome.ERRORED] * 4
    assert all("CatalogException" in r.reason for r in results)


def test_a_file_that_is_gone_errs_every_check(tmp_path):
    connection = parquet(tmp_path, DATA)
    (tmp_path / "part-0.parquet").unlink()
    results = run(connection, RowCount(), Query("SELECT 0"))
    assert [r.outcome for r in results] == [Outcome.ERRORED] * 2


def test_a_closed_connection_errs_every_check(tmp_path):
    connection = parquet(tmp_path, DATA)
    connection.close()
    assert [r.outcome for r in run(connection, RowCount())] == [Outcome.ERRORED]


def test_a_query_that_runs_for_ever_is_interrupted(tmp_path):
    connection = parquet(tmp_path, DATA)
    started = time.monotonic()
    nulls, endless, late = run(
        connection,
        Nulls("i"),
        Query(FOR_EVER),
        Query("SELECT 0"),
        time_limit_seconds=3,
    )
    assert time.monotonic() - started < 20
    assert nulls.outcome is Outcome.PASSED
    assert [endless.outcome, late.outcome] == [Outcome.ERRORED] * 2
    assert "the time limit of the audit is over" in endless.reason
    assert connection.execute("SELECT 42").fetchall() == [(42,)]


def test_a_view_that_runs_for_ever_is_interrupted():
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA weather")
        connection.execute(
            f"CREATE VIEW weather.hourly AS {FOR_EVER.replace('count(*)', 'a.range AS i')}"
        )
        results = run(connection, Nulls("i"), Duplicates(("i",)), RowCount(), time_limit_seconds=1)
    assert {r.outcome for r in results} == {Outcome.ERRORED}
    assert {r.reason.partition(": ")[2] for r in results} == {"the time limit of the audit is over"}


def test_an_unsupported_measure_is_told_beforehand():
    assert measure_supported(RowCount())
    assert not measure_supported(DbtTest("test.x"))


def test_every_check_of_a_relation_without_rows_has_a_number(tmp_path):
    connection = parquet(tmp_path, f"{DATA} WHERE i < 0")
    relation = Relation("weather", "hourly", ("i",))
    measures = [Nulls("i"), Duplicates(("i",)), Length("name", 1, 2), RowCount(), Range("i", 0, 1)]
    results = audit(connection, relation, [check(m) for m in measures], candidate="c")
    assert [(r.outcome, r.observed, r.rows) for r in results] == [(Outcome.PASSED, 0, 0)] * 5
