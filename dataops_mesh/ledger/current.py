"""Of what consumers read now, for all products at once: when it was built, and what of it is late.

Each question steps through an index: it costs with the number of products, not with the history.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, lacks, transaction
from dataops_mesh.ledger.query import newest, portions
from dataops_mesh.ledger.trouble.incidents import AuditRecord

Switched = tuple[int, str]  # publication, address


def built_at(ledger: Ledger, switched: Collection[Switched]) -> dict[Switched, datetime]:
    """Return when what these publications switched to was built, as far as is on record.

    A withdrawal builds nothing: of it, this is the moment at which it was said.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, publications

    wanted = set(switched)
    columns = (publications.c.publication, publications.c.address)
    query = select(*columns, publications.c.published, candidates.c.finished).join(
        candidates, candidates.c.candidate == publications.c.candidate, isouter=True
    )
    found: dict[Switched, datetime] = {}
    with transaction(ledger) as connection:
        for numbers in portions({number for number, _ in wanted}):
            these = query.where(publications.c.publication.in_(numbers))
            rows: Any = connection.execute(these)
            for number, address, published, finished in rows:
                if (number, address) in wanted:
                    found[number, address] = datetime.fromisoformat(finished or published)
    return found


def finished_at(ledger: Ledger, refs: Collection[str]) -> dict[str, datetime]:
    """Return when candidates were built."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates

    query = select(candidates.c.candidate, candidates.c.finished)
    found: dict[str, datetime] = {}
    with transaction(ledger) as connection:
        for some in portions(refs):
            rows: Any = connection.execute(query.where(candidates.c.candidate.in_(some)))
            found |= {ref: datetime.fromisoformat(finished) for ref, finished in rows}
    return found


def failed_results(ledger: Ledger, refs: Iterable[str], check: str) -> dict[str, str]:
    """Return, of candidates of which a check of that name did not pass, why not."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import results

    query = select(results.c.candidate, results.c.reason)
    query = query.where(results.c.check == check, results.c.outcome != "passed")
    found: dict[str, str] = {}
    with transaction(ledger) as connection:
        for some in portions(set(refs)):
            rows: Any = connection.execute(query.where(results.c.candidate.in_(some)))
            for candidate, reason in rows:
                found.setdefault(candidate, reason)
    return found


def ended_badly(ledger: Ledger, asked: Collection[str], last: int) -> frozenset[str]:
    """Return those products of which one of the last runs was not let through.

    Args:
        ledger: the ledger.
        asked: the products that are asked about.
        last: how many of the newest runs of each are looked at.
    """
    from sqlalchemy import exists, select

    from dataops_mesh.ledger.schema import candidates, runs

    found: set[str] = set()
    with transaction(ledger) as connection:
        for some in portions(asked):
            ever = select(candidates.c.product).where(candidates.c.product.in_(some))
            names = ever.distinct().subquery("names")
            own = candidates.alias("own")
            recent = select(own.c.verdict).where(own.c.product == names.c.product)
            recent = recent.order_by(own.c.finished.desc()).limit(last).correlate(names)
            ends = recent.subquery("recent")
            bad = exists(select(ends.c.verdict).where(ends.c.verdict != "publish"))
            found.update(connection.execute(select(names.c.product).where(bad)).scalars())
            if not lacks(ledger, connection, "attempts"):
                without = select(runs.c.product).where(runs.c.product.in_(some)).distinct()
                found.update(connection.execute(without).scalars())
    return frozenset(found)


def last_audits(ledger: Ledger, asked: Collection[str] | None = None) -> dict[str, AuditRecord]:
    """Return the newest look at the published data of each product, or of those asked about."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import audits

    last = newest(audits.c.product, audits.c.at, asked)
    query = select(audits).join(
        last, (audits.c.product == last.c.product) & (audits.c.at == last.c.newest)
    )
    with transaction(ledger) as connection:
        if lacks(ledger, connection, "audits"):
            return {}
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return {row["product"]: _audit(row) for row in rows}


def _audit(row: dict[str, Any]) -> AuditRecord:
    failed = tuple(tuple(item) for item in json.loads(row["failed"]))
    return AuditRecord(**{**row, "at": datetime.fromisoformat(row["at"]), "failed": failed})
