"""What was delivered to whom, and what a channel has still to be told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, transaction
from dataops_mesh.ledger.query import portions
from dataops_mesh.ledger.told.facts import of_delivery
from dataops_mesh.ledger.write import add

Said = Mapping[str, datetime]  # what a channel was told, and when


def delivered(ledger: Ledger, about: Iterable[str]) -> dict[tuple[str, str], Said]:
    """Return what was delivered, and when, by (about, channel)."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import deliveries as table

    query = select(table.c.about, table.c.channel, table.c.what, table.c.at)
    found: dict[tuple[str, str], dict[str, datetime]] = {}
    with transaction(ledger) as connection:
        for some in portions(set(about)):
            for row in connection.execute(query.where(table.c.about.in_(some))):
                said = found.setdefault((row.about, row.channel), {})
                said[row.what] = datetime.fromisoformat(row.at)
    return dict(found)


def record_delivery(  # noqa: PLR0913 - a delivery says what, to whom and when
    ledger: Ledger,
    about: str,
    channel: str,
    what: str,
    now: datetime,
    *,
    publication: int | None = None,
) -> None:
    """Record that a channel has received something, so that it is told once."""
    from dataops_mesh.ledger.schema import deliveries

    row = {"about": about, "channel": channel, "what": what, "publication": publication}
    row["at"] = now.isoformat()
    with transaction(ledger) as connection:
        new = add(connection, deliveries, [row])
    if new:
        ledger.tell([of_delivery(row)])


def told_up_to(ledger: Ledger, product: str, channel: str) -> int:
    """Return the last publication of a product that a channel was told of; 0 if of none."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import deliveries

    last = select(func.max(deliveries.c.publication)).where(
        deliveries.c.about == product, deliveries.c.channel == channel
    )
    with transaction(ledger) as connection:
        return connection.execute(last).scalar() or 0


def due_publications(ledger: Ledger, product: str, channel: str) -> tuple[int, ...]:
    """Return the publications that a channel has not been told of, oldest first.

    A channel that was never told of any starts with the first publication whose own declaration
    named it: nothing of the time before concerns it, and nothing since is skipped.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import publications

    seen = told_up_to(ledger, product, channel)
    numbers = select(publications.c.publication).where(publications.c.product == product)
    with transaction(ledger) as connection:
        if not seen:
            first = _first_named(connection, product, channel)
            if first is None:
                return ()
            seen = first - 1
        query = numbers.where(publications.c.publication > seen).distinct()
        return tuple(connection.execute(query.order_by(publications.c.publication)).scalars())


def content_before(ledger: Ledger, address: str, partition: str, number: int) -> str:
    """Return the fingerprint of what consumers read before a publication, as far as is known.

    Nothing where it was withdrawn, by itself or with all of its port.
    """
    from sqlalchemy import and_, func, or_, select

    from dataops_mesh.ledger.schema import decisions, ports
    from dataops_mesh.ledger.switched import switched

    publications = switched()
    piece = func.coalesce(publications.c.partition, ports.c.partition, decisions.c.partition, "")
    query = (
        select(ports.c.fingerprint)
        .select_from(publications)
        .outerjoin(
            ports,
            (ports.c.candidate == publications.c.candidate)
            & (ports.c.address == publications.c.address),
        )
        .outerjoin(decisions, decisions.c.release == publications.c.publication)
        .where(
            publications.c.address == address,
            publications.c.publication < number,
            or_(piece == partition, and_(ports.c.candidate.is_(None), piece == "")),
        )
        .order_by(publications.c.publication.desc())
        .limit(1)
    )
    with transaction(ledger) as connection:
        return connection.execute(query).scalar() or ""


def piece_of(ledger: Ledger, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the partition that a row of what was switched is of, with its rows and content.

    A row of one partition says those of the whole port; what was withdrawn has no candidate.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import decisions, ports

    said = select(decisions.c.partition).where(decisions.c.release == row["publication"])
    query = select(ports.c.partition, ports.c.rows, ports.c.fingerprint).where(
        ports.c.candidate == row["candidate"], ports.c.address == row["address"]
    )
    with transaction(ledger) as connection:
        found = connection.execute(query).mappings().first()
        if found is not None:
            return dict(found)
        alone = "" if row["candidate"] else connection.execute(said).scalar()
    known = {name: row[name] for name in ("rows", "fingerprint")}
    return {**known, "partition": row["partition"] or alone or ""}


def _first_named(connection: Any, product: str, channel: str) -> int | None:
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import evidence, publications

    query = (
        select(publications.c.publication, evidence.c.events)
        .join(evidence, evidence.c.candidate == publications.c.candidate)
        .where(publications.c.product == product)
        .order_by(publications.c.publication)
    )
    rows = connection.execute(query)
    return next((row.publication for row in rows if channel in json.loads(row.events)), None)
