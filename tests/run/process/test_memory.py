"""A run's memory must not grow with its rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from helpers import a_product, a_source, write_workspace

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
ROWS = 100_000_000 if LONG else 10_000_000
PATIENCE = 3_600 if LONG else 600
MEASURE = """
import json, sys, time
from helpers import run
from peak import peak_mb
from dataops_mesh.settings import load_settings
from pathlib import Path
settings = load_settings(Path(sys.argv[1]))
import dataops_mesh.quality.session
start = time.monotonic()
report = run(settings, "shop.events")
assert report.published, report.decision
assert report.notes == ()
print(json.dumps([report.rows, peak_mb(), time.monotonic() - start]))
"""
COLUMNS = [
    "{name: id, logicalType: integer, required: true}",
    "{name: amount, logicalType: integer, required: true, logicalTypeOptions: {minimum: 0}}",
    "{name: city, logicalType: string, required: true, enum: [{value: a}, {value: b}, {value: c}]}",
    "{name: moment, logicalType: timestamp, required: true}",
    "{name: note, logicalType: string}",
]
SQL = "select id, amount, city, moment, note from events_parquet"


def peak_and_seconds(root: Path, rows: int) -> tuple[int, float]:
    """Run a product over so many rows in a process of its own; peak memory in MB."""
    root.mkdir()
    files = a_product(
        {"events": COLUMNS},
        inputs=[a_source("events_parquet", "events.parquet")],
        files={"events.sql": SQL},
    )
    write_workspace(root, {"shop": {"events": files}})
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"500MB"', '"1GB"'))
    source = root / "domains/shop/events/events.parquet"
    duckdb.execute(
        "COPY (SELECT i AS id, (i % 1000)::INTEGER AS amount, chr(97 + (i % 3)::INTEGER) AS city,"
        " TIMESTAMP '2013-01-01' + to_seconds(i) AS moment, md5(i::VARCHAR) AS note"
        f" FROM range({rows}) AS t(i)) TO '{source}' (FORMAT parquet)"
    )
    here = Path(__file__).parent
    path = [str(here.parent), str(here.parent.parent), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{MEASURE}", str(root)],
        capture_output=True,
        text=True,
        check=True,
    )
    found, peak, seconds = json.loads(done.stdout)
    assert found == rows
    return peak, seconds


@pytest.mark.timeout(PATIENCE)
def test_ten_times_the_rows_need_about_the_same_memory(tmp_path: Path) -> None:
    small, _ = peak_and_seconds(tmp_path / "small", 1_000_000)
    large, seconds = peak_and_seconds(tmp_path / "large", ROWS)
    print(f"1M rows: {small} MB; {ROWS:,} rows: {large} MB, {seconds:.1f} s")  # noqa: T201 - seen with -s
    assert large - small < 500
    assert large < 2_000
