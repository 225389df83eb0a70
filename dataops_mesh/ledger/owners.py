"""The record of who owned which domain, since when and by whose word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, transaction
from dataops_mesh.ledger.write import add


def record_owners(ledger: Ledger, owners: Iterable[Mapping[str, Any]]) -> None:
    """Put owners on record; again makes no difference, and waits for nobody who writes.

    Args:
        ledger: the ledger.
        owners: the plain data of the store's records.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import owners as table

    rows = [_row(owner) for owner in owners]
    with transaction(ledger) as connection:
        known = {tuple(key) for key in connection.execute(select(table.c.domain, table.c.number))}
    if rows := [row for row in rows if (row["domain"], row["number"]) not in known]:
        with transaction(ledger) as connection:
            add(connection, table, rows)


def recorded_owners(ledger: Ledger) -> tuple[dict[str, Any], ...]:
    """Return every owner that is on record, by domain, oldest first."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import owners as table

    query = select(table).order_by(table.c.domain, table.c.number)
    with transaction(ledger) as connection:
        return tuple(dict(row) for row in connection.execute(query).mappings())


def _row(owner: Mapping[str, Any]) -> dict[str, Any]:
    places = ", ".join(owner["places"])
    at = datetime.fromisoformat(owner["at"]).astimezone(UTC).isoformat()
    same = {name: owner[name] for name in ("domain", "number", "person", "how")}
    return {**same, "repository": owner["repository"] or places, "at": at}
