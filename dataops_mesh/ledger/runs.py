"""Runs that left no candidate: cancelled, ended from outside, or failed before they built."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, transaction
from dataops_mesh.ledger.told.facts import of_end
from dataops_mesh.ledger.write import add

CANCELLED, FAILED = "cancelled", "failed"


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run of one product ended that left no evidence of its own.

    Args:
        outcome: `cancelled` by a person, or `failed`.
        why: for people; of a cancel, whether it came before or after the publication.
        publication: what it had published by then, if anything.
    """

    run_id: str
    product: str
    partition: str
    outcome: str
    why: str
    person: str
    started: datetime
    ended: datetime
    publication: int | None = None


def record_end(ledger: Ledger, end: RunEnd) -> None:
    """Put the end of a run on record."""
    from dataops_mesh.ledger.schema import runs

    times = {name: getattr(end, name).astimezone(UTC).isoformat() for name in ("started", "ended")}
    row = asdict(end) | times
    with transaction(ledger) as connection:
        new = add(connection, runs, [row])
    if new:
        ledger.tell([of_end(row)])


def is_on_record(ledger: Ledger, run_id: str, product: str, since: datetime) -> bool:
    """Tell whether a run of a product has left a candidate since, or an end of its own."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, runs

    moment = since.astimezone(UTC).isoformat()
    built = select(candidates.c.candidate).where(
        candidates.c.run_id == run_id,
        candidates.c.product == product,
        candidates.c.started >= moment,
    )
    ended = select(runs.c.run_id).where(
        runs.c.run_id == run_id, runs.c.product == product, runs.c.ended >= moment
    )
    with transaction(ledger) as connection:
        return any(connection.execute(query.limit(1)).first() for query in (built, ended))


def ends_of(connection: Any, product: str, limit: int) -> list[RunEnd]:
    """Return the newest ends of a product's runs."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import runs

    query = select(runs).where(runs.c.product == product).order_by(runs.c.ended.desc())
    found = connection.execute(query.limit(limit)).mappings()
    times = ("started", "ended")
    return [
        RunEnd(**{**row, **{name: datetime.fromisoformat(row[name]) for name in times}})
        for row in found
    ]
