"""How each check of a product ended in its last runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.ledger.database import Ledger, transaction


@dataclass(frozen=True, slots=True)
class Point:
    """One result of a check.

    Args:
        observed: None where there is none, or where it is shown to nobody.
    """

    at: datetime
    candidate: str
    outcome: str
    observed: float | None
    reason: str


def trends(ledger: Ledger, product: str, runs: int) -> dict[tuple[str, str], tuple[Point, ...]]:
    """Return the results of each (port, check) in a product's last runs, oldest first."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, results

    last = select(candidates.c.candidate, candidates.c.finished)
    last = last.where(candidates.c.product == product)
    last = last.order_by(candidates.c.finished.desc()).limit(runs)
    found: dict[tuple[str, str], list[Point]] = {}
    with transaction(ledger) as connection:
        ended = {ref: datetime.fromisoformat(at) for ref, at in connection.execute(last).tuples()}
        query = select(results).where(results.c.candidate.in_(sorted(ended)))
        rows = list(connection.execute(query).mappings()) if ended else []
    for row in sorted(rows, key=lambda row: ended[row["candidate"]]):
        told = (ended[row["candidate"]], row["candidate"], row["outcome"], row["observed"])
        found.setdefault((row["port"], row["check"]), []).append(Point(*told, row["reason"]))
    return {key: tuple(points) for key, points in found.items()}
