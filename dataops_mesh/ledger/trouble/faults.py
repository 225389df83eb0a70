"""Which checks failed, as names: what an acknowledgement covers."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from dataops_mesh.ledger.database import Ledger, transaction

_NO_CHECK = "no check"


def refusals_after(
    ledger: Ledger, product: str, partition: str, since: datetime | None
) -> frozenset[str]:
    """Return the checks that refused a product, or a partition of it.

    Args:
        ledger: the ledger.
        product: its qualified name.
        partition: its key; empty of a product that is built whole.
        since: of all refusals after this moment; of the last one if absent.
    """
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import evidence as e
    from dataops_mesh.ledger.schema import results as r

    query = select(c.c.candidate).outerjoin(e, e.c.candidate == c.c.candidate)
    query = query.where(c.c.product == product, c.c.verdict == "refuse")
    query = query.where(func.coalesce(e.c.partition, "") == partition)
    if since is None:
        query = query.order_by(c.c.finished.desc()).limit(1)
    else:
        query = query.where(c.c.finished > since.astimezone(UTC).isoformat())
    failed = select(r.c.port, r.c.check).where(r.c.outcome != "passed", r.c.severity == "error")
    found: set[str] = set()
    with transaction(ledger) as connection:
        refs: list[str] = list(connection.execute(query).scalars())
        for candidate in refs:
            rows = connection.execute(failed.where(r.c.candidate == candidate))
            found |= {f"{row.port} {row.check}" for row in rows} or {_NO_CHECK}
    return frozenset(found)


def last_refused(
    ledger: Ledger, product: str, partition: str, until: datetime | None = None
) -> tuple[str, int]:
    """Return the candidate of a product, or a partition, that was refused last, and its rows.

    Args:
        ledger: the ledger.
        product: its qualified name.
        partition: its key; empty of a product that is built whole.
        until: of what was refused up to this moment; of all if absent.

    Returns:
        An empty name where there is none.
    """
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import evidence as e
    from dataops_mesh.ledger.schema import ports as p

    rows = select(func.coalesce(func.sum(p.c.rows), 0)).where(p.c.candidate == c.c.candidate)
    query = select(c.c.candidate, rows.scalar_subquery())
    query = query.outerjoin(e, e.c.candidate == c.c.candidate)
    query = query.where(c.c.product == product, c.c.verdict == "refuse")
    query = query.where(func.coalesce(e.c.partition, "") == partition)
    if until is not None:
        query = query.where(c.c.finished <= until.astimezone(UTC).isoformat())
    with transaction(ledger) as connection:
        found = connection.execute(query.order_by(c.c.finished.desc()).limit(1)).first()
    return (found[0], int(found[1])) if found else ("", 0)


def audits_after(ledger: Ledger, product: str, since: datetime | None) -> frozenset[str]:
    """Return the checks that failed on what a product has published: of the last look, or after."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import audits

    query = select(audits.c.failed).where(audits.c.product == product)
    if since is None:
        query = query.order_by(audits.c.at.desc()).limit(1)
    else:
        query = query.where(audits.c.at > since.astimezone(UTC).isoformat())
    with transaction(ledger) as connection:
        rows: list[str] = list(connection.execute(query).scalars())
    return frozenset(f"{port} {check}" for text in rows for port, check, *_ in json.loads(text))
