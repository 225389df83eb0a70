"""What the last run of each product read, published or not."""

from __future__ import annotations

from collections.abc import Iterable

from dataops_mesh.ledger.database import Ledger, transaction


def last_reads(ledger: Ledger, products: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return, for each product that ever ran, the fingerprint of every input it read last.

    Args:
        ledger: the ledger.
        products: qualified names.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, reads

    found: dict[str, dict[str, str]] = {}
    with transaction(ledger) as connection:
        for product in products:
            newest = (
                select(candidates.c.candidate)
                .where(candidates.c.product == product)
                .order_by(candidates.c.finished.desc())
                .limit(1)
            )
            candidate = connection.execute(newest).scalar()
            if candidate is None:
                continue
            read = select(reads.c.name, reads.c.fingerprint).where(reads.c.candidate == candidate)
            found[product] = {row.name: row.fingerprint for row in connection.execute(read)}
    return found
