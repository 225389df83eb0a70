"""The state of resources of dlt: which one a fetch goes on from, and what it leaves for the next.

It is that of the candidate that is published in the release that the run pinned, of a partition
its own: so what was refused or killed moves no cursor, and a rollback brings the former one back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dataops_mesh.errors import CorruptError, Problem
from dataops_mesh.spec.model import InputPort, Product
from dataops_mesh.store import files
from dataops_mesh.store.described import File
from dataops_mesh.store.log import Release
from dataops_mesh.store.manifest import describe, folder, read_manifest
from dataops_mesh.store.store import Store

FOLDER = "dlt.state"


def state_of(
    store: Store, product: Product, release: Release, partition: str, port: InputPort
) -> bytes:
    """Return the state that an input port goes on from; empty where nothing was published.

    Raises:
        CorruptError: it is not what the manifest says.
    """
    entry = release.ports.get(product.outputs[0].address)  # all ports of a product are a candidate
    found = entry.part(partition) if entry and partition else entry
    if found is None or (entry is not None and entry.parts and not partition):
        return b""
    ref = found.candidate
    kept = next((f for f in read_manifest(store, ref).state if f.path == _name(port.name)), None)
    if kept is None:
        return b""
    path = folder(store, ref) / kept.path
    try:
        right = files.digest(path) == kept.sha256
    except FileNotFoundError:
        right = False
    if not right:
        what = f"{path}, the state that the resource goes on from, is not what was kept"
        then = f"mesh rollback {product.qualified_name} --reason ..., or begin again with --full"
        raise CorruptError(Problem(what, port.where, next=then))
    return path.read_bytes()


def keep_states(root: Path, states: Mapping[str, bytes]) -> tuple[File, ...]:
    """Write the states that resources have left into a candidate's folder, and describe them."""
    found = []
    for name, state in states.items():
        path = root / _name(name)
        files.make_folder(path.parent)
        files.replace(path, state)
        found.append(describe(root, path))
    return tuple(found)


def _name(port: str) -> str:
    return f"{FOLDER}/{port}.json"
