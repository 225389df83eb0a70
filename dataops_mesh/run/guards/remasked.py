"""A mask holds for all that a port shows: also for the partitions that a run leaves as they are.

What was published before a column had its mask, or with another one, is masked by nobody
afterwards. So all partitions are built again, in one commit, before one of them is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from dataops_mesh.errors import MeshError, Problem
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.former import Building, Said, rebuilding, staying
from dataops_mesh.settings import Settings
from dataops_mesh.spec.mask import Mask
from dataops_mesh.spec.model import OutputPort, Product
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.release import Release
from dataops_mesh.store.store import Store, open_store

_NONE = frozenset[str]()


def mask_reasons(
    product: Product, environment: Environment, release: Release, building: Building
) -> tuple[str, ...]:
    """Return why partitions that stay are not masked as the contract says, one sentence each.

    Args:
        product: what is built.
        environment: the store.
        release: what is published.
        building: what is built of it.
    """
    if building.keys is None:  # nothing stays
        return ()
    problems = _problems(product, environment.store, release, building.keys)
    return tuple(f"{one.what} ({one.where}); {one.next}" for one in problems)


def mask_notes(settings: Settings, products: Sequence[Product]) -> tuple[Problem, ...]:
    """Return which partitions that are published are not masked as contracts say now."""
    some = [one for one in products if one.partitioning is not None and any(_masking(one))]
    store = None
    with suppress(MeshError):  # nothing was ever published here
        store = open_store(settings.store_folder, create=False) if some else None
    if store is None:
        return ()
    with pinned(store) as release:
        return tuple(one for each in some for one in _problems(each, store, release, _NONE))


def _problems(
    product: Product, store: Store, release: Release, building: frozenset[str]
) -> Iterator[Problem]:
    if product.partitioning is None:
        return
    for port in _masking(product):
        entry = release.ports.get(port.address)
        for said in staying(store, port, entry, building, _masks) if entry else ():
            if wrong := _wrong(port, said):
                what = f"{said.which} of {port.address} was published {wrong}, and would stay so"
                yield Problem(what, port.contract.where, "masking", next=rebuilding(product))


def _masking(product: Product) -> Iterator[OutputPort]:
    return (port for port in product.outputs if _masks(port))


def _masks(port: OutputPort) -> dict[str, Mask]:
    """Return the masks of a contract by column; a name is found however it is written."""
    return {one.name.lower(): one.mask for one in port.contract.columns if one.mask}


def _wrong(port: OutputPort, said: Said) -> str:
    """Return how masks of then are not those of now; a column that there was not is null."""
    if said.port is None:
        return "under a contract that nobody can read, with whatever masks"
    now, then = _masks(port), _masks(said.port)
    there = {one.name.lower() for one in said.port.contract.columns}
    clear = sorted(there & now.keys() - then.keys())
    if clear:
        return f"without the mask of {', '.join(clear)}"
    other = sorted(name for name in now.keys() & then.keys() if now[name] != then[name])
    return f"with another mask of {', '.join(other)}" if other else ""
