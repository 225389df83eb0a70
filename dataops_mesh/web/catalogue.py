"""The declarations of a mesh, arranged for questions; made once for each edit of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from dataops_mesh.errors import MeshError, Problem
from dataops_mesh.plan.lineage.product import Lineage
from dataops_mesh.run.checks import dbt_nodes
from dataops_mesh.run.lineage import product_lineage
from dataops_mesh.run.registry.elsewhere import find_elsewhere, read_by, readers_of
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address, Mesh, OutputPort, Product, TransformKind
from dataops_mesh.transform.dbt.exposures import Exposure, exposures_of
from dataops_mesh.transform.walls import walls_of


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that is declared, and who reads what.

    Args:
        mesh: as it was read.
        products: by qualified name, in the order of the folders.
        elsewhere: products of other repositories that read the mesh or that it reads.
        made_by: whose port an address is.
        feeds: the products that each product reads.
        readers: the products that read each product.
        exposures: what reads each product outside the mesh, as dbt projects say it.
        broken: what cannot be read, and why.
        words: what can be searched for, by product; small letters.
        lineage: asks for the column lineage of a product; remembered until the next edit.
    """

    settings: Settings
    mesh: Mesh
    products: Mapping[str, Product]
    domains: Mapping[str, tuple[str, ...]]
    elsewhere: Mapping[str, Product]
    made_by: Mapping[Address, str]
    feeds: Mapping[str, tuple[str, ...]]
    readers: Mapping[str, tuple[str, ...]]
    exposures: Mapping[str, tuple[Exposure, ...]]
    broken: Mapping[str, tuple[Problem, ...]]
    words: Mapping[str, Words]
    lineage: Callable[[Product], Lineage]


@dataclass(frozen=True, slots=True)
class Words:
    """What a product can be found by, each in small letters.

    Args:
        columns: the name of each column, and what it means.
    """

    name: str
    title: str
    text: str
    tags: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)


def catalogue_of(mesh: Mesh, settings: Settings) -> Catalogue:
    """Arrange a mesh; what other repositories registered is part of it.

    Args:
        mesh: what could be read of the declarations.
        settings: of the workspace.
    """
    products = {product.qualified_name: product for product in mesh.products}
    others = _elsewhere(mesh, settings)
    every = {**others, **products}
    made_by = {p.address: name for name, one in every.items() for p in one.outputs}
    feeds = {name: _reads(one, made_by) for name, one in every.items()}
    readers: dict[str, list[str]] = {name: [] for name in every}
    for name, read in feeds.items():
        for one in read:
            readers[one].append(name)
    ports = {port.address: port for one in every.values() for port in one.outputs}
    return Catalogue(
        settings,
        mesh,
        products,
        {domain.name: tuple(p.qualified_name for p in domain.products) for domain in mesh.domains},
        others,
        made_by,
        feeds,
        {name: tuple(found) for name, found in readers.items()},
        _exposures(mesh, settings, made_by),
        mesh.broken,
        {name: words_of(one) for name, one in products.items()},
        _remembered(settings, ports),
    )


def downstream(catalogue: Catalogue, name: str) -> tuple[str, ...]:
    """Return every product that reads a product, or reads one that does; the nearest first."""
    return _all(catalogue.readers, name)


def upstream(catalogue: Catalogue, name: str) -> tuple[str, ...]:
    """Return every product that a product reads, or that one of these reads; the nearest first."""
    return _all(catalogue.feeds, name)


def _all(edges: Mapping[str, Collection[str]], name: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting = list(edges.get(name, ()))
    while waiting:
        one = waiting.pop(0)
        if one not in found and one != name:
            found[one] = None
            waiting += edges.get(one, ())
    return tuple(found)


def words_of(product: Product) -> Words:
    """Return what a product can be found by."""
    columns: dict[str, str] = {}
    said = [product.description, product.usage, product.limitations]
    tags = list(product.tags)
    for port in product.outputs:
        said += [port.name, port.description, port.contract.description]
        for column in port.contract.columns:
            tags += column.tags
            columns[column.name.lower()] = column.description.lower()
    title = product.title.lower()
    text = " ".join(said).lower()
    return Words(
        product.qualified_name.lower(), title, text, tuple(t.lower() for t in tags), columns
    )


def _elsewhere(mesh: Mesh, settings: Settings) -> dict[str, Product]:
    with suppress(MeshError):  # `mesh check` says what is wrong with the registry
        others = find_elsewhere(settings, mesh)
        if others.registrations:
            found = (*read_by(mesh, others), *readers_of(mesh, others))
            return {product.qualified_name: product for product in found}
    return {}


def _reads(product: Product, made_by: Mapping[Address, str]) -> tuple[str, ...]:
    asked = (port.address for port in product.inputs if port.address is not None)
    read = (made_by[address] for address in asked if address in made_by)
    return tuple(dict.fromkeys(name for name in read if name != product.qualified_name))


def _exposures(
    mesh: Mesh, settings: Settings, made_by: Mapping[Address, str]
) -> dict[str, tuple[Exposure, ...]]:
    """Return what reads a product outside the mesh, as the dbt projects here say it."""
    found: dict[str, list[Exposure]] = {}
    for product in _by_dbt(mesh.products):
        with suppress(MeshError, OSError):  # `mesh check` says what is wrong with the project
            manifest, nodes = dbt_nodes(product, walls_of(settings))
            for one in exposures_of(product, manifest, nodes):
                for name in dict.fromkeys(made_by[a] for a in one.reads if a in made_by):
                    found.setdefault(name, []).append(one)
    return {name: tuple(dict.fromkeys(ones)) for name, ones in found.items()}


def _by_dbt(products: Iterable[Product]) -> Iterable[Product]:
    return (one for one in products if one.transform.kind is TransformKind.DBT)


def _remembered(
    settings: Settings, ports: Mapping[Address, OutputPort]
) -> Callable[[Product], Lineage]:
    """Return what asks for a product's lineage once: to parse a query takes a while."""
    known: dict[str, Lineage] = {}

    def lineage(product: Product) -> Lineage:
        name = product.qualified_name
        if name not in known:
            known[name] = product_lineage(product, ports, walls_of(settings))
        return known[name]

    return lineage
