"""What consumers get: a sealed connection to one release, pinned until it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dataops_mesh.engine import sql
from dataops_mesh.engine.pins import pinned
from dataops_mesh.engine.session import bind_release, seal, session
from dataops_mesh.engine.store import open_store

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa


class Rows:
    """The result of one statement; hands out rows, never the connection."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.__con = con

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns' names."""
        return tuple(str(column[0]) for column in self.__con.description or ())

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, or None."""
        return self.__con.fetchone()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that are left."""
        return self.__con.fetchall()

    def df(self) -> pd.DataFrame:
        """Return the rows as a pandas frame."""
        return self.__con.df()

    def arrow(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        return self.__con.to_arrow_table()


class Connection:
    """One release as DuckDB views, for reading; a context manager.

    Args:
        root: the store's folder.
        release: its number; the latest if absent.
        memory_limit: in DuckDB's words.
        threads: how many it may use.
    """

    def __init__(self, root: Path, release: int | None, memory_limit: str, threads: int) -> None:
        store = open_store(root, create=False)
        with ExitStack() as stack:
            self.release = stack.enter_context(pinned(store, release))
            now = datetime.now(UTC)
            self.__con = stack.enter_context(
                session(store, memory_limit=memory_limit, threads=threads, now=now)
            )
            found = bind_release(self.__con, store, self.release, self.release.ports)
            seal(self.__con, found)
            self.__stack = stack.pop_all()

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one SELECT; addresses are `domain.port`."""
        statement = sql.require_select(self.__con, query)
        return Rows(self.__con.execute(statement, list(parameters) or None))

    def close(self) -> None:
        """Give up the release."""
        self.__stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    store_root: Path,
    release: int | None = None,
    *,
    memory_limit: str = "1GB",
    threads: int = 2,
) -> Connection:
    """Open one release of a store for reading.

    Args:
        store_root: the store's folder.
        release: its number; the latest if absent.
        memory_limit: in DuckDB's words.
        threads: how many it may use.
    """
    return Connection(Path(store_root), release, memory_limit, threads)
