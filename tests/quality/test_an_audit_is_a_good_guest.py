"""An audit leaves the caller's connection as it was, costs few queries, and shares a process."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
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

LAZY = """
import sys
import dataops_mesh.quality
from dataops_mesh.quality import Relation, audit, measure_supported
heavy = {"great_expectations", "duckdb", "sqlalchemy", "pandas"} & set(sys.modules)
sys.exit(", ".join(sorted(heavy)) or 0)
"""


def test_importing_quality_imports_no_great_expectations():
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_connection_is_left_as_it_was(tmp_path):
    connection = parquet(tmp_path, "SELECT i FROM range(3) r(i)")
    connection.execute("SET TimeZone = 'Asia/Tokyo'")
    before = connection.execute("SELECT view_name FROM duckdb_views()").fetchall()
    run(connection, Nulls("i"), Unmatched("i", "("), Query("SELECT 0"))
    assert connection.execute("SELECT view_name FROM duckdb_views()").fetchall() == before
    zone = connection.execute("SELECT current_setting('TimeZone')").fetchall()
    assert zone == [("Asia/Tokyo",)]
    connection.execute("BEGIN; ROLLBACK")  # no transaction was left open


def test_checks_on_columns_share_one_scan(tmp_path):
    connection = parquet(tmp_path, "SELECT i, i AS k, 'a' AS s FROM range(3) r(i)")
    connection.execute("CALL enable_logging('QueryLog', storage = 'memory')")
    run(
        connection,
        *[Nulls("i"), Nulls("k"), Nulls("s"), Nulls("s"), Missing("s", ("", "NA"))],
        *[OutsideSet("s", ("a", "b")), Unmatched("s", "a"), Range("i", 0, 9), RowCount()],
        *[Range("k", 0, None), Duplicates(("i",)), Duplicates(("i", "k")), Length("s", 1, 2)],
    )
    log = connection.execute("SELECT message FROM duckdb_logs WHERE type = 'QueryLog'").fetchall()
    selects = [sql for (sql,) in log if sql.startswith("SELECT") and "duckdb_logs" not in sql]
    scans = [sql for sql in selects if 'count(*) AS "table.row_count"' not in sql]
    # One for all columns, and one for each key.
    assert len([sql for sql in scans if "LIMIT" not in sql]) == 3, scans


def test_two_audits_at_once_do_not_mix_their_relations(tmp_path):
    def one(rows: int) -> tuple[float | None, float | None]:
        folder = tmp_path / str(rows)
        folder.mkdir()
        connection = parquet(folder, f"SELECT i, NULL AS n FROM range({rows}) r(i)")
        nulls, count = run(connection, Nulls("n"), RowCount())
        return nulls.observed, count.observed

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(1, 13))) == [(n, n) for n in range(1, 13)]


def test_names_that_need_quotes_are_quoted(tmp_path):
    connection = parquet(tmp_path, 'SELECT NULL AS "select", 1 AS "Two Words", 2 AS "a""b"')
    results = run(
        connection,
        *[Nulls("select"), Nulls("Two Words"), Nulls('a"b'), Duplicates(("Two Words", 'a"b'))],
        Query("SELECT count(*) - max({property}) FROM {object}", "Two Words"),
        safe=("Two Words",),
    )
    assert [r.observed for r in results] == [1, 0, 0, 0, 0]
    assert results[0].sample == ((("Two Words", "1"),),)


def test_a_schema_drift_is_seen_by_the_next_audit_of_the_process(tmp_path):
    connection = parquet(tmp_path, "SELECT 1 AS a")
    assert run(connection, Nulls("a"))[0].outcome is Outcome.PASSED
    connection.execute("CREATE OR REPLACE VIEW weather.hourly AS SELECT NULL AS b")
    gone, null = run(connection, Nulls("a"), Nulls("b"))
    assert (gone.outcome, null.observed) == (Outcome.ERRORED, 1)


def test_results_come_in_the_order_of_the_checks(tmp_path):
    connection = parquet(tmp_path, "SELECT 1 AS a")
    measures = [
        Query("SELECT 0"),
        Nulls("a"),
        RowCount(),
        Nulls("x"),
        Nulls("a"),
        Query("SELECT 1"),
    ]
    checks = [check(measure, name=f"n{index}") for index, measure in enumerate(measures)]
    results = run(connection, *checks)
    assert [r.check for r in results] == [c.name for c in checks]
    assert all(r.seconds >= 0 for r in results)


def test_a_connection_to_a_read_only_file_can_be_audited(tmp_path):
    file = str(tmp_path / "mesh.duckdb")
    with duckdb.connect(file) as writer:
        writer.execute("CREATE SCHEMA weather; CREATE VIEW weather.hourly AS SELECT 1 AS a")
    with duckdb.connect(file, read_only=True) as reader:
        assert run(reader, Nulls("a"))[0].outcome is Outcome.PASSED
