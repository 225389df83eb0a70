"""Products that read what is gone: withdrawn, or declared by nobody any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dataops_mesh.errors import MeshError, Problem
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.registry.declared import elsewhere
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.spec.model import Address, InputPort, Mesh, Product
from dataops_mesh.store.owners import owner_of
from dataops_mesh.store.release import Release
from dataops_mesh.store.removing.withdrawal import withdrawal_of, withdrawn_words


def reading_problems(
    products: Iterable[Product], mesh: Mesh, environment: Environment, release: Release
) -> Iterator[Problem]:
    """Yield an error for each input that was withdrawn, or that nobody declares any more.

    Args:
        products: whose inputs are looked at.
        mesh: everything that is declared in the workspace.
        environment: the store and the settings.
        release: what is published.
    """
    for product in products:
        for port in product.inputs:
            gone = withdrawal_of(release, port.address) if port.address else None
            if gone is not None:
                what = f"{product.qualified_name} reads {port.name}, which {withdrawn_words(gone)}"
                then = f"read something else; {gone.product} would have to publish it again"
                yield Problem(what, port.where, next=then)
    yield from (problem for _, problem in ghosts(products, mesh, environment, release))


def ghosts(
    products: Iterable[Product], mesh: Mesh, environment: Environment, release: Release
) -> Iterator[tuple[Product, Problem]]:
    """Yield each product that reads what nobody declares any more, and the error of it.

    Args:
        products: whose inputs are looked at.
        mesh: everything that is declared in the workspace.
        environment: the store and the settings.
        release: what is published.
    """
    declared = {port.address for product in mesh.products for port in product.outputs}
    try:
        registered = elsewhere(environment)
    except MeshError:
        registered = ()
    known_domains = {domain.name for domain in mesh.domains} | {one.domain for one in registered}
    # Who cannot be read may still declare it.
    unread = {name.partition(".")[0] for name in mesh.broken}
    offered = {offer.address for one in registered for offer in one.outputs}
    for product in products:
        for port in product.inputs:
            address = port.address
            if address is None or address not in release.ports or address in declared:
                continue
            if address.domain in unread or withdrawal_of(release, address) is not None:
                continue
            known = address.domain in known_domains or _is_ours(address, environment)
            if known and str(address) not in offered:
                yield product, _ghost(product, port, release)


def _is_ours(address: Address, environment: Environment) -> bool:
    owner = owner_of(environment.store, address.domain)
    return owner is not None and owner.is_(publisher_of(environment))


def _ghost(product: Product, port: InputPort, release: Release) -> Problem:
    maker = release.ports[port.address].product if port.address else ""
    return Problem(
        f"{product.qualified_name} reads {port.name}, and nobody declares it any more: what is "
        f"read is the last publication of {maker}",
        port.where,
        next=f"read its new name, and mesh withdraw {port.name}",
    )
