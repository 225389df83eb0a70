"""What consumers get: a sealed connection to one release, pinned until it is closed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dataops_mesh.engine import sql
from dataops_mesh.engine.data import damaged_scan
from dataops_mesh.engine.missing import missing_name
from dataops_mesh.engine.session import bind_release, seal, session
from dataops_mesh.engine.whole import Opened
from dataops_mesh.errors import CorruptError, NotPublishedError, Problem, StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.line.known import find, note_read
from dataops_mesh.store.log import Release
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.sound import mended_by
from dataops_mesh.store.store import Store, name_of, open_store

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
        with warnings.catch_warnings():
            # DuckDB 2 recommends relations instead, which would hand out the connection.
            warnings.simplefilter("ignore", UserWarning)
            return self.__con.to_arrow_table()


class Connection:
    """One release as DuckDB views, for reading; a context manager.

    Args:
        release: what it shows.
        con: a sealed session.
        stack: what to end with it.
        damaged: why some addresses cannot be read.
    """

    def __init__(
        self,
        release: Release,
        con: duckdb.DuckDBPyConnection,
        stack: ExitStack,
        damaged: tuple[StoreError, ...] = (),
    ) -> None:
        self.release = release
        self.__damaged = damaged
        self.__con = con
        self.__stack = stack

    @property
    def sandbox(self) -> str:
        """Return the name of the sandbox that this shows; empty for production."""
        return name_of(self.release.line)

    def __repr__(self) -> str:
        """Return what it shows, a sandbox never as if it were production."""
        return f"<release {self.release.number} of {self.release.line}>"

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one SELECT; addresses are `domain.port`."""
        import duckdb

        statement = sql.require_select(self.__con, query)
        try:
            return Rows(self.__con.execute(statement, list(parameters) or None))
        except duckdb.CatalogException as error:
            told = missing_name(self.__con, statement, error, self.release)
            raise told or error from None
        except duckdb.Error as error:
            said = str(error)
            raise next((one for one in self.__damaged if str(one) in said), error) from None

    def close(self) -> None:
        """Give up the release."""
        self.__stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:  # Ctrl-C ends DuckDB's answer, not its work, and closing waits for it
            self.__con.interrupt()
        self.close()


def connect(  # noqa: PLR0913 - keywords, each what a reader may say
    store_root: Path,
    release: int | None = None,
    *,
    memory_limit: str = "1GB",
    threads: int = 2,
    addresses: Iterable[Address] | None = None,
    sandbox: str = "",
    restricted: Path | None = None,
    opened: Callable[[Store, Release], Opened] | None = None,
) -> Connection:
    """Open one release of a store for reading.

    Args:
        store_root: the store's folder.
        release: its number; the latest if absent.
        memory_limit: in DuckDB's words.
        threads: how many it may use.
        addresses: only these; to bind a thousand takes a second.
        sandbox: the name of one, instead of production.
        restricted: the folder of clear values, for who reads by a role.
        opened: tells which masked columns it reads as they are.
    """
    store = open_store(Path(store_root), create=False, restricted=restricted)
    if sandbox:
        store = find(store, sandbox)
        note_read(store)
    with ExitStack() as stack:
        found = stack.enter_context(pinned(store, release))
        now = datetime.now(UTC)
        con = stack.enter_context(
            session(store, memory_limit=memory_limit, threads=threads, now=now)
        )
        wanted = found.ports if addresses is None else addresses
        clear = opened(store, found) if opened else {}
        bound, damaged = _bind(con, store, found, wanted, clear)
        seal(con, bound)
        return Connection(found, con, stack.pop_all(), damaged)


def _bind(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    release: Release,
    wanted: Iterable[Address],
    clear: Opened,
) -> tuple[list[Path], tuple[StoreError, ...]]:
    """Bind each address; one that is damaged is told to whoever asks for it, and to nobody else."""
    bound: list[Path] = []
    damaged: list[StoreError] = []
    for address in wanted:
        try:
            bound += bind_release(con, store, release, (address,), clear)
            continue
        except NotPublishedError:
            raise
        except StoreError as error:
            damaged.append(error)
        except sql.engine_error() as error:  # of an older version, which kept no time of change
            what = f"{address} cannot be read: {sql.reason(error)}"
            then = f"mesh store verify; {mended_by(release.ports[address].product)}"
            damaged.append(CorruptError(Problem(what, next=then)))
        schema, view = sql.identifier(address.domain), sql.identifier(address.port)
        relation = damaged_scan(store, address, release.ports[address], damaged[-1])
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        con.execute(f"CREATE OR REPLACE VIEW {schema}.{view} AS FROM {relation}")
    return bound, tuple(damaged)
