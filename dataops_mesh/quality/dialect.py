"""The bridge on which Great Expectations reaches the audited connection.

Great Expectations wants a SQLAlchemy engine and fetches rows after it has given the
connection back, when DuckDB's cursor is gone. So this dialect borrows the caller's live
connection instead of opening one, and its cursor fetches every row when it executes; the
audit only ever asks for aggregates and a handful of rows.

Imports SQLAlchemy: import this module only inside functions.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from duckdb_sqlalchemy import Dialect
from sqlalchemy.dialects import registry
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import UserDefinedType

from dataops_mesh.quality.loan import read_columns
from dataops_mesh.quality.relation import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dataops_mesh.quality.loan import Loan

URL = "dataops_mesh://"


_loan: ContextVar[Loan] = ContextVar("dataops_mesh_audit")


@contextlib.contextmanager
def lend(loan: Loan) -> Iterator[None]:
    """Let engines of this dialect run on the loan's connection within the block."""
    token = _loan.set(loan)
    try:
        yield
    finally:
        _loan.reset(token)


class Cursor:
    """A PEP 249 cursor that fetches all rows when it executes."""

    arraysize = 1
    rowcount = -1
    description: Any = None

    def __init__(self) -> None:
        self._rows: list[Any] = []

    def execute(self, statement: str, parameters: Any = None, *_: Any, **__: Any) -> None:
        """Run the statement on the borrowed connection."""
        loan = _loan.get()
        self._rows = loan.execute(statement, parameters)
        self.description = loan.connection.description

    def fetchone(self) -> Any:
        """Return the next row or None."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next rows."""
        count = size or self.arraysize
        rows, self._rows = self._rows[:count], self._rows[count:]
        return rows

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    def close(self) -> None:
        """Keep the rows: Great Expectations reads them after it has closed the connection."""


class BorrowedConnection:
    """A PEP 249 connection that never closes, commits or rolls back what it borrowed."""

    autocommit = True
    notices: Sequence[str] = ()

    def cursor(self) -> Cursor:
        """Return a cursor on whatever connection is lent when it executes."""
        return Cursor()

    def begin(self) -> None:
        """Do nothing: an audit only reads."""

    def commit(self) -> None:
        """Do nothing: an audit only reads."""

    def rollback(self) -> None:
        """Do nothing: an audit only reads."""

    def close(self) -> None:
        """Do nothing: the connection belongs to the caller."""


class EngineType(UserDefinedType[Any]):
    """A column's type as DuckDB spells it, for example `DECIMAL(18,2)`."""

    cache_ok = True

    def __init__(self, text: str) -> None:
        self.text = text

    def get_col_spec(self, **_: Any) -> str:
        """Return DuckDB's own spelling."""
        return self.text


class AuditDialect(Dialect):  # type: ignore[misc]  # duckdb-sqlalchemy is not typed
    """DuckDB's dialect on a borrowed connection."""

    supports_statement_cache = True

    def connect(self, *_: Any, **__: Any) -> BorrowedConnection:
        """Borrow instead of opening a database."""
        return BorrowedConnection()

    @classmethod
    def get_pool_class(cls, _url: Any) -> type[StaticPool]:
        """Return a pool of one, because there is one connection."""
        return StaticPool

    def initialize(self, connection: Any) -> None:
        """Ask the database nothing: everything about it is known."""

    def get_columns(self, _connection: Any, table_name: str, *_: Any, **__: Any) -> list[Any]:
        """Describe a relation with one statement; reflection through pg_catalog takes many."""
        columns = read_columns(_loan.get(), quote(table_name))
        return [
            {"name": name, "type": EngineType(kind), "nullable": True, "default": None}
            for name, kind in columns.items()
        ]

    def get_pk_constraint(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Return no key: a view has none."""
        return {"constrained_columns": [], "name": None}


registry.register("dataops_mesh", __name__, AuditDialect.__name__)
