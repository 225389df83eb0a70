"""What happened in the whole mesh, newest first, and how many of each kind on each day."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from dataops_mesh.ledger.database import Ledger, lacks, transaction

PUBLISHED, REFUSED, FAILED = "published", "refused", "failed"
_WORDS = {"publish": PUBLISHED, "refuse": REFUSED}


@dataclass(frozen=True, slots=True)
class Happening:
    """One publication, refusal or failure of a product.

    Args:
        what: `published`, `refused`, `failed` or `cancelled`; of what is no build, its kind.
        why: the first reason.
        partition: of a run without a candidate; a candidate knows its own.
    """

    at: datetime
    what: str
    product: str
    candidate: str
    publication: int | None
    rows: int
    person: str
    why: str = ""
    more: int = 0
    partition: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """How the runs of a day, `YYYY-MM-DD`, ended."""

    day: str
    published: int = 0
    refused: int = 0
    failed: int = 0


def days(
    ledger: Ledger, last: date, count: int, products: Collection[str] | None = None
) -> tuple[Day, ...]:
    """Return how the runs of each of the last days ended, oldest first; UTC.

    Args:
        ledger: the ledger.
        last: the newest day.
        count: how many days.
        products: of which products; of all if None.
    """
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates

    first = last - timedelta(count - 1)
    day = func.substr(candidates.c.finished, 1, 10)
    query = select(day, candidates.c.verdict, func.count())
    query = query.where(candidates.c.finished >= first.isoformat())
    query = query.group_by(day, candidates.c.verdict)
    if products is not None:
        query = query.where(candidates.c.product.in_(sorted(products)))
    found: dict[str, dict[str, int]] = {}
    with transaction(ledger) as connection:
        rows: Any = connection.execute(query)
        for at, verdict, number in rows:
            found.setdefault(at, {})[_WORDS.get(verdict, FAILED)] = number
    every = [(first + timedelta(n)).isoformat() for n in range(count)]
    return tuple(Day(one, **found.get(one, {})) for one in every)


def happenings(
    ledger: Ledger,
    limit: int,
    *,
    before: str = "",
    products: Collection[str] | None = None,
) -> tuple[Happening, ...]:
    """Return the newest builds of the mesh, or those before a moment.

    Args:
        ledger: the ledger.
        limit: how many.
        before: the moment, as `at` of another says it.
        products: of which products; of all if None.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates, runs

    built = select(candidates).order_by(candidates.c.finished.desc()).limit(limit)
    stopped = select(runs).order_by(runs.c.ended.desc()).limit(limit)
    if before:
        built = built.where(candidates.c.finished < before)
        stopped = stopped.where(runs.c.ended < before)
    if products is not None:
        built = built.where(candidates.c.product.in_(sorted(products)))
        stopped = stopped.where(runs.c.product.in_(sorted(products)))
    with transaction(ledger) as connection:
        rows = [dict(row) for row in connection.execute(built).mappings()]
        ends = []
        if not lacks(ledger, connection, "attempts"):
            ends = [dict(row) for row in connection.execute(stopped).mappings()]
        numbers = _numbers(connection, [row["candidate"] for row in rows])
    found = [_built(row, numbers.get(row["candidate"])) for row in rows]
    found += [_ended(row) for row in ends]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True)[:limit])


def _numbers(connection: Any, refs: list[str]) -> dict[str, int]:
    """Return the first publication of each candidate, among those of its own product."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates, publications

    if not refs:
        return {}
    # By the product, for which there is an index; a candidate is published when it is built.
    query = (
        select(candidates.c.candidate, func.min(publications.c.publication))
        .join(
            publications,
            (publications.c.product == candidates.c.product)
            & (publications.c.publication > candidates.c.base)
            & (publications.c.candidate == candidates.c.candidate),
        )
        .where(candidates.c.candidate.in_(refs))
        .group_by(candidates.c.candidate)
    )
    return dict(connection.execute(query).all())


def _built(row: dict[str, Any], publication: int | None) -> Happening:
    reasons = json.loads(row["reasons"])
    what = _WORDS.get(row["verdict"], FAILED)
    if what == PUBLISHED and publication is None:
        what = "passed"
    return Happening(
        datetime.fromisoformat(row["finished"]),
        what,
        row["product"],
        row["candidate"],
        publication,
        row["rows"],
        row["person"],
        reasons[0] if reasons else "",
        max(len(reasons) - 1, 0),
    )


def _ended(row: dict[str, Any]) -> Happening:
    at = datetime.fromisoformat(row["ended"])
    return Happening(at, row["outcome"], row["product"], "", None, 0, row["person"], row["why"],
                     partition=row["partition"])  # fmt: skip
