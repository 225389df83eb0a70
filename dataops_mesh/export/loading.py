"""Loads a table of PostgreSQL from Parquet: DuckDB writes into a pipe, and COPY reads it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.errors import ExportError, Problem
from dataops_mesh.export.types import stored_as, written
from dataops_mesh.export.wanted import Copy

if TYPE_CHECKING:
    import duckdb

_NULL = r"\N"


def load(cursor: Any, con: duckdb.DuckDBPyConnection, copy: Copy, table: str) -> None:
    """Create a table and fill it, in the transaction of the cursor; the memory used is bounded.

    Its rows are frozen: who began to read before this transaction ends sees all of them, or is
    kept from the table by its lock, but never finds it empty.

    Args:
        cursor: of PostgreSQL.
        con: of DuckDB.
        copy: what is loaded.
        table: its quoted name.

    Raises:
        ExportError: not every row arrived.
    """
    columns = [f"{sql.identifier(name)} {stored_as(kind)}" for name, kind in copy.columns]
    cursor.execute(f"create table {table} ({', '.join(columns)})")
    receive, send = os.pipe()
    writer = _Writer(con, _copy_out(copy, f"/dev/fd/{send}"), send)
    writer.start()
    try:
        with os.fdopen(receive, "rb") as rows:
            how = f"format csv, null '{_NULL}', freeze"
            cursor.copy_expert(f"copy {table} from stdin with ({how})", rows)
    finally:
        writer.join()
    if writer.failed is not None or cursor.rowcount != copy.rows:
        what = f"{copy.address}: {cursor.rowcount} of {copy.rows} rows arrived"
        if writer.failed is not None:
            what += f"; {sql.reason(writer.failed)}"
        raise ExportError(Problem(what, copy.export.where, next="mesh store verify"))


class _Writer(threading.Thread):
    """Has DuckDB write a statement's rows, while this thread's parent hands them on."""

    def __init__(self, con: duckdb.DuckDBPyConnection, statement: str, send: int) -> None:
        super().__init__(daemon=True)
        self._con, self._statement, self._send = con, statement, send
        self.failed: Exception | None = None

    def run(self) -> None:
        """Write, then close the pipe: that is its end."""
        try:
            self._con.execute(self._statement)
        except Exception as error:  # noqa: BLE001 - told by whoever waits for the rows
            self.failed = error
        finally:
            os.close(self._send)


def _copy_out(copy: Copy, target: str) -> str:
    rows = ", ".join(
        f"{written(name, kind)} AS {sql.identifier(name)}" for name, kind in copy.columns
    )
    # A text that looks like a null, or like the end of all rows, is only text.
    texts = [sql.identifier(n) for n, kind in copy.columns if stored_as(kind) in {"text", "jsonb"}]
    quoted = f", FORCE_QUOTE ({', '.join(texts)})" if texts else ""
    options = f"FORMAT csv, HEADER false, NULLSTR '{_NULL}'{quoted}"
    return f"COPY (SELECT {rows} FROM {copy.relation}) TO {sql.literal(target)} ({options})"
