"""What releases switched: a port, or each partition of it where that were several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Subquery


def switched() -> Subquery[Any]:
    """Return the table of publications with a row for each partition, as far as is on record.

    Of a port of which a release switched one partition, or which is published whole, it is the row
    of `publications`, and `partition` is null: the candidate knows it.
    """
    from sqlalchemy import String, and_, cast, null, select, union_all

    from dataops_mesh.ledger.schema import parts, publications

    same = and_(
        parts.c.publication == publications.c.publication,
        parts.c.address == publications.c.address,
    )
    own = ("candidate", "rows", "fingerprint")
    rest = [column for column in publications.c if column.name not in own]
    whole = select(
        *rest,
        *(publications.c[name] for name in own),
        cast(null(), String).label("partition"),
    ).where(~select(parts.c.partition).where(same).exists())
    split = select(*rest, *(parts.c[name] for name in own), parts.c.partition).join(parts, same)
    return union_all(whole, split).subquery("switched")
