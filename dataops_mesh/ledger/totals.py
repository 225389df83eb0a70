"""How many runs there were in all, and which there were since: what counters are made of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dataops_mesh.ledger.database import Ledger, lacks, transaction

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Total:
    """How many runs of a product ended one way, what they wrote and took together, and the last."""

    product: str
    verdict: str
    runs: int
    rows: int
    bytes: int
    seconds: float
    last: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run; without a candidate where it left none."""

    key: str
    candidate: str
    product: str
    verdict: str
    rows: int
    bytes: int
    seconds: float
    finished: str


@dataclass(frozen=True, slots=True)
class CheckTotal:
    """How many checks of a candidate ended one way, and how long they took together."""

    candidate: str
    severity: str
    outcome: str
    checks: int
    seconds: float


def totals_before(ledger: Ledger, moment: str) -> tuple[Total, ...]:
    """Return how the runs before a moment ended, by product; reads them all, once."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates as c

    sums = (func.sum(c.c.rows), func.sum(c.c.bytes), func.sum(c.c.seconds), func.max(c.c.finished))
    query = select(c.c.product, c.c.verdict, func.count(), *sums).where(c.c.finished < moment)
    with transaction(ledger) as connection:
        found: Any = connection.execute(query.group_by(c.c.product, c.c.verdict)).all()
    return tuple(Total(*row) for row in found)


def runs_since(ledger: Ledger, moment: str) -> tuple[Run, ...]:
    """Return the runs that ended at a moment or later, oldest first."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import runs as r

    built = select(
        c.c.candidate, c.c.product, c.c.verdict, c.c.rows, c.c.bytes, c.c.seconds, c.c.finished
    ).where(c.c.finished >= moment)
    stopped = select(r.c.run_id, r.c.product, r.c.partition, r.c.outcome, r.c.ended)
    stopped = stopped.where(r.c.ended >= moment)
    with transaction(ledger) as connection:
        rows: Any = connection.execute(built).all()
        ends: Any = [] if lacks(ledger, connection, "attempts") else connection.execute(stopped)
        found = [Run(row[0], *row) for row in rows]
        found += [Run(f"{i} {p} {k} {e}", "", p, o, 0, 0, 0.0, e) for i, p, k, o, e in ends]
    return tuple(sorted(found, key=lambda run: run.finished))


def checks_of_runs(ledger: Ledger, refs: Collection[str]) -> tuple[CheckTotal, ...]:
    """Return how the checks of candidates ended."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import results as c

    keys = (c.c.candidate, c.c.severity, c.c.outcome)
    query = select(*keys, func.count(), func.sum(c.c.seconds)).group_by(*keys)
    ordered, found = sorted(refs), list[CheckTotal]()
    with transaction(ledger) as connection:
        for begin in range(0, len(ordered), _AT_ONCE):
            some = query.where(c.c.candidate.in_(ordered[begin : begin + _AT_ONCE]))
            rows: Any = connection.execute(some).all()
            found += [CheckTotal(*row) for row in rows]
    return tuple(found)
