"""What publishing the declarations would change, for whom, and what may not be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from dataops_mesh.errors import MeshError, Problem, StoreError, UnknownNameError
from dataops_mesh.plan.plan import PUBLISHED, Plan, Target, Version, make_plan
from dataops_mesh.plan.publication import Spent, unspent
from dataops_mesh.run.account import approvals_spent
from dataops_mesh.run.checks import dbt_nodes
from dataops_mesh.run.declaration import published_versions
from dataops_mesh.run.environment import Environment, store_of
from dataops_mesh.run.guards.classes import class_notes
from dataops_mesh.run.guards.remasked import mask_notes
from dataops_mesh.run.identity import transform_fingerprint
from dataops_mesh.run.inputs.own import own_problems
from dataops_mesh.run.lineage import product_lineage
from dataops_mesh.run.registry.elsewhere import find_elsewhere, read_by, readers_of
from dataops_mesh.run.registry.register import lineage_of_record
from dataops_mesh.run.word.ended import approvals_of
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address, Mesh, Product, TransformKind
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.store import open_store
from dataops_mesh.transform.dbt.exposures import exposures_of
from dataops_mesh.transform.walls import walls_of


def plan_against(
    settings: Settings,
    mesh: Mesh,
    names: Sequence[str] = (),
    before: dict[str, Version] | None = None,
    against: str = PUBLISHED,
) -> Plan:
    """Return the plan of the named products and domains, or of all that can be read.

    Args:
        settings: of the workspace.
        mesh: what could be read of the declarations.
        names: of domains and products.
        before: what it is compared with; what is published if absent.
        against: what that is called.
    """
    others = find_elsewhere(settings, mesh)
    records = others.registrations
    before = _published(settings) if before is None else before
    before = {n: v for n, v in before.items() if n.partition(".")[0] not in others.domains}
    # The columns that consumers were written for, and those that come.
    declared = (*read_by(mesh, others), *mesh.products)
    ports = {port.address: port for p in declared for port in p.outputs}
    ports |= {port.address: port for v in before.values() for port in v.product.outputs}
    target = Target(
        mesh=mesh,
        transforms={p.qualified_name: transform_fingerprint(p) for p in mesh.products},
        lineage=lambda product: (
            lineage_of_record(records[product.qualified_name])
            if product.qualified_name in records
            else product_lineage(product, ports, walls_of(settings))
        ),
        approvals=partial(approvals_of, mesh=mesh, settings=settings),
        others=readers_of(mesh, others),
        origins={name: one.repository for name, one in records.items()},
        spent=_spent(settings) if against == PUBLISHED else lambda _: unspent,
        exposures=partial(_exposures, mesh=mesh, settings=settings),
    )
    only = _only(mesh, before, names)
    plan = make_plan(before, target, against, only)
    some = [p for p in mesh.products if p.qualified_name in only]
    told = (*own_notes(settings, some), *class_notes(settings, some), *mask_notes(settings, some))
    more = tuple(f"{one.what}; {one.next}" for one in told if against == PUBLISHED)
    return replace(plan, warnings=(*plan.warnings, *more))


def _exposures(address: Address, mesh: Mesh, settings: Settings) -> tuple[str, ...]:
    """Return what reads a port outside the mesh, as dbt projects say that make or read it."""
    found = set[str]()
    for product in mesh.products:
        known = {port.address for port in product.outputs}
        known |= {port.address for port in product.inputs if port.address is not None}
        if product.transform.kind is not TransformKind.DBT or address not in known:
            continue
        with suppress(MeshError):  # `mesh check` says what is wrong with the project
            manifest, nodes = dbt_nodes(product, walls_of(settings))
            reading = exposures_of(product, manifest, nodes)
            found |= {str(one) for one in reading if address in one.reads}
    return tuple(sorted(found))


def _spent(settings: Settings) -> Callable[[str], Spent]:
    """Return how often approvals have served, by the record of the store if there is one."""
    try:
        environment = Environment(store_of(settings, create=False), settings)
    except StoreError:
        return lambda _: unspent
    return lambda product: approvals_spent(environment, product)


def _unread(mesh: Mesh, name: str) -> bool:
    return not mesh.broken.keys().isdisjoint((name, name.partition(".")[0]))


def _only(mesh: Mesh, before: dict[str, Version], names: Sequence[str]) -> frozenset[str]:
    known = {product.qualified_name for product in mesh.products} | set(before)
    if not names:  # what cannot be read is not taken for what was removed
        return frozenset(known - {name for name in known if _unread(mesh, name)})
    found = {name for name in known if name in names or name.partition(".")[0] in names}
    strangers = [n for n in names if not any(n in (name, name.partition(".")[0]) for name in known)]
    if strangers:
        what = f'no domain or product "{strangers[0]}", here or there'
        raise UnknownNameError(Problem(what, choices=tuple(sorted(known))))
    return frozenset(found)


def _published(settings: Settings) -> dict[str, Version]:

    try:
        store = store_of(settings, create=False)
    except StoreError:
        return {}
    with pinned(store) as release:
        products, transforms = published_versions(store, release)
    return {name: Version(found, transforms[name]) for name, found in products.items()}


def own_notes(settings: Settings, products: Sequence[Product]) -> tuple[Problem, ...]:
    """Return which products cannot read what they published last: their next run is refused."""
    reading = [product for product in products if product.own]
    try:
        store = open_store(settings.store_folder, create=False) if reading else None
    except StoreError:
        return ()  # nothing was ever published here
    if store is None:
        return ()
    with pinned(store) as release:
        return tuple(one for product in reading for one in own_problems(store, product, release))
