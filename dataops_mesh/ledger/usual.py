"""The numbers of a product's last builds by which it is told what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dataops_mesh.ledger.database import Ledger, lacks, transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection


_LOOKED_AT = 10_000  # builds, however often a product is built


@dataclass(frozen=True, slots=True)
class Column:
    """What is remembered of one column of a build; None of what may not be shown, or was not told.

    Args:
        distinct: how many different values it had.
    """

    nulls: int
    mean: float | None = None
    distinct: int | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """What is remembered of one build of a port.

    Args:
        at: when it was finished.
        partition: its key; empty of a whole product.
        columns: what is remembered of each.
        seconds: how long it took; None where that is not known yet.
    """

    candidate: str
    verdict: str
    at: datetime
    partition: str
    rows: int
    columns: Mapping[str, Column]
    seconds: float | None = None

    @property
    def day(self) -> date:
        """Return the day that it is about."""
        return day_of(self.partition, self.at)


def day_of(partition: str, at: datetime) -> date:
    """Return the day that a build is about: of a daily partition its own, else that of the run.

    >>> at = datetime(2026, 3, 4, 6)
    >>> str(day_of("2026-03-03", at)), str(day_of("north", at)), str(day_of("", at))
    ('2026-03-03', '2026-03-04', '2026-03-04')
    """
    with suppress(ValueError):
        return date.fromisoformat(partition[:10])
    return at.date()


def first_published(ledger: Ledger, product: str, since: datetime) -> dict[date, datetime]:
    """Return when a product was first published for each day that it was about; since a moment."""
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import ports as p

    last = select(c.c.candidate, c.c.finished)
    last = last.where(c.c.product == product, c.c.verdict == "publish")
    last = last.where(c.c.finished >= since.isoformat())
    built = last.order_by(c.c.finished.desc()).limit(_LOOKED_AT).subquery()
    query = select(p.c.partition, func.min(built.c.finished))
    query = query.join(built, built.c.candidate == p.c.candidate)
    query = query.group_by(p.c.partition, func.substr(built.c.finished, 1, 10))
    found: dict[date, datetime] = {}
    with transaction(ledger) as connection:
        rows: Any = connection.execute(query).all()
    for partition, finished in rows:
        at = datetime.fromisoformat(finished)
        day = day_of(partition, at)
        found[day] = min(at, found.get(day, at))
    return found


def last_builds(ledger: Ledger, product: str, count: int) -> dict[str, tuple[Build, ...]]:
    """Return the last builds of each port of a product, oldest first."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import ports as p

    asked = (c.c.candidate, c.c.verdict, c.c.finished, c.c.seconds)
    last = select(*asked).where(c.c.product == product)
    last = last.order_by(c.c.finished.desc()).limit(count)
    with transaction(ledger) as connection:
        if lacks(ledger, connection, "profiles"):
            return {}
        known: dict[str, Any] = {row[0]: row for row in connection.execute(last)}
        mine = sorted(known)
        ports = connection.execute(select(p).where(p.c.candidate.in_(mine))).mappings().all()
        columns = _columns(ledger, connection, mine)
    found: dict[str, list[Build]] = {}
    for row in sorted(ports, key=lambda row: known[row["candidate"]][2]):
        ref, verdict, finished, seconds = known[row["candidate"]]
        told = columns.get((ref, row["address"]), {})
        at, key, rows = datetime.fromisoformat(finished), row["partition"], row["rows"]
        found.setdefault(row["address"], []).append(
            Build(ref, verdict, at, key, rows, told, seconds)
        )
    return {address: tuple(builds) for address, builds in found.items()}


def _columns(
    ledger: Ledger, connection: Connection, refs: list[str]
) -> dict[tuple[str, str], dict[str, Column]]:
    """Return what is remembered of the columns, by candidate and port."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import distinct_counts as d
    from dataops_mesh.ledger.schema import profiles as f

    different: dict[tuple[str, str, str], int] = {}
    if not lacks(ledger, connection, "distinct_counts"):
        rows: Any = connection.execute(select(d).where(d.c.candidate.in_(refs))).all()
        different = {(ref, port, column): count for ref, port, column, count in rows}
    found: dict[tuple[str, str], dict[str, Column]] = {}
    told: Any = connection.execute(select(f).where(f.c.candidate.in_(refs))).all()
    for ref, port, column, nulls, mean in told:
        count = different.get((ref, port, column))
        found.setdefault((ref, port), {})[column] = Column(nulls, mean, count)
    return found
