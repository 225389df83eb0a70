"""Delete what nobody can reach any more: superseded candidates and blobs, leftovers of crashes.

The order of steps is what makes it safe without a lock against readers and publishers (pins.py
has the other half): list candidates and blobs, close old releases, read the pins, read the log,
say what will be deleted, and only then delete. Whoever pinned or published before its step is
seen; whoever comes after finds that the release is closed, or that a candidate is doomed, or wrote
what was not on the list.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from dataops_mesh.disk import rights_of
from dataops_mesh.errors import FULL
from dataops_mesh.store import files, locks, restricted
from dataops_mesh.store.captures.collect import delete_unneeded, unneeded
from dataops_mesh.store.collecting.collected import UNRECORDED, YOUNG, Collected, Item
from dataops_mesh.store.collecting.leftovers import is_older, leftovers, remove_leftover
from dataops_mesh.store.collecting.reachable import PINNED, READ, Line, mark_past, reachable
from dataops_mesh.store.floor import floor, raise_floor
from dataops_mesh.store.line.known import living
from dataops_mesh.store.log import doomed_path, latest_number, path_of
from dataops_mesh.store.manifest import MANIFEST, pending_refs
from dataops_mesh.store.pins import Pin, live_pins
from dataops_mesh.store.retention import Retention
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree import blobs
from dataops_mesh.store.tree.blobs import Found
from dataops_mesh.store.tree.mark import Marked

_LOCK_SECONDS = 600.0
__all__ = ["PINNED", "READ", "UNRECORDED", "YOUNG", "Collected", "Item", "collect"]


def collect(
    store: Store,
    *,
    keep_releases: int,
    grace_seconds: float,
    dry_run: bool = False,
    retention: Retention | None = None,
) -> Collected:
    """Delete what no open release, no retention and no live pin refers to, after the grace period.

    Of any line: what a sandbox shows, or was opened from, stays until it is closed.

    Args:
        store: the store, on any line.
        keep_releases: how many of the newest releases to keep whole, at least one.
        grace_seconds: how long a superseded release stays for readers that cannot pin it, and
            how old a leftover must be.
        dry_run: only say what would be deleted.
        retention: how many publications of each product to keep.
    """
    store = store.production
    with locks.exclusive(store.root / "collect.lock", seconds=_LOCK_SECONDS):
        listed = tuple(_candidate_folders(store))
        made = blobs.listed(store)
        before, lows = floor(store), dict[str, int]()
        for line in _lines(store):
            low = _lowest(line, max(keep_releases, 1), grace_seconds)
            if not dry_run and low > floor(line):
                low = raise_floor(line, low)  # from here on nobody finds what is older
            lows[line.line] = low
        pins = live_pins(store)
        # After the pins: who opens a sandbox has pinned what it is opened from.
        lines = [_line(one, lows.get(one.line), grace_seconds) for one in _lines(store)]
        marked = reachable(lines, retention or Retention(), pins)
        low = lows[store.line]
        found = _found(lines, listed, marked, grace_seconds)
        old = _unmarked(made, marked, pins, grace_seconds)
        found = replace(
            found,
            releases=tuple(range(before + 1, low + 1)),
            tree=tuple(sorted(Item(_path(store, one.path), one.bytes) for one in old)),
        )
        if dry_run:
            without = frozenset((*found.candidates, *_refs_of(store, found.litter)))
            return replace(found, captures=_items(unneeded(store, without)))
        found = _delete_but_what_is_read(store, found)
        stuck: dict[str, Item] = {}

        @contextmanager
        def past(item: files.Item) -> Iterator[None]:
            try:
                yield
            except PermissionError as error:
                name = _path(store, item.path) if item.path.is_relative_to(store.root) else ""
                name = name or item.path.name
                stuck[item.path.name] = _stuck(Item(name, item.bytes), error, item.path)

        gone = _items(delete_unneeded(store, grace_seconds, past))
        return replace(found, captures=gone, stuck=(*found.stuck, *stuck.values()))


def _refs_of(store: Store, litter: tuple[Item, ...]) -> Iterator[str]:
    """Yield the candidates among what nobody finished."""
    for item in litter:
        path = store.root / item.name
        if path.is_relative_to(store.candidates):
            yield _ref(store, path)


def _items(found: Iterable[files.Item]) -> tuple[Item, ...]:
    return tuple(sorted(Item(one.path.name, one.bytes) for one in found))


def _lines(store: Store) -> list[Store]:
    return [store, *(line for line, _ in living(store))]


def _line(store: Store, low: int | None, grace_seconds: float) -> Line:
    def aged(number: int) -> bool:
        path = path_of(store, number)
        # A sandbox has no file of what it was opened with, and does not keep it for a rollback.
        return is_older(path, grace_seconds) or not path.exists()

    return Line(store, floor(store) if low is None else low, aged)


def _lowest(store: Store, keep: int, grace_seconds: float) -> int:
    """Return up to which release all are closed.

    The age of a release counts from the moment when the next one took its place.
    """
    low = floor(store)
    newest = latest_number(store)
    while low < newest - keep and is_older(path_of(store, low + 2), grace_seconds):
        low += 1
    return low


def _found(
    lines: list[Line],
    listed: tuple[Path, ...],
    marked: Marked,
    grace_seconds: float,
) -> Collected:
    store, why = lines[0].store, marked.refs
    aged = {path: is_older(path, grace_seconds) for path in listed}
    free = [path for path in listed if aged[path] and _ref(store, path) not in why]
    done = [path for path in free if (path / MANIFEST).is_file()]
    litter = [path for path in free if path not in done]
    stores = [line.store for line in lines]
    litter += leftovers(stores, frozenset(why), grace_seconds)
    unrecorded = frozenset(ref for one in stores for ref in pending_refs(one))
    gone = [path for path in done if _ref(store, path) not in unrecorded]
    stays = [path for path in listed if path not in gone and path not in litter]
    return Collected(
        (),
        tuple(sorted(Item(_ref(store, path), _size(path)) for path in gone)),
        tuple(sorted(Item(_path(store, path), _size(path)) for path in litter)),
        tuple(
            Item(ref, _size(path), why.get(ref) or (UNRECORDED if aged[path] else YOUNG))
            for path, ref in sorted((path, _ref(store, path)) for path in stays)
        ),
    )


def _unmarked(
    made: list[Found],
    marked: Marked,
    pins: tuple[Pin, ...],
    grace_seconds: float,
) -> list[Found]:
    """Return the blobs to delete: none that somebody may have written a moment ago."""
    writers = [pin.since for pin in pins if pin.writes]
    until = min([time.time() - grace_seconds, *writers])
    return [one for one in made if one.place not in marked.places and one.made < until]


def _delete_but_what_is_read(store: Store, found: Collected) -> Collected:
    """Delete, after saying so: whoever reads a closed release has pinned it, or is told."""
    try:
        files.replace(doomed_path(store), "\n".join(found.candidates).encode())
    except OSError as error:
        if error.errno not in FULL:  # readers of a full disk get no pin either
            raise
    used = Marked()
    for pin in live_pins(store):
        if pin.nodes and not pin.whole:
            mark_past(store, pin, used)
    left = tuple(item for item in found.gone if item.name not in used.refs)
    spared = tuple(replace(item, why=PINNED) for item in found.gone if item.name in used.refs)
    done = _delete(store, replace(found, gone=left, kept=tuple(sorted((*found.kept, *spared)))))
    files.remove(doomed_path(store))
    return done


def _delete(store: Store, found: Collected) -> Collected:
    """Delete what was found, past what belongs to somebody else."""
    stuck = {}
    for ref in restricted.orphans(store):
        try:
            restricted.remove(store, ref)
        except PermissionError as error:
            stuck[Item(ref, 0)] = _stuck(Item(ref, 0), error, Path(ref))
    candidates = {item.name for item in found.gone}
    for item in (*found.gone, *found.litter, *found.tree):
        candidate = item.name in candidates
        path = (store.candidates if candidate else store.root) / item.name
        try:
            if candidate:  # first the evidence: half a candidate must never look like a whole one
                files.remove(path / MANIFEST)
                restricted.remove(store, item.name)
                files.remove_tree(path)
            else:
                if path.is_relative_to(store.candidates):
                    restricted.remove(store, _ref(store, path))
                remove_leftover(store, path)
        except PermissionError as error:
            stuck[item] = _stuck(item, error, path)
    return replace(
        found,
        gone=tuple(item for item in found.gone if item not in stuck),
        litter=tuple(item for item in found.litter if item not in stuck),
        tree=tuple(item for item in found.tree if item not in stuck),
        stuck=tuple(stuck.values()),
    )


def _stuck(item: Item, error: PermissionError, path: Path) -> Item:
    where = Path(os.fsdecode(error.filename or path))
    return replace(item, why=f"{error.strerror}{rights_of(where)}")


def _candidate_folders(store: Store) -> Iterator[Path]:
    return (path for path in store.candidates.glob("*/*/*") if path.is_dir())


def _ref(store: Store, path: Path) -> str:
    return path.relative_to(store.candidates).as_posix()


def _path(store: Store, path: Path) -> str:
    return path.relative_to(store.root).as_posix()


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(FileNotFoundError):  # a temporary file of a build that goes on
                total += (Path(folder) / name).stat().st_size
    return total
