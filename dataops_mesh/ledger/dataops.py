"""What the DataOps metrics are made of: publications with their code, refusals, what was undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from dataops_mesh.ledger.database import Ledger, transaction


class Built(NamedTuple):
    """A candidate that the gate let through.

    Args:
        code: the version of declaration, contracts and transform.
        commit: of git; ends with `+` where files differed from it.
        coverage: the part of the declared rules that a machine checks.
    """

    product: str
    at: datetime
    code: str
    commit: str
    coverage: float | None
    checks: int


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a product; `ended` where it has an end."""

    product: str
    kind: str
    at: datetime
    ended: datetime | None = None


def built_between(
    ledger: Ledger, since: datetime, until: datetime, products: Collection[str] | None = None
) -> tuple[Built, ...]:
    """Return what was published in a period, oldest first, and of each product the one before.

    Args:
        ledger: the ledger.
        since: the first moment.
        until: the moment after the last.
        products: of which products; of all if None.
    """
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import publications as p

    columns = (c.c.product, c.c.finished, c.c.code_version, c.c.git_commit, c.c.coverage,
               c.c.checks_declared)  # fmt: skip
    good = c.c.verdict == "publish"
    inside = select(*columns).where(
        c.c.finished >= since.isoformat(), c.c.finished < until.isoformat(), good
    )
    if products is not None:
        inside = inside.where(c.c.product.in_(sorted(products)))
    with transaction(ledger) as connection:
        rows: Any = connection.execute(inside.order_by(c.c.finished)).all()
        newest = select(p.c.product, func.max(p.c.publication).label("number"))
        if products is None:
            newest = newest.where(p.c.publication <= _last_before(connection, since))
        else:
            newest = newest.where(
                p.c.product.in_(sorted(products)), p.c.published < since.isoformat()
            )
        last = newest.group_by(p.c.product).subquery()
        query = select(*columns).join(p, p.c.candidate == c.c.candidate)
        query = query.join(
            last, (last.c.product == p.c.product) & (last.c.number == p.c.publication)
        )
        before: Any = connection.execute(query.where(c.c.finished < since.isoformat())).all()
    return tuple(_built(row) for row in (*sorted(before, key=lambda row: row[1]), *rows))


def caught_between(
    ledger: Ledger, since: datetime, until: datetime, products: Collection[str] | None = None
) -> tuple[Moment, ...]:
    """Return the candidates in which a check found what may not be published."""
    from sqlalchemy import exists, select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import results as r

    wrong = exists().where(
        r.c.candidate == c.c.candidate, r.c.outcome == "failed", r.c.severity == "error"
    )
    query = select(c.c.product, c.c.finished).where(
        c.c.finished >= since.isoformat(), c.c.finished < until.isoformat(),
        c.c.verdict == "refuse", wrong,
    )  # fmt: skip
    if products is not None:
        query = query.where(c.c.product.in_(sorted(products)))
    with transaction(ledger) as connection:
        rows: Any = connection.execute(query.order_by(c.c.finished)).all()
    return tuple(Moment(product, "caught", datetime.fromisoformat(at)) for product, at in rows)


def undone_between(
    ledger: Ledger, since: datetime, until: datetime, products: Collection[str] | None = None
) -> tuple[Moment, ...]:
    """Return the rollbacks of a period."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import publications as p

    query = select(p.c.product, p.c.publication, p.c.published).where(
        p.c.kind == "rollback", p.c.published < until.isoformat()
    )
    with transaction(ledger) as connection:
        if products is None:
            later = query.where(p.c.publication > _last_before(connection, since))
        else:
            later = query.where(
                p.c.product.in_(sorted(products)), p.c.published >= since.isoformat()
            )
        rows: Any = connection.execute(later.order_by(p.c.publication)).all()
    once = {(product, number): at for product, number, at in rows}
    return tuple(
        Moment(product, "rollback", datetime.fromisoformat(at)) for (product, _), at in once.items()
    )


def incidents_between(
    ledger: Ledger, kinds: Iterable[str], since: datetime, until: datetime
) -> tuple[Moment, ...]:
    """Return the incidents of some kinds that were open at any time of a period."""
    from sqlalchemy import or_, select

    from dataops_mesh.ledger.schema import incidents as i

    query = select(i.c.product, i.c.kind, i.c.opened, i.c.closed).where(
        i.c.kind.in_(sorted(kinds)),
        i.c.opened < until.isoformat(),
        or_(i.c.closed.is_(None), i.c.closed >= since.isoformat()),
    )
    with transaction(ledger) as connection:
        rows: Any = connection.execute(query.order_by(i.c.opened)).all()
    return tuple(
        Moment(product, kind, datetime.fromisoformat(opened),
               datetime.fromisoformat(closed) if closed else None)
        for product, kind, opened, closed in rows
    )  # fmt: skip


def news_since(ledger: Ledger, moment: datetime, publication: int) -> frozenset[tuple[Any, ...]]:
    """Return what is on record since a moment or a publication; each begins with its product."""
    from sqlalchemy import or_, select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import incidents as i
    from dataops_mesh.ledger.schema import publications as p

    at = moment.isoformat()
    queries = (
        select(c.c.product, c.c.finished).where(c.c.finished >= at),
        select(p.c.product, p.c.publication).where(p.c.publication > publication),
        select(i.c.product, i.c.incident, i.c.opened, i.c.closed).where(
            or_(i.c.opened >= at, i.c.closed >= at)
        ),
    )
    with transaction(ledger) as connection:
        return frozenset(tuple(row) for query in queries for row in connection.execute(query))


def _built(row: Any) -> Built:
    product, finished, code, commit, coverage, checks = row
    return Built(product, datetime.fromisoformat(finished), code, commit, coverage, checks)


def _last_before(connection: Any, moment: datetime) -> int:
    """Return the newest publication before a moment; reads what was published since, by number."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import publications as p

    older = select(p.c.publication).where(p.c.published < moment.isoformat())
    return connection.execute(older.order_by(p.c.publication.desc()).limit(1)).scalar() or 0
