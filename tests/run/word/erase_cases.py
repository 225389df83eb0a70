"""A store with two products, published by the helpers of the store's tests, and its ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from helpers import environment, write_workspace
from store_helpers import OURS, T0, A, B, build, mark_recorded, publish

from dataops_mesh.run.environment import Environment
from dataops_mesh.run.word.erase import Erased, Forgot, Traces, erase
from dataops_mesh.run.word.withdraw import Taking
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import entries_of
from dataops_mesh.store.manifest import MANIFEST, folder, new_ref, read_manifest, write_manifest
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.release import Release, commit

BOTH = (A, B)
C = Address("fleet", "routes")
NAME = "fleet.aircraft"
WHY = "they asked us to"


def a_mesh(root: Path) -> Environment:
    """Return a store with two generations of two products, and one that was refused."""
    settings = write_workspace(root, {}, settings=f'repository = "{OURS.repository}"\n')
    place = environment(settings)
    for generation in (1, 2):
        publish(place.store, generation)
        publish(place.store, generation, (C,), "routes")
    refuse(place)
    return place


def refuse(place: Environment) -> str:
    with pinned(place.store) as base:
        ref = new_ref("fleet", "aircraft", T0)
        with building(place.store, ref) as target:
            build(place.store, target, ref, base, 9, verdict="refuse")
    return ref


def publish_partition(place: Environment, key: str, generation: int) -> Release:
    """Publish one partition of a product of its own."""
    with pinned(place.store) as base:
        ref = new_ref("fleet", "daily", T0)
        with building(place.store, ref) as target:
            at = Address("fleet", "daily")
            manifest = build(place.store, target, ref, base, generation, (at,))
            (target / MANIFEST).unlink()
            manifest = replace(manifest, partition=key)
            write_manifest(place.store, manifest)
            mark = {"run_id": "r", "person": "ana", "publisher": OURS}
            release = commit(place.store, base, entries_of(manifest), **mark)
            mark_recorded(place.store, ref)
            return release


def erase_it(
    place: Environment,
    addresses=BOTH,
    product: str = NAME,
    partition: str = "",
    *,
    whole: bool = True,
    wait: bool = True,
    told: list[str] | None = None,
    traces: list[Traces] | None = None,
) -> Erased:
    said: list[str] = [] if told is None else told
    kept: list[Traces] = [] if traces is None else traces

    def forget(found: Traces) -> Forgot:
        kept.append(found)
        return Forgot()

    what = Taking(product, addresses, ())
    return erase(
        what, place, WHY, partition, whole=whole, wait=wait, forget=forget, tell=said.append
    )


def left(place: Environment, product: str = "aircraft") -> set[str]:
    """Return the refs of the product's candidates that have anything on the disk."""
    root = place.store.candidates
    return {path.relative_to(root).as_posix() for path in root.glob(f"fleet/{product}/*")}


def refs(place: Environment) -> set[str]:
    return {ref for ref in left(place) if read_manifest(place.store, ref).product == NAME}


__all__ = [
    "BOTH", "NAME", "WHY", "A", "B", "C", "a_mesh", "erase_it", "folder", "left", "publish_partition", "refs", "refuse",
]  # fmt: skip
