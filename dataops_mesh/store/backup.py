"""Copy a store elsewhere and back: only what is new, in an order that any stop leaves readable.

What never changes is copied once. Records of removals come first, so that what was erased is never
in a copy that does not say so; releases come after all that they name, and the marker last.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.store import files
from dataops_mesh.store.captures.note import named
from dataops_mesh.store.floor import number_in
from dataops_mesh.store.log import latest_number
from dataops_mesh.store.manifest import MANIFEST
from dataops_mesh.store.pins import committing, pinned
from dataops_mesh.store.store import MARKER, SANDBOXES, Store, format_of, open_store

_ONCE = ("owners", "declarations", "captures", "candidates", "tree", "heads")  # in this order
_NAMES = frozenset({*_ONCE, "removed", "ledger.sqlite", MARKER})
_FLOOR = Path("heads/production/floor")
_SKIPPED = frozenset({"latest", "floor"})  # a hint, and what changes


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied.

    Args:
        release: the newest release in the copy.
        files: how many were copied, and not there already.
        gone: candidates deleted from the copy, because they were erased here.
    """

    release: int
    files: int
    bytes: int
    gone: tuple[str, ...] = ()


def backup(store: Store, target: Path) -> Copied:
    """Copy the store into a folder, or what is new into one that has an earlier copy.

    Publishing and reading go on meanwhile.

    Args:
        store: the store.
        target: a new or empty folder, or an earlier copy of this store.

    Raises:
        StoreError: the folder is something else.
    """
    _require_ours(store, target)
    with committing(store), pinned(store):
        number = latest_number(store)
        return _copy(store.root, target, number)


def restore(source: Path, root: Path) -> Copied:
    """Make a store of a copy, in a folder that is new or empty; stopped half way, again goes on.

    Args:
        source: the copy.
        root: the store's folder.

    Raises:
        StoreError: the copy is none, or the folder has a store already.
    """
    copy = Store(source.absolute())
    format_of(copy)
    if (root / MARKER).is_file():
        raise StoreError(
            Problem(f"{root} is a store", next="name a new folder, by the setting `store`")
        )
    found = _copy(copy.root, root, latest_number(copy))
    open_store(root)
    return found


def _require_ours(store: Store, target: Path) -> None:
    inside = target.absolute().is_relative_to(store.root)
    if inside or (target.exists() and not target.is_dir()):
        raise StoreError(Problem(f"{target} cannot hold a copy", next="name another folder"))
    known = {path.name for path in target.iterdir()} if target.is_dir() else set[str]()
    if any(name not in _NAMES and not name.startswith(files.TEMPORARY) for name in known):
        raise StoreError(
            Problem(f"{target} is neither empty nor a copy of a store", next="name a new folder")
        )
    ours, theirs = _first(store.root), _first(target)
    if ours and theirs and ours != theirs:
        raise StoreError(Problem(f"{target} is a copy of another store", next="name a new folder"))


def _first(root: Path) -> bytes:
    """Return the oldest release that a store has: two stores differ in it."""
    found = sorted((root / "heads" / "production").glob("0*.json"))
    return files.read(found[0]) if found else b""


def _copy(source: Path, target: Path, number: int) -> Copied:
    count = size = 0
    for path in _everything(source, number):
        name = path.relative_to(source)
        try:
            copied = _copied(path, target / name)
        except FileNotFoundError:  # collected meanwhile: no release of the copy shows it
            continue
        count += bool(copied)
        size += copied
    gone = tuple(_erased(source, target))
    _forget_captures(source, target)
    _copy_ledger(source, target)
    closed = min(number_in(source / _FLOOR) or 0, max(number - 1, 0))  # it may have risen since
    files.make_folder((target / _FLOOR).parent)
    files.replace(target / _FLOOR, f"{closed:08d}".encode())
    files.replace(target / MARKER, files.read(source / MARKER))
    return Copied(number, count, size, gone)


def _everything(source: Path, number: int) -> Iterator[Path]:
    yield from _below(source / "removed")
    for folder in _ONCE:
        found = sorted(_below(source / folder), key=lambda path: (path.name == MANIFEST, path))
        for path in found:
            if path.is_relative_to(source / "heads" / SANDBOXES):  # what people try is not kept
                continue
            late = folder == "heads" and path.stem.isdigit() and int(path.stem) > number
            if not late and path.name not in _SKIPPED:
                yield path


def _below(folder: Path) -> Iterator[Path]:
    return (
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(files.TEMPORARY)
    )


def _copied(path: Path, target: Path) -> int:
    """Copy a file that never changes, unless it is there; return how many bytes were written."""
    size = path.stat().st_size
    if target.is_file() and target.stat().st_size == size:
        return 0
    files.make_folder(target.parent)
    temporary = target.parent / f"{files.TEMPORARY}{files.unique_name()}"
    files.before("write", temporary)
    shutil.copyfile(path, temporary)
    files.sync(temporary)
    files.move(temporary, target)
    return size


def _erased(source: Path, target: Path) -> Iterator[str]:
    """Delete from the copy what was erased here, and say of which candidates."""
    for path in sorted((target / "removed").glob("*/*/*")):
        ref = path.relative_to(target / "removed").as_posix()
        here, there = source / "candidates" / ref, target / "candidates" / ref
        kept = {one.relative_to(here) for one in _below(here)}
        left = [one for one in _below(there) if one.relative_to(there) not in kept]
        files.remove_many(left)
        if left:
            yield ref


def _forget_captures(source: Path, target: Path) -> None:
    """Delete from the copy the captures that are gone here and that no candidate there needs."""
    needed = named(target)
    for path in _below(target / "captures"):
        there = (source / path.relative_to(target)).exists()
        if not there and path.name not in needed:
            files.remove(path)


def _copy_ledger(source: Path, target: Path) -> None:
    """Copy the ledger as one state, while others write it; one elsewhere is backed up there."""
    if not (source / "ledger.sqlite").is_file():
        return
    aside = target / f"{files.TEMPORARY}{files.unique_name()}"
    with (
        closing(sqlite3.connect(source / "ledger.sqlite")) as ours,
        closing(sqlite3.connect(aside)) as theirs,
    ):
        ours.backup(theirs)
    files.move(aside, target / "ledger.sqlite")
