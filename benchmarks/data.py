"""The data: TPC-H's `lineitem`, by a generator that installs like any package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.work import FLAWS, SELECT, TYPES

ROWS_OF_FACTOR_ONE = 6_001_215
# Money as DOUBLE and days as TIMESTAMP: pandas would hold DECIMAL and DATE as slow objects.
PLAIN = """\
l_orderkey, l_linenumber::BIGINT AS l_linenumber, l_partkey, l_suppkey,
l_quantity::DOUBLE AS l_quantity, l_extendedprice::DOUBLE AS l_extendedprice,
l_discount::DOUBLE AS l_discount, l_tax::DOUBLE AS l_tax, l_returnflag, l_linestatus,
l_shipdate::TIMESTAMP AS l_shipdate, l_receiptdate::TIMESTAMP AS l_receiptdate,
l_shipmode, l_shipinstruct, l_comment
"""


def lineitem(work: Path, rows: int) -> Path:
    """Return a Parquet file of about that many order lines, made on first use."""
    file = work / "data" / f"lineitem-{rows}.parquet"
    if not file.is_file():
        made = _generated(file.parent, rows)
        _copy(f"SELECT {PLAIN} FROM '{made}/lineitem.parquet'", file)
        shutil.rmtree(made)
    return file


def flawed(work: Path, rows: int) -> Path:
    """Return the same with a few rows that break what `FLAWS` says, one row for each."""
    import duckdb

    file = work / "data" / f"lineitem-{rows}-flawed.parquet"
    if not file.is_file():
        with duckdb.connect() as con:
            con.execute(f"CREATE TABLE lines AS FROM '{lineitem(work, rows)}'")
            for number, change in enumerate(FLAWS.values()):
                con.execute(f"UPDATE lines SET {change} WHERE rowid = {100 + number}")
            con.execute(f"COPY lines TO '{file}' (FORMAT parquet)")
    return file


def built(source: Path) -> Path:
    """Return the product's rows as a file: what is checked where checking alone is measured."""
    file = source.with_name(source.name.replace("lineitem", "lines"))
    if not file.is_file():
        _copy(SELECT.format(source=f"'{source}'"), file)
    return file


def content(relation: str) -> list[Any]:
    """Return the number of rows and the sum of their hashes: equal if the rows are."""
    import duckdb

    path, _, table = relation.partition("::")
    columns = ", ".join(f"{name}::{kind}" for name, kind in TYPES.items())
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        if table:
            con.execute(f"ATTACH '{path}' (READ_ONLY)")  # by its own name: views repeat it
        source = f"{Path(path).stem}.{table}" if table else f"'{path}'"
        query = f"SELECT count(*), sum(hash({columns})::HUGEINT)::VARCHAR FROM {source}"
        return list(con.execute(query).fetchall()[0])


def _generated(folder: Path, rows: int) -> Path:
    made = folder / f"tpch-{rows}"
    made.mkdir(parents=True, exist_ok=True)
    generator = Path(sys.executable).parent / "tpchgen-cli"
    factor = f"{rows / ROWS_OF_FACTOR_ONE:.6f}"
    command = [generator, "parquet", "-s", factor, "--tables", "lineitem", "--output-dir", made]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return made


def _copy(query: str, file: Path) -> None:
    import duckdb

    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        con.execute("SET preserve_insertion_order = false")
        con.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)")
