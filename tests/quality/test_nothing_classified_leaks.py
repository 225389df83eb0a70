"""No cell of a column that is not safe appears in a result, whatever goes wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest
from quality_cases import check, parquet, run

from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.spec.checks.measures import (
    Duplicates,
    Length,
    Missing,
    Nulls,
    OutsideSet,
    Query,
    Range,
    RowCount,
    Unmatched,
)
from dataops_mesh.spec.model import Operator, Threshold, Unit

IBAN = "DE89370400440532013000"
DATA = f"""
    SELECT * FROM (VALUES
        (1, 'x', '{IBAN}', 9.5::DOUBLE), (1, 'y', '{IBAN}', 99.5), (2, NULL, NULL, NULL),
        (3, '{"long" * 40}', '', 'nan'::DOUBLE)
    ) AS t (id, code, iban, amount)
"""
LONG = "long" * 19 + "lon…"
FIRST, SECOND, THIRD, FOURTH = ("1", "x"), ("1", "y"), ("2", None), ("3", LONG)
FAILING = {
    "nulls": (Nulls("iban"), {THIRD}),
    "missing": (Missing("iban", ("",)), {THIRD, FOURTH}),
    "set": (OutsideSet("iban", ("",)), {FIRST, SECOND}),
    "pattern": (Unmatched("iban", "^$"), {FIRST, SECOND}),
    "length": (Length("iban", 22, None), {FOURTH}),
    "range": (Range("amount", 10, None), {FIRST, FOURTH}),
    "key": (Duplicates(("id",)), {("1",)}),
    "classified key": (Duplicates(("iban",)), set()),
    "partly classified key": (Duplicates(("id", "iban")), {("1",)}),
}


@pytest.fixture
def connection(tmp_path):
    return parquet(tmp_path, DATA)


def test_samples_show_offending_rows_in_safe_columns_only(connection):
    checks = [check(measure, name=name) for name, (measure, _) in FAILING.items()]
    results = run(connection, *checks, safe=("id", "code"))
    shown = {
        result.check: {(row["id"], *([row["code"]] if "code" in row else [])) for row in rows}
        for result in results
        for rows in [[dict(row) for row in result.sample]]
    }
    assert shown == {name: rows for name, (_, rows) in FAILING.items()}
    assert {result.outcome for result in results} == {Outcome.FAILED}
    assert IBAN not in repr(results)


def test_without_safe_columns_there_is_no_sample(connection):
    measures = [measure for measure, _ in FAILING.values()]
    assert {result.sample for result in run(connection, *measures)} == {()}


def test_a_sample_has_at_most_five_rows_and_short_cells(tmp_path):
    connection = parquet(tmp_path, "SELECT repeat('ab', 100) AS t, NULL AS n FROM range(9)")
    (result,) = run(connection, Nulls("n"), safe=("t",))
    assert len(result.sample) == 5
    assert {len(str(value)) for row in result.sample for _, value in row} == {80}


def test_a_failure_by_too_few_has_no_offending_rows_to_show(connection):
    (result,) = run(connection, check(Nulls("iban"), Threshold(Operator.GREATER, 5)), safe=("id",))
    assert (result.outcome, result.sample) == (Outcome.FAILED, ())


@pytest.mark.parametrize(
    "measure",
    [
        Query("SELECT sum(iban::INT) FROM {object}"),
        Query("SELECT count(*) FROM {object} WHERE iban = DATE '2013-01-01'"),
        Query("SELECT max(error(iban)) FROM {object}"),
        Query("SELECT max(iban) FROM {object}"),
        Query(f"SELECT '{IBAN}'::INT"),
        OutsideSet("iban", (1, 2)),
        Range("iban", 0, 1),
    ],
)
def test_an_engine_error_never_repeats_a_cell(connection, measure, capfd, caplog):
    (result,) = run(connection, measure, safe=("id",))
    assert result.outcome is not Outcome.PASSED
    assert IBAN not in repr(result)
    assert IBAN not in caplog.text
    out, err = capfd.readouterr()
    assert IBAN not in out + err


def test_a_cell_that_stops_the_scan_is_not_repeated(tmp_path):
    file = tmp_path / "accounts.csv"
    file.write_text(f"id,iban\n1,5\n2,{IBAN}\n", "utf-8")
    connection = parquet(tmp_path, "SELECT 1")
    connection.execute(
        f"CREATE OR REPLACE VIEW weather.hourly AS SELECT * FROM read_csv('{file}', "
        "columns = {'id': 'INTEGER', 'iban': 'INTEGER'})"
    )
    results = run(
        connection,
        Nulls("iban"),
        Nulls("id"),
        Duplicates(("iban",)),
        Range("iban", 0, 9),
        safe=("id",),
    )
    assert Outcome.PASSED not in {r.outcome for r in results[2:]}
    assert Outcome.ERRORED in {r.outcome for r in results}
    assert IBAN not in repr(results)


def test_an_audit_prints_logs_and_warns_nothing(tmp_path):
    script = f"""
import sys
sys.path.insert(0, {str(__file__.rpartition("/")[0])!r})
import duckdb, pathlib
from quality_cases import parquet, run
from dataops_mesh.spec.checks.measures import Nulls, Query, Unmatched, RowCount
connection = parquet(pathlib.Path({str(tmp_path)!r}), "SELECT 1 AS id, '{IBAN}' AS iban")
run(connection, Nulls("id"), Unmatched("iban", "("), Query("SELECT iban::INT FROM {{object}}"), RowCount())
"""
    command = [
        sys.executable,
        "-W",
        "always",
        "-W",
        "ignore::DeprecationWarning",
        "-W",
        "ignore::PendingDeprecationWarning",
        "-c",
        script,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = done.stderr.partition("nanobind: leaked")[0]  # DuckDB 2.0 on its own exit
    assert (done.stdout, said) == ("", "")


def test_a_reason_is_a_sentence_of_names_and_counts(connection):
    percent = Threshold(Operator.LESS, 20, Unit.PERCENT)
    results = run(
        connection,
        Range("amount", 0, 50),
        check(Nulls("iban"), percent),
        Duplicates(("id", "iban")),
        check(RowCount(), Threshold(Operator.BETWEEN, (5, 9))),
    )
    assert [r.reason for r in results] == [
        "2 rows of amount are outside [0, 50]; the contract says mustBe 0",
        "25 percent (1 row of iban is null, of 4); the contract says mustBeLessThan 20 percent",
        "1 key of (id, iban) repeats; the contract says mustBe 0",
        "there are 4 rows; the contract says mustBeBetween [5, 9]",
    ]
