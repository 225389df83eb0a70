"""Withdrawing what is published, by a person's word; who reads it is asked first."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from dataops_mesh.errors import MeshError, Problem, UnknownNameError, did_you_mean
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import record_run
from dataops_mesh.run.registry.declared import elsewhere
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.run.word.hold import ask
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.hold import WITHDRAWAL
from dataops_mesh.store.owners import require_owner
from dataops_mesh.store.release import Release, latest
from dataops_mesh.store.removing.withdrawal import require_some, withdraw
from dataops_mesh.store.tree.ports import lights_in


@dataclass(frozen=True, slots=True)
class Taking:
    """What a withdrawal would take away, and from whom.

    Args:
        product: the qualified name; it need not be declared any more.
        readers: the products that read it: declared here or elsewhere, or built from it.
    """

    product: str
    addresses: tuple[Address, ...]
    readers: tuple[str, ...]


def taking(
    name: str, environment: Environment, products: Iterable[Product], partition: str = ""
) -> Taking:
    """Return what the name of a product, or of one port, would take away.

    Args:
        name: `domain.product`, or `domain.port`; a product's name comes first.
        environment: the store and the settings.
        products: what is declared here.
        partition: the only partition of it.

    Raises:
        UnknownNameError: nothing published has the name.
        NotPublishedError: there is no such partition.
        OwnershipError: its domain belongs to another repository.
    """
    release = latest(environment.store)
    lights = tuple(lights_in(release.ports))
    ports = {str(address): address for address, _ in lights}
    found = tuple(address for address, light in lights if light.product == name)
    if not found and name in ports:
        found = (ports[name],)
    if not found:
        known = sorted({light.product for _, light in lights} | set(ports))
        what = f'nothing published is called "{name}"{did_you_mean(name, known)}'
        raise UnknownNameError(Problem(what, choices=tuple(known), next="mesh status"))
    found, product = tuple(sorted(found)), release.ports[found[0]].product
    # Before anybody is told what would happen.
    require_owner(environment.store, {a.domain for a in found}, publisher_of(environment))
    require_some(release, product, found, partition)
    readers = readers_of(found, product, environment, products, release)
    return Taking(product, found, readers)


def withdraw_product(
    what: Taking, environment: Environment, reason: str, partition: str | None = None
) -> Release:
    """Take what is published away from consumers; it is held until somebody lifts that.

    Raises:
        NotPublishedError: there is no such partition.
        OwnershipError: its domain belongs to another repository.
    """
    key = partition or ""
    asked = ask(environment, WITHDRAWAL, what.product, what.addresses, reason, key)
    release = withdraw(environment.store, what.product, what.addresses, asked, key)
    record_run(environment)
    return release


def readers_of(
    found: Iterable[Address],
    maker: str,
    environment: Environment,
    products: Iterable[Product],
    release: Release,
) -> tuple[str, ...]:
    """Return the products that read the addresses: declared here or elsewhere, or built from them.

    Args:
        found: the addresses.
        maker: the product that publishes them.
        environment: the store and the settings.
        products: what is declared here.
        release: what is published.
    """
    wanted = {str(address) for address in found}
    readers = {
        product.qualified_name
        for product in products
        if any(str(port.address) in wanted for port in product.inputs)
    }
    for entry in release.ports.values():
        for inputs in (entry.inputs, *(part.inputs for part in entry.parts)):
            if not wanted.isdisjoint(name for name, _ in inputs):
                readers.add(entry.product)
    with suppress(MeshError):  # a registry that cannot be read names nobody
        readers |= {
            one.product
            for one in elsewhere(environment)
            if any(use.address in wanted for use in one.inputs)
        }
    return tuple(sorted(readers - {maker}))
