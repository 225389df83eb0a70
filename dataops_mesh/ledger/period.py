"""What happened in a time, table by table, for whoever has to account for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, transaction

Row = dict[str, Any]


def publications_between(ledger: Ledger, since: datetime, until: datetime) -> list[Row]:
    """Return what was switched, with by whom, from which commit, and judged by what."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, evidence
    from dataops_mesh.ledger.switched import switched

    publications = switched()
    query = (
        select(
            *(column for column in publications.c if column.name != "partition"),
            candidates.c.product_version,
            candidates.c.git_commit,
            candidates.c.code_version,
            evidence.c.partition,
            evidence.c.declaration,
            evidence.c.code,
            evidence.c.judged,
        )
        .outerjoin(candidates, candidates.c.candidate == publications.c.candidate)
        .outerjoin(evidence, evidence.c.candidate == publications.c.candidate)
        .where(*_within(publications.c.published, since, until))
        .order_by(publications.c.publication, publications.c.address)
    )
    return _rows(ledger, query)


def candidates_between(ledger: Ledger, since: datetime, until: datetime) -> list[Row]:
    """Return every candidate that was built, with its verdict and by what it was judged."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, evidence

    query = (
        select(candidates, evidence.c.partition, evidence.c.judged)
        .outerjoin(evidence, evidence.c.candidate == candidates.c.candidate)
        .where(*_within(candidates.c.finished, since, until))
        .order_by(candidates.c.finished)
    )
    return [
        row | {"reasons": "\n".join(json.loads(row["reasons"]))} for row in _rows(ledger, query)
    ]


def checks_between(ledger: Ledger, since: datetime, until: datetime) -> list[Row]:
    """Return the result of every check on these candidates."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, results

    query = (
        select(candidates.c.product, candidates.c.finished, results)
        .join(candidates, candidates.c.candidate == results.c.candidate)
        .where(*_within(candidates.c.finished, since, until))
        .order_by(candidates.c.finished, results.c.port, results.c.check)
    )
    return _rows(ledger, query)


def ends_between(ledger: Ledger, since: datetime, until: datetime) -> list[Row]:
    """Return the runs that left no candidate."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import runs

    query = select(runs).where(*_within(runs.c.ended, since, until)).order_by(runs.c.ended)
    return _rows(ledger, query)


def incidents_between(ledger: Ledger, since: datetime, until: datetime) -> list[Row]:
    """Return the incidents that were opened."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import incidents

    within = _within(incidents.c.opened, since, until)
    return _rows(ledger, select(incidents).where(*within).order_by(incidents.c.opened))


def _within(column: Any, since: datetime, until: datetime) -> tuple[Any, Any]:
    first, last = (moment.astimezone(UTC).isoformat() for moment in (since, until))
    return column >= first, column < last


def _rows(ledger: Ledger, query: Any) -> list[Row]:
    with transaction(ledger) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
