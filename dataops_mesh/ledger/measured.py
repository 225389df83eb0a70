"""The numbers of a product that its own conditions are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.ledger.database import Ledger, transaction

_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of the last publication of a product, and of what came after.

    Args:
        before: the rows of the publication before; None where there is none.
        built: when it was built.
        failed: the checks that did not pass in the last build, published or not.
        refusals: the builds since then that were not let through.
    """

    rows: int
    before: int | None
    seconds: float
    built: datetime
    failed: int
    refusals: int


def measured(ledger: Ledger, product: str) -> Measured | None:
    """Return the numbers of a product; None of one that has published nothing."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import publications as p
    from dataops_mesh.ledger.schema import results as r

    columns = (p.c.publication, p.c.candidate, p.c.kind, p.c.published, c.c.rows, c.c.seconds)
    switched = (
        select(*columns, c.c.finished)
        .distinct()
        .join(c, c.c.candidate == p.c.candidate)
        .where(p.c.product == product, p.c.kind.in_(("publication", "rollback")))
        .order_by(p.c.publication.desc())
        .limit(_LOOKED_AT)
    )
    last = select(c.c.candidate).where(c.c.product == product).order_by(c.c.finished.desc())
    with transaction(ledger) as connection:
        rows = connection.execute(switched).all()
        if not rows:
            return None
        now = rows[0]
        before = next((row.rows for row in rows if row.candidate != now.candidate), None)
        newest = connection.execute(last.limit(1)).scalar()
        failed = select(func.count()).where(r.c.candidate == newest, r.c.outcome != "passed")
        refused = select(func.count()).where(
            c.c.product == product, c.c.verdict != "publish", c.c.finished > now.published
        )
        return Measured(
            now.rows, before, now.seconds, datetime.fromisoformat(now.finished),
            connection.execute(failed).scalar() or 0, connection.execute(refused).scalar() or 0,
        )  # fmt: skip
