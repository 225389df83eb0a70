"""Open the ledger's database: SQLite in the store, or any other that SQLAlchemy knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dataops_mesh.disk import SHARED
from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.ledger.told.log import Tell, nobody

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_BUSY_SECONDS = 30
_CREATING = 0x6D657368  # "mesh": the number of our lock in PostgreSQL


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger.

    Args:
        engine: SQLAlchemy's.
        writable: False for a file in a place that may only be read.
        tell: told of what has come on record.
    """

    engine: Engine
    writable: bool = True
    tell: Tell = nobody

    def close(self) -> None:
        """Give up its connections."""
        self.engine.dispose()


def open_ledger(url: str, tell: Tell = nobody, *, patience: float = _BUSY_SECONDS) -> Ledger:
    """Open a ledger by its SQLAlchemy URL and create its tables if they are missing.

    A file in a place that may only be read is opened for reading.

    Args:
        url: where it is.
        tell: told of what has come on record.
        patience: for how many seconds to wait for another process that writes in a file.
    """
    from sqlalchemy import create_engine, event, text
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.schema import CreateIndex, CreateTable

    from dataops_mesh.ledger.schema import metadata

    try:
        sealed = _sealed_file(url)
        if sealed is not None:
            # Without `immutable` SQLite would write beside the file even to read it.
            readable = f"sqlite:///file:{quote(str(sealed))}?mode=ro&immutable=1&uri=true"
            return Ledger(create_engine(readable), writable=False)
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            _make_file(engine.url.database)
            event.listen(engine, "connect", partial(_prepare_sqlite, patience))
        with engine.begin() as connection:
            if _complete(connection):
                return Ledger(engine, tell=tell)
            if engine.dialect.name == "postgresql":  # one at a time, or two make the same table
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATING})
            for table in metadata.sorted_tables:
                connection.execute(CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    connection.execute(CreateIndex(index, if_not_exists=True))
    except SQLAlchemyError as error:
        raise _unusable(error) from None
    return Ledger(engine, tell=tell)


def _complete(connection: Connection) -> bool:
    """Tell whether nothing has to be made: even `IF NOT EXISTS` waits for whoever writes."""
    from sqlalchemy import inspect

    from dataops_mesh.ledger.schema import metadata

    seen = inspect(connection)
    if not set(metadata.tables) <= set(seen.get_table_names()):
        return False
    # The one index that a table of an older version lacks.
    return "candidates_by_time" in {index["name"] for index in seen.get_indexes("candidates")}


@contextmanager
def transaction(ledger: Ledger) -> Iterator[Connection]:
    """Run a block in one transaction."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with ledger.engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise _unusable(error) from None


def insert_of(connection: Connection) -> Any:
    """Return the `insert` of a connection's database, which knows what to do on a conflict."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_postgresql

        return insert_postgresql
    from sqlalchemy.dialects.sqlite import insert as insert_sqlite

    return insert_sqlite


def lacks(ledger: Ledger, connection: Connection, table: str) -> bool:
    """Tell whether an older version wrote the ledger, and nobody may add a table to it here."""
    from sqlalchemy import inspect

    return not ledger.writable and not inspect(connection).has_table(table)


def _sealed_file(url: str) -> Path | None:
    """Return the file of a SQLite ledger whose folder may only be read."""
    from sqlalchemy import make_url

    found = make_url(url)
    if found.get_backend_name() != "sqlite" or not found.database:
        return None
    file = Path(found.database).absolute()
    return file if file.is_file() and not os.access(file.parent, os.W_OK) else None


def _make_file(database: str | None) -> None:
    """Make the file with the rights that the umask gives: SQLite lets no group write its own."""
    if database and database != ":memory:" and not (file := Path(database)).exists():
        with suppress(OSError):  # said by SQLite, in the words of the ledger
            file.touch()


def _prepare_sqlite(patience: float, connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {patience * 1000:.0f}")
    # Readers and the writer do not wait for each other; a power cut can lose the last rows.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _unusable(error: Exception) -> StoreError:
    """Say what the database said, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error).splitlines()[0]
    if "readonly database" in said:  # SQLite's word for a file of somebody else
        what = "the ledger's file may not be written: it or its folder belongs to others"
        return StoreError(Problem(what, next=SHARED))
    if "is locked" in said:
        what = "the ledger cannot be used: it is busy, another process writes in it"
        return StoreError(Problem(what, next="try again in a moment"))
    return StoreError(
        Problem(
            f"the ledger cannot be used: {said}",
            next="check the setting `ledger`; do not delete it: what people did stands only there",
        )
    )
