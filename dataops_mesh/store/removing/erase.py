"""Deleting what a removal takes: idempotent, so that whoever comes next finishes what a crash left.

First the successor of a candidate's manifest, without samples; then the old one, so that half a
candidate never looks like a whole one; then the data. Nobody may use it any more: `users` says who
still does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dataops_mesh.errors import CorruptError, StoreError
from dataops_mesh.store import files, locks, record, restricted
from dataops_mesh.store.captures.collect import delete_unneeded
from dataops_mesh.store.described import InputRead
from dataops_mesh.store.line.subset import forget
from dataops_mesh.store.manifest import (
    MANIFEST,
    Manifest,
    folder,
    quarantine_folder,
    read_manifest,
    successors,
)
from dataops_mesh.store.pins import live_builds, who_uses
from dataops_mesh.store.removing.removal import Removal
from dataops_mesh.store.scratch import lock_of
from dataops_mesh.store.store import Store


def taken(store: Store, removal: Removal) -> tuple[str, ...]:
    """Return the candidates of which the removal has something to delete."""
    return tuple(
        ref
        for ref, manifest in _candidates(store, removal)
        if manifest is not None and removal.takes(manifest) and _doomed(store, removal, manifest)
    )


def unfinished(store: Store, removal: Removal) -> tuple[str, ...]:
    """Return the product's builds that have no evidence: they go on, or their process died."""
    return tuple(ref for ref, manifest in _candidates(store, removal) if manifest is None)


def require_deletable(store: Store, product: str) -> None:
    """Make sure that all that is kept of a product can be deleted here, clear values too.

    Raises:
        StoreError: there are some, and the setting `restricted` does not say where.
    """
    domain, _, name = product.partition(".")
    for path in (store.candidates / domain / name).glob(f"*/{MANIFEST}"):
        with suppress(CorruptError):
            ref = path.parent.relative_to(store.candidates).as_posix()
            restricted.require_known(store, read_manifest(store, ref))


def users(store: Store, removal: Removal, refs: Iterable[str]) -> tuple[str, ...]:
    """Return the processes that read or build any of the candidates."""
    return who_uses(store, frozenset(refs), removal.number)


def delete(store: Store, removal: Removal, refs: Iterable[str]) -> None:
    """Delete what the removal takes of the candidates; how they were judged stays on record.

    Raises:
        StoreError: clear values are kept of one, and where is not known here.
    """
    found = {ref: read_manifest(store, ref) for ref in refs}
    for manifest in found.values():
        restricted.require_known(store, manifest)
    for ref, manifest in found.items():
        restricted.remove(store, ref, *(() if removal.whole else removal.addresses))
        after = store.removed / ref / f"{removal.number}.json"
        files.make_folder(after.parent)
        files.create(after, record.encode(successor(manifest, removal)))
        files.remove(folder(store, ref) / MANIFEST)
        for path in _doomed(store, removal, manifest):
            files.remove_tree(path)
        forget(store, (ref,))
        files.remove_many(successors(store, ref)[1:])
        files.sync_folder(folder(store, ref).parent)
    delete_unneeded(store)


def delete_leftovers(store: Store, removal: Removal) -> None:
    """Delete what dead processes left, anybody's spilled rows, and what was fetched for it."""
    listed = unfinished(store, removal)  # first: whoever lives has pinned before it is listed
    dead = set(listed) - live_builds(store)
    for ref in dead.intersection(unfinished(store, removal)):  # without those that just ended
        restricted.remove(store, ref)
        files.remove_tree(folder(store, ref))
    files.remove_tree(store.fetched / removal.product)
    for path in store.scratch.iterdir():
        if path.suffix != locks.SUFFIX and not locks.is_alive(lock_of(path)):
            locks.bury(lock_of(path), path)
    delete_unneeded(store)


def successor(manifest: Manifest, removal: Removal) -> Manifest:
    """Return what stays on record of a candidate: no file of what was taken, and no sample."""
    ports = tuple(
        replace(port, files=()) if _is_taken(removal, port.address) else port
        for port in manifest.ports
    )
    aside = tuple(
        replace(one, files=()) if _is_taken(removal, one.address) else one
        for one in manifest.quarantines
    )
    results = tuple(replace(result, sample=()) for result in manifest.results)
    clear = tuple(one for one in manifest.clear if not _is_taken(removal, one.port))
    inputs = tuple(_without_files(read) for read in manifest.inputs)
    left = replace(
        manifest, inputs=inputs, ports=ports, quarantines=aside, results=results, clear=clear
    )
    return replace(left, removed=removal.number)


def _without_files(read: InputRead) -> InputRead:
    return replace(read, files=(), kept="", why="it was erased") if read.files else read


def _is_taken(removal: Removal, address: object) -> bool:
    return removal.whole or address in removal.addresses


def _doomed(store: Store, removal: Removal, manifest: Manifest) -> list[Path]:
    """Return what goes of a candidate: its folder, or all in it but the data of other ports."""
    root = folder(store, manifest.candidate)
    kept = [one for one in manifest.ports if one.files and not _is_taken(removal, one.address)]
    stays = {one.address.port for one in kept}
    stays |= {quarantine_folder(one.address.port) for one in kept}
    if not stays:
        return [root] if root.exists() else []
    with suppress(FileNotFoundError):
        return [path for path in root.iterdir() if path.name not in stays]
    return []


def _candidates(store: Store, removal: Removal) -> Iterator[tuple[str, Manifest | None]]:
    """Yield each candidate of the product that has a folder, with its evidence."""
    domain, _, product = removal.product.partition(".")
    for path in sorted((store.candidates / domain / product).glob("*")):
        ref = path.relative_to(store.candidates).as_posix()
        try:
            yield ref, read_manifest(store, ref)
        except CorruptError:
            # Whose it is cannot be known. Where everything goes, it goes.
            if removal.whole and not removal.partition:
                yield ref, None
        except StoreError:
            yield ref, None
