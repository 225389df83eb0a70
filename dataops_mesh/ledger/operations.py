"""What people did: collected, repaired, accepted, rolled back, assigned, withdrew, held, looked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.ledger.database import Ledger, transaction
from dataops_mesh.ledger.told.facts import of_operation


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a person; it is on record before it takes effect.

    Args:
        repository: where it was asked for.
        operation: its name, as the command's.
        subjects: what it is about: products, ports, domains, candidates.
        reason: what the person said.
        release: the newest release at that moment.
        details: what else there is to say, as JSON can.
    """

    at: datetime
    person: str
    repository: str
    operation: str
    subjects: tuple[str, ...] = ()
    reason: str = ""
    release: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


def add_operation(ledger: Ledger, operation: Operation) -> None:
    """Put an operation on record.

    Raises:
        StoreError: it cannot be, so it must not be done.
    """
    from sqlalchemy import insert

    from dataops_mesh.ledger.schema import operations as table

    if not ledger.writable:
        what = f"{operation.operation} cannot be put on record: the ledger may only be read here"
        raise StoreError(Problem(what, next="do it where the ledger can be written"))
    row = asdict(operation) | {
        "at": operation.at.astimezone(UTC).isoformat(),
        "subjects": json.dumps(operation.subjects),
        "details": json.dumps(dict(operation.details), sort_keys=True, default=str),
    }
    with transaction(ledger) as connection:
        connection.execute(insert(table), [row])
    ledger.tell([of_operation(row)])


def operations(
    ledger: Ledger,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    named: str = "",
) -> tuple[Operation, ...]:
    """Return what people did, oldest first.

    Args:
        ledger: the ledger.
        since: from this moment on; from the beginning if absent.
        until: before this moment; until now if absent.
        named: only this operation.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import operations as table

    query = select(table).order_by(table.c.at, table.c.number)
    if since is not None:
        query = query.where(table.c.at >= since.astimezone(UTC).isoformat())
    if named:
        query = query.where(table.c.operation == named)
    if until is not None:
        query = query.where(table.c.at < until.astimezone(UTC).isoformat())
    with transaction(ledger) as connection:
        return tuple(_operation(row) for row in connection.execute(query).mappings())


def _operation(row: Any) -> Operation:
    return Operation(
        datetime.fromisoformat(row["at"]),
        row["person"],
        row["repository"],
        row["operation"],
        tuple(json.loads(row["subjects"])),
        row["reason"],
        row["release"],
        json.loads(row["details"]),
    )
