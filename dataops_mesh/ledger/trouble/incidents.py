"""Incidents, and audits of published data."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, transaction
from dataops_mesh.ledger.query import portions
from dataops_mesh.ledger.told.facts import Fact, of_audit, of_incident
from dataops_mesh.ledger.write import add


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong with a product at this moment.

    Args:
        kind: `caught` at the gate, `failed` run, `escaped` into published data, `late`,
            `withdrawn` is what it reads, `ended` is it or what it reads, and still read,
            `damaged` is a file of what is published, `condition` of its own,
            `export`: a copy elsewhere is behind,
            `delivery`: what it reads from outside has not come.
        subject: what of the product, where it can have several troubles of a kind.
        why: for people; holds no value of classified data.
        since: when it began, where a run or an audit says that; else it begins when it is seen.
    """

    product: str
    kind: str
    subject: str
    why: str
    run_id: str = ""
    publication: int | None = None
    since: datetime | None = None

    @property
    def identity(self) -> tuple[str, str, str]:
        """Return what makes it the same trouble the next time it is seen."""
        return self.product, self.kind, self.subject


@dataclass(frozen=True, slots=True)
class Incident:
    """A trouble from its first sight to its end."""

    incident: str
    trouble: Trouble
    opened: datetime
    closed: datetime | None = None


DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One look at published data.

    Args:
        outcome: `passed`, `failed` or `errored`; `damaged` where a file is not what was published,
            so that no check can say anything.
        failed: port, check, severity and reason of each check that did not pass; of damage, one.
    """

    product: str
    at: datetime
    publication: int
    candidate: str
    outcome: str
    checks: int
    failed: tuple[tuple[str, str, str, str], ...]
    seconds: float


def update_incidents(
    ledger: Ledger,
    products: Iterable[str],
    troubles: Iterable[Trouble],
    now: datetime,
    ended: Mapping[tuple[str, str, str], datetime] | None = None,
) -> None:
    """Open an incident for each new trouble, and close those that are over.

    Args:
        ledger: the ledger.
        products: the products that were looked at; incidents of others stay as they are.
        troubles: everything that is wrong with them now.
        now: when that was seen.
        ended: when troubles were over, by their identity, where a run or an audit says that.
    """
    from sqlalchemy import select, update

    from dataops_mesh.ledger.schema import incidents

    found, at, over = {one.identity: one for one in troubles}, now.isoformat(), list[Fact]()
    with transaction(ledger) as connection:
        open_now = connection.execute(
            select(incidents).where(
                incidents.c.closed.is_(None), incidents.c.product.in_(sorted(products))
            )
        ).mappings()
        for row in list(open_now):
            trouble = found.pop((row["product"], row["kind"], row["subject"]), None)
            this = update(incidents).where(incidents.c.incident == row["incident"])
            if trouble is None:
                key = (row["product"], row["kind"], row["subject"])
                closed = max((ended or {}).get(key, now).isoformat(), row["opened"])
                connection.execute(this.values(closed=closed))
                over.append(of_incident(dict(row), "incident_closed", at))
            elif trouble.why != row["why"] or trouble.run_id != row["run_id"]:
                connection.execute(this.values(why=trouble.why, run_id=trouble.run_id))
        new = [
            {
                **{name: value for name, value in asdict(trouble).items() if name != "since"},
                "incident": uuid.uuid4().hex[:12],
                "opened": (trouble.since or now).isoformat(),
                "closed": None,
            }
            for trouble in found.values()
        ]
        opened = [one for one in new if add(connection, incidents, [one])]
    ledger.tell([*over, *(of_incident(one, "incident_opened", at) for one in opened)])


def incidents_of(
    ledger: Ledger, products: Iterable[str], *, only_open: bool = False, limit: int = 500
) -> tuple[Incident, ...]:
    """Return the incidents of products, newest first."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import incidents

    query = select(incidents).where(incidents.c.product.in_(sorted(products)))
    if only_open:
        query = query.where(incidents.c.closed.is_(None))
    query = query.order_by(incidents.c.opened.desc()).limit(limit)
    with transaction(ledger) as connection:
        return tuple(_incident(row) for row in connection.execute(query).mappings())


def incidents_since(ledger: Ledger, closed: datetime) -> tuple[Incident, ...]:
    """Return the incidents of the whole mesh that are open, or were closed since then."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import incidents

    late = incidents.c.closed >= closed.isoformat()
    query = select(incidents).where(incidents.c.closed.is_(None) | late)
    query = query.order_by(incidents.c.opened, incidents.c.incident)
    with transaction(ledger) as connection:
        return tuple(_incident(row) for row in connection.execute(query).mappings())


def incidents_named(ledger: Ledger, names: Collection[str]) -> tuple[Incident, ...]:
    """Return the incidents of these names."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import incidents

    found: list[Incident] = []
    with transaction(ledger) as connection:
        for some in portions(names):
            query = select(incidents).where(incidents.c.incident.in_(some))
            found += [_incident(row) for row in connection.execute(query).mappings()]
    return tuple(found)


def incident_of(ledger: Ledger, incident: str) -> Incident | None:
    """Return one incident, if there is one of that name."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import incidents

    query = select(incidents).where(incidents.c.incident == incident)
    with transaction(ledger) as connection:
        row = connection.execute(query).mappings().first()
    return _incident(row) if row is not None else None


def record_audit(ledger: Ledger, audit: AuditRecord) -> None:
    """Record one look at published data."""
    from dataops_mesh.ledger.schema import audits

    row = asdict(audit) | {"at": audit.at.isoformat(), "failed": json.dumps(audit.failed)}
    with transaction(ledger) as connection:
        new = add(connection, audits, [row])
    if new:
        ledger.tell([of_audit(row)])


def last_audit(ledger: Ledger, product: str) -> AuditRecord | None:
    """Return the newest look at a product's published data."""
    from sqlalchemy import select

    from dataops_mesh.ledger.schema import audits

    query = select(audits).where(audits.c.product == product).order_by(audits.c.at.desc()).limit(1)
    with transaction(ledger) as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return None
    failed = tuple(tuple(item) for item in json.loads(row["failed"]))
    return AuditRecord(**{**row, "at": datetime.fromisoformat(row["at"]), "failed": failed})


def _incident(row: Any) -> Incident:
    trouble = Trouble(
        row["product"], row["kind"], row["subject"], row["why"], row["run_id"], row["publication"]
    )
    closed = datetime.fromisoformat(row["closed"]) if row["closed"] else None
    return Incident(row["incident"], trouble, datetime.fromisoformat(row["opened"]), closed)
