"""Who is telling a channel something now: two who look at one store do not both tell it.

A claim has an end, so that nothing is left untold by a process that died with it. Who holds one
tells, puts on record that it was told, and only then gives the claim up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, insert_of, transaction

LEASE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that one channel is told."""

    about: str
    channel: str
    what: str


def take(ledger: Ledger, claim: Claim, by: str, now: datetime) -> bool:
    """Take a claim; False where it was told already, or somebody else is about to.

    A claim whose end is far off was made by a clock that was wrong, and is as good as over. One
    that ends a little later than ours would was made while we waited for the database.
    """
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import claims, deliveries

    at = now.timestamp()
    row = {"about": claim.about, "channel": claim.channel, "what": claim.what}
    with transaction(ledger) as connection:
        insert = insert_of(connection)(claims).values(**row, by=by, until=at + LEASE_SECONDS)
        over = (claims.c.until <= at) | (claims.c.until > at + 2 * LEASE_SECONDS)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=[claims.c.about, claims.c.channel, claims.c.what],
                set_={"by": insert.excluded.by, "until": insert.excluded.until},
                where=over,
            )
        )
        holder = connection.execute(select(claims.c.by).where(*_is(claims, row))).scalar()
        told = connection.execute(select(deliveries.c.at).where(*_is(deliveries, row))).first()
        if holder == by and told is not None:
            connection.execute(claims.delete().where(*_is(claims, row)))
        return holder == by and told is None


def give_up(ledger: Ledger, claim: Claim, by: str) -> None:
    """Give a claim up, once what was told is on record, or was not taken."""
    from dataops_mesh.ledger.schema import claims

    row = {"about": claim.about, "channel": claim.channel, "what": claim.what, "by": by}
    with transaction(ledger) as connection:
        connection.execute(claims.delete().where(*_is(claims, row)))


def _is(table: Any, row: dict[str, str]) -> list[Any]:
    return [table.c[name] == value for name, value in row.items()]
