"""What was built, as one ledger knows it: how often, how much, when last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, transaction


@dataclass(frozen=True, slots=True)
class Built:
    """What all candidates on record come to.

    Args:
        last: when the last one was finished.
    """

    candidates: int = 0
    bytes: int = 0
    seconds: float = 0.0
    last: datetime | None = None


def built(ledger: Ledger) -> Built:
    """Return what the candidates on record come to."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates as c

    sums = (func.sum(c.c.bytes), func.sum(c.c.seconds), func.max(c.c.finished))
    with transaction(ledger) as connection:
        row: Any = connection.execute(select(func.count(), *sums)).one()
    count, size, seconds, last = row
    at = datetime.fromisoformat(last) if last else None
    return Built(count, size or 0, seconds or 0.0, at)
