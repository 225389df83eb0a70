"""Open the ledger's database: SQLite in the store, or any other that SQLAlchemy knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import Problem, StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_BUSY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger."""

    engine: Engine

    def close(self) -> None:
        """Give up its connections."""
        self.engine.dispose()


def open_ledger(url: str) -> Ledger:
    """Open a ledger by its SQLAlchemy URL and create its tables if they are missing."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.schema import CreateIndex, CreateTable

    from dataops_mesh.ledger.schema import metadata

    try:
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    connection.execute(CreateIndex(index, if_not_exists=True))
    except SQLAlchemyError as error:
        raise _unusable(error) from None
    return Ledger(engine)


@contextmanager
def transaction(ledger: Ledger) -> Iterator[Connection]:
    """Run a block in one transaction."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with ledger.engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise _unusable(error) from None


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    # Readers and the writer do not wait for each other; a power cut loses what is derived.
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _unusable(error: Exception) -> StoreError:
    """Say what the database said, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error).splitlines()[0]
    return StoreError(
        Problem(
            f"the ledger cannot be used: {said}",
            next="check the setting `ledger`; it is derived, `mesh` can write it again",
        )
    )
