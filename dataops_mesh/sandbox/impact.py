"""What a change does to the data, its own and that of everybody who reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dataops_mesh.engine.data import data_finder, data_scan
from dataops_mesh.engine.difference import RowDifference, row_difference
from dataops_mesh.engine.session import session
from dataops_mesh.errors import MeshError
from dataops_mesh.run.declaration import published_product
from dataops_mesh.run.environment import Environment
from dataops_mesh.spec.checks.withheld import safe_columns
from dataops_mesh.spec.model import Address, OutputPort, Product
from dataops_mesh.store.line.differ import Difference, difference
from dataops_mesh.store.line.refresh import base_of
from dataops_mesh.store.log import Entry, Release, ports_of
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.tree.ports import Ports


@dataclass(frozen=True, slots=True)
class PortImpact:
    """What a change does to one port.

    Args:
        before: how many rows it had, in the partitions that were built; None if none.
        after: how many it has.
        partitions: that were built; empty of a port that is published whole.
        difference: row by row; None where there is nothing to compare with.
    """

    address: Address
    before: int | None
    after: int | None
    partitions: tuple[str, ...] = ()
    difference: RowDifference | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change does to one product.

    Args:
        edited: it was changed itself; else it reads what was.
        ended: `published`, `refused`, `failed`, `waiting`; `elsewhere` if it cannot be built here.
        reasons: why it was not published.
    """

    product: str
    edited: bool
    ended: str
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0
    ports: tuple[PortImpact, ...] = field(default_factory=tuple)


def with_readers(products: Sequence[Product], edited: Collection[str]) -> tuple[Product, ...]:
    """Return the products that were edited and all that read them, however far down.

    Args:
        products: inputs first.
        edited: qualified names.
    """
    touched: set[Address] = set()
    found = []
    for product in products:
        reads = any(port.address in touched for port in product.inputs)
        if product.qualified_name in edited or reads:
            found.append(product)
            touched |= {port.address for port in product.outputs}
    return tuple(found)


def port_impacts(
    product: Product, environment: Environment, samples: int = 0
) -> tuple[PortImpact, ...]:
    """Return what differs between what a sandbox shows of a product and what its base showed.

    Args:
        product: as it is declared now.
        environment: of the sandbox.
        samples: how many keys of changed rows to show, in columns that may be shown.
    """
    store = environment.store
    with pinned(store) as mine:
        base = Ports(store.root, base_of(mine).nodes)
        there = replace(mine, ports=base)
        found = []
        for port in product.outputs:
            moved = difference(port.address, base, ports_of(mine))
            if moved is not None:
                safe = _safe(port, there, environment)
                found.append(_impact(port, moved, (there, mine), environment, (safe, samples)))
        return tuple(found)


def _impact(
    port: OutputPort,
    moved: Difference,
    releases: tuple[Release, Release],
    environment: Environment,
    shown: tuple[frozenset[str], int],
) -> PortImpact:
    address, keys = port.address, tuple(moved.parts or ())
    old, new = (_only(release.ports.get(address), keys) for release in releases)
    before, after = (entry.rows if entry else None for entry in (old, new))
    impact = PortImpact(address, before, after, keys)
    if old is None or new is None:
        return impact
    settings, find = environment.settings, data_finder(environment.store)
    relations = [data_scan(entry, find(address, entry)) for entry in (old, new)]
    with session(
        environment.store,
        memory_limit=settings.memory_limit,
        threads=environment.threads,
        now=datetime.now(UTC),
    ) as con:
        safe, samples = shown
        key = port.contract.key
        found = row_difference(con, (relations[0], relations[1]), key, safe, samples)
    return replace(impact, difference=found)


def _only(entry: Entry | None, keys: Iterable[str]) -> Entry | None:
    """Return an entry with the partitions that differ alone; a port published whole as it is."""
    if entry is None or not entry.parts or not (wanted := set(keys)):
        return entry
    parts = tuple(part for part in entry.parts if part.key in wanted)
    if not parts:
        return None
    return replace(entry, parts=parts, rows=sum(part.rows for part in parts))


def _safe(port: OutputPort, there: Release, environment: Environment) -> frozenset[str]:
    """Return the columns that may be shown: that the contract of today and the published one say.

    An edit that calls a column public does not make yesterday's values so.
    """
    safe = frozenset(safe_columns(port.contract.columns))
    entry = there.ports.get(port.address)
    if entry is None or not environment.settings.samples:
        return safe if environment.settings.samples else frozenset()
    with suppress(MeshError):
        manifest = read_manifest(environment.store, entry.candidate)
        before = published_product(environment.store, manifest)
        known = [one for one in before.outputs if one.address == port.address] if before else []
        for one in known:
            return safe & frozenset(safe_columns(one.contract.columns))
    return frozenset()
