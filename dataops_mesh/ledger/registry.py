"""The declaration registry: what every domain, in whatever repository, said of itself last."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.ledger.database import Ledger, transaction

REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Use:
    """A published port that a product reads.

    Args:
        address: the port.
        name: the input port's name.
        version: what the product asks for; empty if it does not say.
        expectations: how many expectations it has on it.
        columns: for each output port that is built from it, the columns that it needs; None
            where every column may be needed.
        checked: the columns that checks on the input name.
    """

    address: str
    name: str
    version: str = ""
    expectations: int = 0
    columns: dict[str, list[str] | None] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Offer:
    """An output port as it was registered.

    Args:
        partitioning: how it is cut, as a fingerprint; empty if it is not.
    """

    address: str
    contract: str
    version: str
    status: str
    columns: list[str]
    deprecated: bool = False
    partitioning: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A person's word in a file, and who committed it, as git said it there.

    Args:
        kind: `approval` or `waiver`.
        who: the name that the file says.
        where: the file and line.
        author: who committed it last; empty while nobody has.
        commit: in which commit.
        day: of that commit.
    """

    kind: str
    who: str
    where: str
    author: str = ""
    commit: str = ""
    day: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a code location said of one product, where from, when and by whom.

    Args:
        status: of the product, or `removed` when it is no longer in its domain's folder.
        declaration: the digest under which the store keeps the texts.
        repository: where the domain lives.
        code_version: of declaration and transform.
        environment: what it was registered with.
        registered: when; set by `register`.
        words: its approvals and waivers with who committed them, where git was there to ask.
    """

    product: str
    domain: str
    version: str
    status: str
    declaration: str
    repository: str
    git_commit: str = ""
    code_version: str = ""
    environment: str = ""
    person: str = ""
    registered: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    outputs: tuple[Offer, ...] = ()
    inputs: tuple[Use, ...] = ()
    words: tuple[Word, ...] = ()

    @property
    def removed(self) -> bool:
        """Tell whether the product is gone."""
        return self.status == REMOVED


_FACTS = ("outputs", "inputs", "words")


def record_registrations(ledger: Ledger, registrations: Iterable[Registration]) -> None:
    """Put registrations on record; what was on record before stays."""
    from sqlalchemy import insert

    from dataops_mesh.ledger.schema import declarations

    rows = [_row(one) for one in registrations]
    if rows:
        with transaction(ledger) as connection:
            connection.execute(insert(declarations), rows)


def registrations(
    ledger: Ledger, domain: str | None = None, *, removed: bool = False
) -> tuple[Registration, ...]:
    """Return what was said last of each product, by name.

    Args:
        ledger: the ledger.
        domain: only this one.
        removed: those too that are gone.
    """
    from sqlalchemy import func, select

    from dataops_mesh.ledger.schema import declarations

    newest = select(func.max(declarations.c.number)).group_by(declarations.c.product)
    if domain is not None:
        newest = newest.where(declarations.c.domain == domain)
    query = select(declarations).where(declarations.c.number.in_(newest.scalar_subquery()))
    with transaction(ledger) as connection:
        rows = list(connection.execute(query.order_by(declarations.c.product)).mappings())
    found = (_registration(row) for row in rows)
    return tuple(one for one in found if removed or not one.removed)


def _row(one: Registration) -> dict[str, Any]:
    row = {name: value for name, value in asdict(one).items() if name not in _FACTS}
    facts = {name: [asdict(item) for item in getattr(one, name)] for name in _FACTS}
    registered = one.registered.astimezone(UTC).isoformat()
    return {**row, "facts": json.dumps(facts), "registered": registered}


def _registration(row: Any) -> Registration:
    facts = json.loads(row["facts"])
    kept = {name: row[name] for name in row if name not in {"number", "facts", "registered"}}
    return Registration(
        **kept,
        registered=datetime.fromisoformat(row["registered"]),
        outputs=tuple(Offer(**item) for item in facts["outputs"]),
        inputs=tuple(Use(**item) for item in facts["inputs"]),
        words=tuple(Word(**item) for item in facts.get("words", ())),
    )
