"""A product that read its own last publication may only take the place of that very publication."""

from __future__ import annotations

from collections.abc import Iterable

from dataops_mesh.errors import ConflictError, Problem
from dataops_mesh.spec.names import is_own
from dataops_mesh.store.described import InputRead
from dataops_mesh.store.log import Release
from dataops_mesh.store.manifest import Manifest, read_manifest
from dataops_mesh.store.store import Store


def require_own(store: Store, current: Release, manifests: Iterable[Manifest]) -> None:
    """Refuse what was built on an own publication that is not the last: rows would be lost.

    Args:
        store: the store.
        current: what is published now.
        manifests: of the candidates that are to be.

    Raises:
        ConflictError: it was published, rolled back or withdrawn meanwhile.
    """
    for one in manifests:
        for read in one.inputs:
            if is_own(read.name) and _moved(store, current, one, read):
                piece = f"partition {one.partition} of " if one.partition else ""
                what = f"{piece}{read.address} was published while this candidate, which reads it,"
                then = "run the product again, on what is published now"
                raise ConflictError(Problem(f"{what} was built", next=then))


def _moved(store: Store, current: Release, manifest: Manifest, read: InputRead) -> bool:
    """Tell whether a port is not what a candidate of its own product was built on.

    Compared by content and not by number. What was built in another line of releases (a sandbox)
    may have been built there several times: then the first of these counts. A run that left out
    what was there (`--full`) may not take the place of what came meanwhile either.
    """
    entry = current.ports.get(read.address) if read.address else None
    found = entry.part(manifest.partition) if entry and manifest.partition else entry
    now = found.candidate if found else None
    while not manifest.full and read.candidate is not None and read.candidate != now:
        before = read_manifest(store, read.candidate)
        own = next((one for one in before.inputs if one.address == read.address), None)
        if before.line == current.line or own is None:
            return True
        manifest, read = before, own
    if manifest.full:
        begun = manifest.base if manifest.line == current.line else manifest.heard
        return found is not None and found.publication > begun
    return read.candidate != now
