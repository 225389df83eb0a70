"""Declarations of other repositories, as products: from the registry, else as they were published.

What a folder of this workspace says is newer than any record, so its domains are never asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from dataops_mesh.errors import DeclarationError, MeshError, Problem, StoreError
from dataops_mesh.ledger import Registration
from dataops_mesh.run.declaration import load_texts, published_product
from dataops_mesh.run.environment import Environment, store_of
from dataops_mesh.run.registry.declared import elsewhere
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address, Mesh, Product
from dataops_mesh.store.declarations import read_declaration
from dataops_mesh.store.log import Release, latest
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.store import Store


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What other repositories registered.

    Args:
        store: where their texts are; None when nothing was ever written.
        registrations: by the product's qualified name.
    """

    store: Store | None = None
    registrations: Mapping[str, Registration] = field(default_factory=dict)

    @property
    def domains(self) -> frozenset[str]:
        """Return the domains that live elsewhere."""
        return frozenset(one.domain for one in self.registrations.values())

    def product(self, name: str) -> Product:
        """Return a registered product.

        Raises:
            StoreError: its texts are lost, or this version cannot read them.
        """
        one = self.registrations[name]
        if self.store is None:
            raise AssertionError  # registrations come from a store
        try:
            texts = read_declaration(self.store, one.declaration)
            return load_texts(texts, one.domain, name.partition(".")[2])
        except MeshError as error:
            what = f"what {one.repository} registered of {name} cannot be read"
            problem = Problem(
                f"{what}: {error.problems[0].what}",
                next=f"mesh domain register {one.domain}, there, with the same dataops-mesh",
            )
            raise StoreError(problem) from None


def find_elsewhere(settings: Settings, mesh: Mesh) -> Elsewhere:
    """Return what other repositories registered in the store that the settings name.

    Raises:
        StoreError: there is a registry and it cannot be read.
    """
    try:
        store = store_of(settings, create=False)
    except StoreError:
        return Elsewhere()  # nothing was ever written here
    domains = {domain.name for domain in mesh.domains}
    found = elsewhere(Environment(store, settings), domains)
    return Elsewhere(store, {one.product: one for one in found})


def read_by(mesh: Mesh, others: Elsewhere) -> tuple[Product, ...]:
    """Return the products elsewhere that the mesh reads, and those that they read in turn.

    An address that nobody registered is looked for in what is published.
    """
    wanted = _reads(mesh)
    offers = {a: one for one in others.registrations.values() for a in _offers_of(one)}
    # Of a domain with an address that nobody has, all are told, for the hint at the right one.
    asked = {address.partition(".")[0] for address in wanted - offers.keys()}
    wanted |= {address for address, one in offers.items() if one.domain in asked}
    return (*_connected(others, wanted, _reads_of, _offers_of), *_published(mesh, others))


def readers_of(mesh: Mesh, others: Elsewhere) -> tuple[Product, ...]:
    """Return the products elsewhere that read the mesh, and their readers in turn."""
    own = {str(port.address) for product in mesh.products for port in product.outputs}
    own |= _published_here(mesh, others)
    return tuple(_connected(others, own, _offers_of, _reads_of))


def _connected(
    others: Elsewhere,
    start: set[str],
    leads_to: Callable[[Registration], Iterable[str]],
    found_by: Callable[[Registration], Iterable[str]],
) -> Iterable[Product]:
    wanted, names = set(start), list[str]()
    while True:
        more = [
            name
            for name, one in others.registrations.items()
            if name not in names and wanted & set(found_by(one))
        ]
        if not more:
            return [others.product(name) for name in sorted(names)]
        names += more
        wanted |= {address for name in more for address in leads_to(others.registrations[name])}


def _reads_of(one: Registration) -> Iterable[str]:
    return (use.address for use in one.inputs)


def _offers_of(one: Registration) -> Iterable[str]:
    return (offer.address for offer in one.outputs)


def _reads(mesh: Mesh) -> set[str]:
    """Return the addresses that the mesh names and does not own."""
    named: set[Address] = set()
    for product in mesh.products:
        named |= {port.address for port in product.inputs if port.address}
        named |= {
            one.address
            for port in product.outputs
            for one in port.contract.relationships
            if one.address
        }
    domains = {domain.name for domain in mesh.domains}
    return {str(address) for address in named if address.domain not in domains}


def _published(mesh: Mesh, others: Elsewhere) -> tuple[Product, ...]:
    """Return the products that nobody registered and that were published from elsewhere."""
    if others.store is None:
        return ()
    offered = {a for one in others.registrations.values() for a in _offers_of(one)}
    wanted = _reads(mesh) - offered
    release = latest(others.store) if wanted else None
    found: dict[str, Product] = {}
    for address in sorted(map(Address.parse, wanted)) if release else ():
        entry = release.ports.get(address) if release else None
        if entry is not None and entry.product not in found:
            product = _as_published(others.store, entry.candidate)
            if product is not None:
                found[entry.product] = product
    return tuple(found.values())


def _as_published(store: Store, candidate: str) -> Product | None:
    try:
        return published_product(store, read_manifest(store, candidate))
    except (StoreError, DeclarationError):
        return None  # then nobody is known to publish the address


def _published_here(mesh: Mesh, others: Elsewhere) -> set[str]:
    """Return what the domains of the mesh have published: a reader may read what is gone."""
    release: Release | None = latest(others.store) if others.store else None
    domains = {domain.name for domain in mesh.domains}
    published = release.ports if release else {}
    return {str(address) for address in published if address.domain in domains}
