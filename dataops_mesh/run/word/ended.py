"""What has ended, by what stands in the folders and in the store; and ending it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import cache

from dataops_mesh.errors import DeclarationError, MeshError, NotPublishedError, StoreError
from dataops_mesh.ledger import Registration
from dataops_mesh.plan.approval import Approval, read_approvals
from dataops_mesh.plan.publication import approval_used, change_reasons
from dataops_mesh.run.account import approvals_spent
from dataops_mesh.run.declaration import published_product
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import record_run
from dataops_mesh.run.registry.declared import ACTIVE, registered
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.run.word.ends import Allowed, End, Seen, ends, left_declaration
from dataops_mesh.run.word.hold import ask
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address, Domain, Mesh, Product
from dataops_mesh.store.hold import WITHDRAWAL
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.owners import owner_of
from dataops_mesh.store.release import Release, latest
from dataops_mesh.store.removing.staying import Ended, nothing_ended
from dataops_mesh.store.removing.withdrawal import withdraw
from dataops_mesh.store.tree.ports import lights_in

Readers = Callable[[Address], tuple[str, ...] | None]


def ended(
    domains: Iterable[Domain],
    environment: Environment,
    only: str = "",
    products: Collection[str] | None = None,
) -> tuple[End, ...]:
    """Return everything published of this repository that is to end.

    Args:
        domains: those whose folders are here.
        environment: the store and the settings.
        only: the domain that is asked about; all if empty.
        products: those that are asked about; all, and what nobody declares any more, if None.
    """
    here = tuple(domains)
    names = frozenset(domain.name for domain in here)
    release = latest(environment.store)
    declared = {one.qualified_name: one for domain in here for one in domain.products}
    about = None if products is None else {name.partition(".")[0] for name in products}
    asked = frozenset((only,)) if only else _ours(release, environment, about)
    found = ends(
        Seen(
            products=declared,
            domains=names,
            ours=asked,
            release=release,
            published=published_in(release, environment),
            allowed=allowed_in(declared, here, environment),
            readers=readers_in(declared, names, release, environment),
            now=environment.settings.clock(),
            asked=products,
        )
    )
    # Of one domain it is asked last whose it is: git is a process, and a tick finds nothing.
    return found if not (found and only) or only in _ours(release, environment) else ()


def end(found: Iterable[End], environment: Environment, reason: str = "") -> tuple[Release, ...]:
    """Withdraw what has ended, each by a release of its own, and return these.

    Args:
        found: what has ended.
        environment: the store and the settings.
        reason: what a person adds to why it ended.

    Raises:
        OwnershipError: a domain belongs to another repository.
    """
    made = []
    for one in found:
        by = {"approver": one.approval.approver} if one.approval else {}
        told = {**by, "changes": one.changes} if one.changes else by
        why = f"{one.words}: {reason}" if reason else one.words
        for key in one.partitions or ("",):
            asked = ask(environment, WITHDRAWAL, one.product, one.addresses, why, key, **told)
            with suppress(NotPublishedError):  # somebody was faster
                made.append(withdraw(environment.store, one.product, one.addresses, asked, key))
    if made:
        record_run(environment)
    return tuple(made)


def end_by_itself(domain: Domain, environment: Environment) -> tuple[Release, ...]:
    """Withdraw what has ended of a domain, and nobody reads and nothing is missing for."""
    found = ended((domain,), environment, domain.name)
    return end((one for one in found if one.by_itself), environment)


def ended_of(product: Product, environment: Environment, release: Release) -> Ended:
    """Return a function that tells which partitions have left what is declared or published.

    Args:
        product: as it is declared now.
        environment: the store and the settings.
        release: what is published.
    """
    if product.partitioning is None:
        return nothing_ended
    published = published_in(release, environment)(product.qualified_name)
    found = (product.partitioning, published.partitioning if published else None)
    cuts = tuple(cut for cut in found if cut is not None)
    return lambda entry: left_declaration(entry, cuts)


def published_in(release: Release, environment: Environment) -> Callable[[str], Product | None]:
    """Return a function that tells what a product declared when it was published last."""

    @cache
    def published(name: str) -> Product | None:
        lights = (one for _, one in lights_in(release.ports, name.partition(".")[0]))
        own = [one for one in lights if one.product == name]
        if not own:
            return None
        newest = max(own, key=lambda one: one.publication)
        try:
            manifest = read_manifest(environment.store, newest.candidate)
            return published_product(environment.store, manifest)
        except (StoreError, DeclarationError):
            return None

    return published


def _ours(
    release: Release, environment: Environment, about: Collection[str] | None = None
) -> frozenset[str]:
    publisher = publisher_of(environment)
    found = set()
    every = {address.domain for address, _ in lights_in(release.ports, *(about or ()))}
    for domain in every if about is None or about else ():
        owner = owner_of(environment.store, domain)
        if owner is not None and owner.is_(publisher):
            found.add(domain)
    return frozenset(found)


def allowed_in(
    products: dict[str, Product], domains: tuple[Domain, ...], environment: Environment
) -> Callable[[Product, Product | None], Allowed]:
    """Return a function that tells whether a declaration may follow another, and by whose word."""
    settings = environment.settings

    def allowed(before: Product, after: Product | None) -> Allowed:
        try:
            approvals = _approvals(after or before, products.values(), domains, settings)
        except DeclarationError as error:
            return Allowed(tuple(f"{one.where}: {one.what}" for one in error.problems))
        spent = approvals_spent(environment, before.qualified_name)
        used: tuple[str, Approval] | None = approval_used(before, after, approvals, spent)
        return Allowed(
            change_reasons(before, after, approvals, spent),
            used[1] if used else None,
            used[0] if used else "",
        )

    return allowed


def approvals_of(product: Product, mesh: Mesh, settings: Settings) -> tuple[Approval, ...]:
    """Return the approvals of a product, also of one that is declared no more.

    Those of a removal stay in the folder that is otherwise empty; those of a renaming may lie in
    the folder of its new name.

    Raises:
        DeclarationError: one of them is not complete.
    """
    return _approvals(product, mesh.products, mesh.domains, settings)


def _approvals(
    product: Product, products: Iterable[Product], domains: Iterable[Domain], settings: Settings
) -> tuple[Approval, ...]:
    declared = tuple(products)
    if any(one.qualified_name == product.qualified_name for one in declared):
        return read_approvals(product)
    places = {domain.name: domain.folder for domain in domains}
    parent = places.get(product.domain, settings.domains_folder / product.domain)
    ids = {port.contract.id for port in product.outputs}
    moved = [one.folder for one in declared if any(p.contract.id in ids for p in one.outputs)]
    folders = dict.fromkeys((parent / product.name, *moved))
    return tuple(approval for place in folders for approval in read_approvals(product, place))


def readers_in(
    products: Mapping[str, Product],
    here: Collection[str],
    release: Release,
    environment: Environment,
) -> Readers:
    """Return who reads a port: by the folders that are here, else by the registry.

    Args:
        products: what is declared here, by qualified name.
        here: the domains whose folders are here, all of their products included.
        release: what is published.
        environment: the store and the settings.
    """

    @cache
    def others() -> tuple[Registration, ...] | None:
        try:
            found = registered(environment, removed=True)
        except MeshError:
            return None
        return tuple(one for one in found if one.domain not in here and one.product not in products)

    def readers(address: Address) -> tuple[str, ...] | None:
        found = {
            product.qualified_name
            for product in products.values()
            if product.status in ACTIVE and any(port.address == address for port in product.inputs)
        }
        said = others()
        if said is None:
            return None
        found |= {
            one.product
            for one in said
            if one.status in ACTIVE and any(use.address == str(address) for use in one.inputs)
        }
        known = {*products, *(one.product for one in said)}
        # Who never said what it reads: what it was built from counts.
        found |= {
            light.product
            for other, light in lights_in(release.ports)
            if other.domain not in here and light.product not in known
            for entry in (release.ports[other],)
            for inputs in (entry.inputs, *(part.inputs for part in entry.parts))
            if any(name == str(address) for name, _ in inputs)
        }
        return tuple(sorted(found))

    return readers
