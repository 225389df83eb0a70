"""Register a domain: put what it owns and reads on record, for those who have not its folder.

The texts go where publications keep theirs (`store/declarations.py`), found by their digest, so
that nothing is written twice. The ledger has one line for each thing that was said anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.ledger import (
    Offer,
    Registration,
    Use,
    Word,
    open_ledger,
    record_registrations,
    registrations,
)
from dataops_mesh.ledger.registry import REMOVED
from dataops_mesh.plan.lineage.product import Lineage
from dataops_mesh.policy.model import Decisions
from dataops_mesh.run.account import record_operation
from dataops_mesh.run.decisions import decisions_in
from dataops_mesh.run.declaration import declaration_texts
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import (
    code_version,
    git_commit,
    library_version,
    person_or_user,
)
from dataops_mesh.run.lineage import product_lineage
from dataops_mesh.run.registry.declared import repository_of
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.spec.model import Address, Domain, InputPort, OutputPort, Product
from dataops_mesh.store.declarations import write_declaration
from dataops_mesh.store.owners import is_owner, repository_name
from dataops_mesh.transform.walls import walls_of


def register(
    domain: Domain,
    environment: Environment,
    ports: Mapping[Address, OutputPort],
    root: Path | None = None,
    *,
    move: bool = False,
) -> tuple[Registration, ...]:
    """Put what is new of a domain on record, and return it.

    Args:
        domain: what its folder says; a product that was registered and is not there is removed.
        environment: the store and the settings.
        ports: the ports that its products read, for the lineage of their columns.
        root: the workspace of the domain, if it is not that of the settings.
        move: the domain now lives in this repository, whatever was on record.

    Raises:
        OwnershipError: what is published of the domain belongs to another repository.
        UnknownNameError: nothing is, and another repository has registered the domain.
        StoreError: the store or the ledger cannot be written.
    """
    home = root or environment.settings.root
    words = decisions_in(environment.settings.model_copy(update={"root": home}))
    here = _Here(environment, home, repository_of(environment.settings, home), ports, words)
    is_ours = is_owner(environment.store, domain.name, publisher_of(environment, home))
    ledger = open_ledger(environment.ledger_url)
    try:
        known = {one.product: one for one in registrations(ledger, domain.name, removed=True)}
        for one in known.values():
            others = repository_name(one.repository) != here.repository
            if others and not (one.removed or move or is_ours):
                raise UnknownNameError(_taken(domain, one))
        news = [
            *(_said(p, here) for p in domain.products if not _is_known(p, here, known)),
            *_gone(domain, here, known),
        ]
        now = datetime.now(UTC)
        said = tuple(replace(one, registered=now) for one in news)
        if said:
            names = [one.product for one in said]
            record_operation(environment, "register", names, move=move)
        record_registrations(ledger, said)
    finally:
        ledger.close()
    return said


@dataclass(frozen=True, slots=True)
class _Here:
    """Where a domain is registered from."""

    environment: Environment
    root: Path
    repository: str
    ports: Mapping[Address, OutputPort]
    decisions: Decisions

    @property
    def person(self) -> str:
        return person_or_user(self.environment.settings.person)


def _is_known(product: Product, here: _Here, known: Mapping[str, Registration]) -> bool:
    """Tell whether the last that was said of the product says all that there is."""
    before = known.get(product.qualified_name)
    if before is None or before.removed or before.repository != here.repository:
        return False
    settings = here.environment.settings
    digest = write_declaration(
        here.environment.store, declaration_texts(product, settings, here.root)
    )
    words = _words(product, here)
    # A deployment without git knows no committer, and takes nothing back that another one told.
    same = not words or words == before.words
    return same and (digest, code_version(product)) == (before.declaration, before.code_version)


def _words(product: Product, here: _Here) -> tuple[Word, ...]:
    """Return the product's approvals and waivers, with who committed them."""
    return tuple(
        Word(
            one.kind,
            one.who,
            str(one.where),
            f"{one.author.name} <{one.author.email}>" if one.author else "",
            one.author.commit if one.author else "",
            one.author.day.isoformat() if one.author else "",
        )
        for one in here.decisions(product)
    )


def _gone(domain: Domain, here: _Here, known: Mapping[str, Registration]) -> Iterator[Registration]:
    """Return what is to be said of products that are no longer in the domain's folder."""
    names = {product.qualified_name for product in domain.products}
    for one in known.values():
        if one.product not in names and not one.removed:
            yield replace(
                one, status=REMOVED, person=here.person, repository=here.repository, inputs=()
            )


def _said(product: Product, here: _Here) -> Registration:
    lineage = product_lineage(product, here.ports, walls_of(here.environment.settings))
    texts = declaration_texts(product, here.environment.settings, here.root)
    python = ".".join(map(str, sys.version_info[:3]))
    return Registration(
        product=product.qualified_name,
        domain=product.domain,
        version=product.version,
        status=product.status,
        declaration=write_declaration(here.environment.store, texts),
        repository=here.repository,
        git_commit=git_commit(here.root, here.root),
        code_version=code_version(product),
        environment=f"dataops-mesh {library_version()}, Python {python}",
        person=here.person,
        outputs=tuple(_offer(port) for port in product.outputs),
        inputs=tuple(_use(port, lineage) for port in product.inputs if port.address),
        words=_words(product, here),
    )


def _offer(port: OutputPort) -> Offer:
    contract = port.contract
    return Offer(
        address=str(port.address),
        contract=contract.id,
        version=contract.version,
        status=contract.status,
        columns=[column.name for column in contract.columns],
        deprecated=port.deprecated,
        partitioning=repr(contract.partitioning) if contract.partitioning else "",
    )


def _use(port: InputPort, lineage: Lineage) -> Use:
    return Use(
        address=str(port.address),
        name=port.name,
        version=port.version or "",
        expectations=len(port.expectations),
        columns={
            output: None if columns is None else sorted(columns)
            for (output, name), columns in lineage.used.items()
            if name == port.name
        },
        checked=sorted(lineage.checked.get(port.name, ())),
    )


def lineage_of_record(one: Registration) -> Lineage:
    """Return the column lineage that was registered."""
    return Lineage(
        used={
            (output, use.name): None if columns is None else frozenset(columns)
            for use in one.inputs
            for output, columns in use.columns.items()
        },
        checked={use.name: frozenset(use.checked) for use in one.inputs if use.checked},
    )


def _taken(domain: Domain, owner: Registration) -> Problem:
    return Problem(
        f"{domain.name} was registered by {owner.repository} "
        f"({owner.person}, {owner.registered:%Y-%m-%d}), and this is another repository",
        next="mesh domain register --move, if the domain now lives here; else rename the folder",
    )


def said_of(news: Iterable[Registration]) -> list[dict[str, Any]]:
    """Return the registrations as rows for people."""
    return [
        {
            "product": one.product,
            "version": one.version,
            "status": one.status,
            "reads": ", ".join(use.address for use in one.inputs),
            "repository": one.repository,
            "commit": one.git_commit[:12],
            "registered": one.registered.isoformat(timespec="seconds"),
            "person": one.person,
            "environment": one.environment,
            "decided": [asdict(word) for word in one.words],
        }
        for one in news
    ]
