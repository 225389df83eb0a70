"""The caller's connection while it is audited: one view, a deadline, and redacted errors."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataops_mesh.quality.redact import AuditError, redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from dataops_mesh.quality.relation import Relation

AUDITED = "dataops_mesh_audited"
OVER = "the time limit of the audit is over"


@dataclass(slots=True)
class Loan:
    """A borrowed connection, on which every statement is bounded in time and redacted.

    Args:
        connection: not inside a transaction, so that a failed statement spoils no other.
        deadline: on the monotonic clock.
        incident: the last redacted error.
    """

    connection: duckdb.DuckDBPyConnection
    deadline: float
    incident: str = ""
    _returned: threading.Event = field(default_factory=threading.Event)

    def execute(self, statement: str, parameters: Any = None) -> list[Any]:
        """Run a statement and return all of its rows.

        Raises:
            AuditError: with a redacted reason, and raised where the engine's error is no longer
                its context, so that no traceback or log can repeat a cell of the data.
        """
        try:
            if time.monotonic() < self.deadline:
                return self.connection.execute(statement, parameters or None).fetchall()
            incident = OVER
        except Exception as error:  # noqa: BLE001 - whatever it is, only its redaction may leave
            incident = OVER if time.monotonic() > self.deadline else redact(error, statement)
        self.incident = incident
        raise AuditError(incident)

    def interrupt_when_over(self) -> None:
        """Interrupt the connection at the deadline, and again until it is returned.

        Again, because whoever runs the statements may try the next one.
        """
        self._returned.wait(max(0.0, self.deadline - time.monotonic()))
        while not self._returned.wait(0.02):
            self.connection.interrupt()


@contextlib.contextmanager
def borrow(
    connection: duckdb.DuckDBPyConnection, relation: Relation, seconds: float
) -> Iterator[Loan]:
    """Lend the connection for this many seconds, with the relation under the audited name.

    A fixed name lets all audits of a process share one Great Expectations context, and
    spares it the schemas and quotes of ours.

    Raises:
        AuditError: the relation cannot be read.
    """
    loan = Loan(connection, time.monotonic() + seconds)
    watch = threading.Thread(target=loan.interrupt_when_over, name="audit deadline", daemon=True)
    watch.start()
    try:
        loan.execute(f'CREATE OR REPLACE TEMP VIEW "{AUDITED}" AS SELECT * FROM {relation.sql}')
        yield loan
    finally:
        loan._returned.set()  # noqa: SLF001 - its own module
        watch.join()
        with contextlib.suppress(Exception):  # never hide the results that are already there
            connection.execute(f'DROP VIEW IF EXISTS temp."{AUDITED}"')


def read_columns(loan: Loan, relation_sql: str) -> dict[str, str]:
    """Return each column's DuckDB type, in the relation's order."""
    rows = loan.execute(f"DESCRIBE {relation_sql}")
    return {name: kind for name, kind, *_ in rows}
