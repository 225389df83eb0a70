"""The limit: what DuckDB needs for the computation itself, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import mkdtemp
from typing import Any

from benchmarks.work import EXPECTATIONS, SELECT, answer, offending, verdicts


def product(source: str) -> Callable[[], Any]:
    """Prepare a folder; the work is one COPY to Parquet and one aggregate query over it."""
    con = _connect()
    file = f"{mkdtemp()}/lines.parquet"

    def work() -> Any:
        query = SELECT.format(source=f"'{source}'")
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
        con.execute(f"COPY ({query}) TO '{file}' ({options})").fetchall()
        return answer(file, _aggregate(con, f"'{file}'"))

    return work


def checking(source: str) -> Callable[[], Any]:
    """Prepare a connection; the work is one aggregate query."""
    con = _connect()
    return lambda: answer("", _aggregate(con, f"'{source}'"))


def _connect() -> Any:
    import duckdb

    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    con.execute("SET preserve_insertion_order = false")
    return con


def _aggregate(con: Any, relation: str) -> dict[str, bool]:
    counts = []
    for one in EXPECTATIONS:
        if one.kind == "rows":
            counts.append(f"CASE WHEN count(*) >= {one.low} THEN 0 ELSE 1 END")
        elif one.kind == "unique":
            keys = ", ".join(one.columns)
            repeated = f"SELECT 1 FROM {relation} GROUP BY {keys} HAVING count(*) > 1"
            counts.append(f"(SELECT count(*) FROM ({repeated}))")
        else:
            counts.append(f"count_if({offending(one)})")
    [row] = con.execute(f"SELECT {', '.join(counts)} FROM {relation}").fetchall()
    return verdicts({one.name: found for one, found in zip(EXPECTATIONS, row, strict=True)})
