"""Bring a store of format 1 to format 2, whatever stops it half way.

The tree is written beside the old log, which nobody reads as one before the fence: the file that
takes the number of the next old release, so that whoever publishes by an older version either was
faster, and is taken along, or is told that the store has another format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.store import files
from dataops_mesh.store.floor import raise_floor
from dataops_mesh.store.log import Release, encoded, path_of
from dataops_mesh.store.store import FORMAT, Store, format_of, write_format
from dataops_mesh.store.tree import blobs
from dataops_mesh.store.tree.entry import Switch
from dataops_mesh.store.tree.ports import Ports
from dataops_mesh.store.upgrade.format1 import (
    OldRelease,
    fence,
    is_fenced,
    old_numbers,
    old_releases,
)
from dataops_mesh.store.upgrade.regrown import tree_of

_SAME = tuple(f.name for f in fields(OldRelease) if f.name not in {"ports", "whole"})


def upgrade(root: Path) -> int:
    """Upgrade a store; again, it goes on where something stopped it.

    Args:
        root: the store's folder.

    Returns:
        The number of the newest release; -1 if the store has this format already.

    Raises:
        StoreError: it is no store, or of a format that nobody knows.
    """
    store = Store(root.absolute())
    found = format_of(store)
    if found == FORMAT:
        return -1
    if found != 1:
        raise StoreError(
            Problem(
                f"{root} is a store of format {found}, this version reads {FORMAT}",
                next="use the version of dataops_mesh that wrote it",
            )
        )
    while True:
        number = max(old_numbers(store), default=0)
        fenced = is_fenced(store)
        _write(store, old_releases(store))
        if fenced or fence(store, number + 1):
            break  # else somebody published meanwhile: take that along
    write_format(store)
    return number


def _write(store: Store, releases: list[OldRelease]) -> None:
    """Write the log anew, what an earlier attempt left of it gone first."""
    for name in ("heads", "tree"):
        files.remove_tree(store.root / name)
    for path in (store.releases, store.tree):
        files.make_folder(path)
    if not releases:
        return
    newest = releases[-1]
    nodes, pending = tree_of(store, releases)
    blobs.write(store, pending)
    ports = Ports(store.root, nodes)
    for old in releases:
        said = {name: getattr(old, name) for name in _SAME}
        shown = ports if old is newest else Ports(store.root)
        release = Release(**said, ports=shown, switches=tuple(_switches(old)))
        files.create(path_of(store, old.number), encoded(release))
    raise_floor(store, newest.number - 1)


def _switches(old: OldRelease) -> Iterator[Switch]:
    """Yield what an old release did."""
    for address in old.changed:
        entry = old.ports.get(address)
        if entry is None:
            yield Switch(address, old.about)
            continue
        own = [part for part in entry.parts if part.publication == old.number]
        several = own if len(own) > 1 else []
        parts = tuple((p.key, p.candidate, p.rows, p.fingerprint) for p in several)
        gone = old.kind == "withdrawal"
        candidate = "" if gone else entry.candidate
        yield Switch(address, entry.product, candidate, entry.rows, entry.fingerprint, parts)
