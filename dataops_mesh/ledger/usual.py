"""The numbers of a product's last builds by which it is told what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, lacks, transaction


@dataclass(frozen=True, slots=True)
class Build:
    """What is remembered of one build of a port.

    Args:
        at: when it was finished.
        partition: its key; empty of a whole product.
        columns: of each column its nulls, and its mean where there is one to show.
        seconds: how long it took; None where that is not known yet.
    """

    candidate: str
    verdict: str
    at: datetime
    partition: str
    rows: int
    columns: Mapping[str, tuple[int, float | None]]
    seconds: float | None = None


def last_builds(ledger: Ledger, product: str, count: int) -> dict[str, tuple[Build, ...]]:
    """Return the last builds of each port of a product, oldest first."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import candidates as c
    from dataops_mesh.ledger.schema import ports as p
    from dataops_mesh.ledger.schema import profiles as f

    asked = (c.c.candidate, c.c.verdict, c.c.finished, c.c.seconds)
    last = select(*asked).where(c.c.product == product)
    last = last.order_by(c.c.finished.desc()).limit(count)
    columns: dict[tuple[str, str], dict[str, tuple[int, float | None]]] = {}
    with transaction(ledger) as connection:
        if lacks(ledger, connection, "profiles"):
            return {}
        known: dict[str, Any] = {row[0]: row for row in connection.execute(last)}
        mine = sorted(known)
        ports = connection.execute(select(p).where(p.c.candidate.in_(mine))).mappings().all()
        for row in connection.execute(select(f).where(f.c.candidate.in_(mine))).mappings():
            told = columns.setdefault((row["candidate"], row["address"]), {})
            told[row["column"]] = row["nulls"], row["mean"]
    found: dict[str, list[Build]] = {}
    for row in sorted(ports, key=lambda row: known[row["candidate"]][2]):
        ref, verdict, finished, seconds = known[row["candidate"]]
        told = columns.get((ref, row["address"]), {})
        at, key, rows = datetime.fromisoformat(finished), row["partition"], row["rows"]
        found.setdefault(row["address"], []).append(
            Build(ref, verdict, at, key, rows, told, seconds)
        )
    return {address: tuple(builds) for address, builds in found.items()}
