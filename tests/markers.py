"""Where a text is left in files: each is opened by its own reader, and looked at as bytes too.

The readers are DuckDB, the sqlite3 module and gzip; nothing of ours takes part.
"""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import duckdb

PARQUET, SQLITE, DUCKDB, GZIP = b"PAR1", b"SQLite format 3\x00", b"DUCK", b"\x1f\x8b"


def places(root: Path, marker: str) -> set[str]:
    """Return the files below a folder that hold the marker, by their paths."""
    assert len(marker) == 16
    return {
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*"))
        if path.is_file() and any(marker in text for text in texts(path))
    }


def texts(path: Path) -> Iterator[str]:
    """Yield all that a file says, in its own format and byte by byte."""
    content = path.read_bytes()
    yield content.decode("latin-1")
    if content.startswith(GZIP):
        yield gzip.decompress(content).decode("latin-1")
    if content.startswith(PARQUET):
        yield from _parquet(path)
    if content.startswith(SQLITE):
        yield from _sqlite(path)
    if content[8:12] == DUCKDB:
        yield from _duckdb(path)


def _parquet(path: Path) -> Iterator[str]:
    with duckdb.connect() as con:
        for row in con.execute(
            "select columns(*)::varchar from read_parquet(?)", [str(path)]
        ).fetchall():
            yield from (cell for cell in row if cell is not None)
        for row in con.execute("from parquet_metadata(?)", [str(path)]).fetchall():
            yield str(row)  # statistics hold values too
        for row in con.execute("from parquet_kv_metadata(?)", [str(path)]).fetchall():
            yield str(row)


def _sqlite(path: Path) -> Iterator[str]:
    """Read a copy with its log, so that looking changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for part in path.parent.glob(f"{path.name}*"):
            with suppress(FileNotFoundError):
                shutil.copy(part, folder)
        with closing(sqlite3.connect(Path(folder) / path.name)) as con:
            for (name,) in con.execute(
                "select name from sqlite_master where type = 'table'"
            ).fetchall():
                for row in con.execute(f'select * from "{name}"'):
                    for cell in row:
                        yield cell.decode("latin-1") if isinstance(cell, bytes) else str(cell)


def _duckdb(path: Path) -> Iterator[str]:
    with duckdb.connect() as con:
        con.execute(f"attach '{path}' as looked (read_only)")
        yield str(
            con.execute("select sql from duckdb_views() where database_name = 'looked'").fetchall()
        )
        found = "select schema_name, table_name from duckdb_tables() where database_name = 'looked'"
        for schema, table in con.execute(found).fetchall():
            for row in con.execute(f'from looked."{schema}"."{table}"').fetchall():
                yield str(row)
