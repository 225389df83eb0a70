"""What is on record of one publication or candidate, and what was built from it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from dataops_mesh.ledger.database import Ledger, transaction

Row = dict[str, Any]


def candidate_rows(ledger: Ledger, ref: str) -> dict[str, list[Row]]:
    """Return everything on record of a candidate, by table; empty lists where there is nothing."""
    from sqlalchemy import select

    from dataops_mesh.ledger import schema
    from dataops_mesh.ledger.switched import switched

    tables = ("candidates", "ports", "reads", "results", "evidence")
    found = {}
    with transaction(ledger) as connection:
        for name in tables:
            table = schema.metadata.tables[name]
            query = select(table).where(table.c.candidate == ref).order_by(*table.primary_key)
            found[name] = [dict(row) for row in connection.execute(query).mappings()]
        now = switched()
        query = select(now).where(now.c.candidate == ref).order_by(now.c.publication, now.c.address)
        found["publications"] = [dict(row) for row in connection.execute(query).mappings()]
    for row in found["candidates"]:
        row["reasons"] = json.loads(row["reasons"])
    for row in found["ports"]:
        row["columns"] = json.loads(row["columns"])
    return found


def candidates_named(ledger: Ledger, short: str) -> tuple[str, ...]:
    """Return the candidates whose id, the last part of the ref, is this."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates

    query = select(candidates.c.candidate).where(
        candidates.c.candidate.endswith(f"/{short}", autoescape=True)
    )
    with transaction(ledger) as connection:
        return tuple(connection.execute(query.order_by(candidates.c.candidate)).scalars())


def published(ledger: Ledger, refs: Iterable[str]) -> frozenset[str]:
    """Return those of the candidates that consumers ever read."""
    from sqlalchemy import select

    from dataops_mesh.ledger.switched import switched

    publications = switched()
    query = select(publications.c.candidate).where(publications.c.candidate.in_(sorted(refs)))
    with transaction(ledger) as connection:
        return frozenset(connection.execute(query).scalars())


def built_from(ledger: Ledger, number: int) -> list[Row]:
    """Return the candidates that read what a release switched, and theirs in turn.

    Of a partitioned port a publication is read until the same partition is published again.

    Returns:
        One row for each candidate: what it read, its product, its verdict, and as which
        publications consumers got it; `step` is 1 for what read the publication itself.
    """
    found: dict[str, Row] = {}
    waiting, seen = [(number, 1)], {number}
    with transaction(ledger) as connection:
        while waiting:
            now, step = waiting.pop(0)
            for row in _readers(connection, now):
                if row["candidate"] not in found:
                    found[row["candidate"]] = row | {"step": step}
                for later in row["publications"]:
                    if later not in seen:
                        seen.add(later)
                        waiting.append((later, step + 1))
    return list(found.values())


def _readers(connection: Any, number: int) -> Iterable[Row]:
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, ports, reads
    from dataops_mesh.ledger.switched import switched

    publications = switched()
    pieces = select(publications.c.address, publications.c.candidate).where(
        publications.c.publication == number
    )
    for address, ref in connection.execute(pieces).all():
        own = ports.c.candidate == ref, ports.c.address == address
        piece = connection.execute(select(ports.c.partition).where(*own)).scalar() or ""
        following = (
            select(publications.c.publication)
            .join(
                ports,
                (ports.c.candidate == publications.c.candidate)
                & (ports.c.address == publications.c.address),
            )
            .where(
                publications.c.address == address,
                publications.c.publication > number,
                ports.c.partition == piece,
            )
            .order_by(publications.c.publication)
            .limit(1)
        )
        until = connection.execute(following).scalar()
        query = (
            select(candidates, reads.c.publication)
            .join(reads, reads.c.candidate == candidates.c.candidate)
            .where(reads.c.address == address, reads.c.publication >= number)
            .order_by(candidates.c.finished)
        )
        if until is not None:
            query = query.where(reads.c.publication < until)
        for row in connection.execute(query).mappings():
            published = select(publications.c.publication).where(
                publications.c.candidate == row["candidate"]
            )
            yield {
                "read": f"{address} {row['publication']}",
                "product": row["product"],
                "verdict": row["verdict"],
                "publications": sorted(set(connection.execute(published).scalars())),
                "candidate": row["candidate"],
                "finished": row["finished"],
                "person": row["person"],
            }
