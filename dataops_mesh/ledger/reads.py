"""What the last run of each product read, published or not."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dataops_mesh.ledger.database import Ledger, transaction
from dataops_mesh.ledger.query import newest, portions


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


def read_addresses(ledger: Ledger, products: Collection[str]) -> dict[str, frozenset[str]]:
    """Return which addresses the last build of each of these products read."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, reads

    found: dict[str, set[str]] = {}
    with transaction(ledger) as connection:
        for some in portions(products):
            last = newest(candidates.c.product, candidates.c.finished, some)
            query = (
                select(candidates.c.product, reads.c.address)
                .join(last, (candidates.c.product == last.c.product)
                      & (candidates.c.finished == last.c.newest))
                .join(reads, reads.c.candidate == candidates.c.candidate)
                .where(reads.c.address.is_not(None))
            )  # fmt: skip
            for row in connection.execute(query):
                found.setdefault(row.product, set()).add(row.address)
    return {name: frozenset(read) for name, read in found.items()}
