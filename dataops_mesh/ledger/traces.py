"""What a product ever had and who ever read it, as far as it is on record: asked by a removal."""

from __future__ import annotations

from collections.abc import Iterable

from dataops_mesh.ledger.database import Ledger, transaction


def ports_ever(ledger: Ledger) -> dict[str, str]:
    """Return the product of every address that was ever built, as of its last build."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, ports

    query = (
        select(ports.c.address, candidates.c.product)
        .join(candidates, candidates.c.candidate == ports.c.candidate)
        .order_by(candidates.c.finished)
    )
    with transaction(ledger) as connection:
        return {str(row.address): str(row.product) for row in connection.execute(query)}


def partitions_ever(ledger: Ledger, product: str) -> tuple[str, ...]:
    """Return the partitions that candidates of a product were built as; empty text for wholes."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates, evidence

    key = func.coalesce(evidence.c.partition, "")
    query = select(key).distinct().where(candidates.c.product == product).order_by(key)
    pairs = candidates.c.candidate == evidence.c.candidate
    with transaction(ledger) as connection:
        joined = query.select_from(candidates).outerjoin(evidence, pairs)
        return tuple(connection.execute(joined).scalars())


def begun_before(ledger: Ledger, product: str, number: int, partition: str) -> dict[str, str]:
    """Return the run of each candidate that was begun before a release.

    Args:
        ledger: the ledger.
        product: whose candidates.
        number: of the release.
        partition: only of this one; of all if empty.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, evidence

    pairs = candidates.c.candidate == evidence.c.candidate
    query = (
        select(candidates.c.candidate, candidates.c.run_id)
        .select_from(candidates)
        .outerjoin(evidence, pairs)
        .where(candidates.c.product == product, candidates.c.base < number)
    )
    if partition:
        query = query.where(evidence.c.partition == partition)
    with transaction(ledger) as connection:
        return {str(row.candidate): str(row.run_id) for row in connection.execute(query)}


def attempts_of(ledger: Ledger, product: str, partition: str) -> frozenset[str]:
    """Return the runs of a product that left no candidate."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import runs

    query = select(runs.c.run_id).where(runs.c.product == product)
    if partition:
        query = query.where(runs.c.partition == partition)
    with transaction(ledger) as connection:
        return frozenset(connection.execute(query).scalars())


def readers_ever(ledger: Ledger, addresses: Iterable[str]) -> frozenset[str]:
    """Return the products that were ever built from the addresses, or from such a product."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, ports, reads

    found: set[str] = set()
    waiting, seen = list(addresses), set(addresses)
    with transaction(ledger) as connection:
        while waiting:
            read = candidates.c.candidate == reads.c.candidate
            asked = select(candidates.c.product).distinct().join(reads, read)
            new: set[str] = set(
                connection.execute(asked.where(reads.c.address.in_(waiting))).scalars()
            )
            new -= found
            found |= new
            built = candidates.c.candidate == ports.c.candidate
            own = select(ports.c.address).distinct().join(candidates, built)
            theirs: set[str] = set(
                connection.execute(own.where(candidates.c.product.in_(new))).scalars()
            )
            waiting = sorted(theirs - seen)
            seen |= theirs
    return frozenset(found)
