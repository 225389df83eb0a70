"""Delete what nobody can reach any more: old releases, their candidates, leftovers of crashes.

The order of steps is what makes it safe without a lock against readers and publishers (pins.py
has the other half): list the candidates, remove old releases, read the pins, read the log, and
only then delete. Whoever pinned or published before its step is seen; whoever comes after finds
that the old release is gone, or publishes a candidate that was not on the list.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataops_mesh.engine import files, locks
from dataops_mesh.engine.log import latest_number, numbers, path_of, read_release
from dataops_mesh.engine.manifest import MANIFEST, pending_refs, unwritten
from dataops_mesh.engine.pins import live_refs
from dataops_mesh.engine.scratch import lock_of
from dataops_mesh.engine.store import Store

_LOCK_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection deleted, or would delete.

    Args:
        releases: their numbers.
        candidates: the refs of those that no release names any more.
        leftovers: files and folders of builds that did not finish.
        unrecorded: candidates that are kept only because the ledger lacks them.
        bytes: the size of all that.
    """

    releases: tuple[int, ...]
    candidates: tuple[str, ...]
    leftovers: tuple[str, ...]
    unrecorded: tuple[str, ...]
    bytes: int


def collect(
    store: Store,
    *,
    keep_releases: int,
    grace_seconds: float,
    dry_run: bool = False,
    recorded: int | None = None,
) -> Collected:
    """Delete what no retained release and no live pin refers to, after the grace period.

    Args:
        store: the store.
        keep_releases: how many of the newest releases to keep, at least one.
        grace_seconds: how long a superseded release stays for readers that cannot pin it, and
            how old a leftover must be.
        dry_run: only say what would be deleted.
        recorded: the newest release that the ledger has; releases after it are kept.
    """
    with locks.exclusive(store.root / "collect.lock", seconds=_LOCK_SECONDS):
        listed = tuple(_candidate_folders(store))
        old = _old_releases(store, max(keep_releases, 1), grace_seconds, recorded)
        if not dry_run:
            for number in old:
                files.remove(path_of(store, number))
        used = live_refs(store) | _published_refs(store, old)
        unrecorded = frozenset(pending_refs(store))
        free = [path for path in listed if _ref(store, path) not in used]
        aged = [path for path in free if _is_older(path, grace_seconds)]
        done = [path for path in aged if (path / MANIFEST).is_file()]
        candidates = [path for path in done if _ref(store, path) not in unrecorded]
        leftovers = [path for path in aged if path not in done]
        leftovers += _leftovers(store, used, grace_seconds)
        size = sum(_size(path) for path in (*candidates, *leftovers))
        if not dry_run:
            for path in candidates:
                # First the evidence: half a candidate must never look like a whole one.
                files.remove(path / MANIFEST)
                files.remove_tree(path)
            for path in leftovers:
                _remove_leftover(store, path)
        return Collected(
            tuple(old),
            tuple(sorted(_ref(store, path) for path in candidates)),
            tuple(sorted(path.relative_to(store.root).as_posix() for path in leftovers)),
            tuple(sorted(_ref(store, path) for path in done if path not in candidates)),
            size,
        )


def _candidate_folders(store: Store) -> Iterator[Path]:
    return (path for path in store.candidates.glob("*/*/*") if path.is_dir())


def _ref(store: Store, path: Path) -> str:
    return path.relative_to(store.candidates).as_posix()


def _old_releases(store: Store, keep: int, grace_seconds: float, recorded: int | None) -> list[int]:
    """Return the numbers to remove, oldest first; the log stays without a gap.

    The age of a release counts from the moment when the next one took its place.
    """
    newest = latest_number(store)
    old: list[int] = []
    for number in sorted(numbers(store)):
        unknown = recorded is not None and number > recorded
        if number > newest - keep or unknown:
            break
        if not _is_older(path_of(store, number + 1), grace_seconds):
            break
        old.append(number)
    return old


def _published_refs(store: Store, old: list[int]) -> frozenset[str]:
    """Return the candidates of every retained release, those made a moment ago included."""
    refs: set[str] = set()
    number = latest_number(store)
    while number > 0 and number not in old and path_of(store, number).exists():
        release = read_release(store, number)
        refs.update(ref for entry in release.ports.values() for ref in entry.refs)
        number -= 1
    return frozenset(refs)


def _leftovers(store: Store, used: frozenset[str], grace_seconds: float) -> list[Path]:
    folders = (store.root, store.releases, store.pins, store.pending, store.cache)
    temporary = [path for folder in folders for path in folder.glob(f"{files.TEMPORARY}*")]
    dead = [path for path in store.scratch.iterdir() if not locks.is_alive(lock_of(path))]
    announced = [path for ref, path in unwritten(store) if ref not in used]
    every = (*temporary, *dead, *announced)
    return [path for path in every if _is_older(path, grace_seconds)]


def _remove_leftover(store: Store, path: Path) -> None:
    if path.parent == store.scratch:
        locks.bury(lock_of(path), path)
    else:
        files.remove_tree(path)


def _is_older(path: Path, seconds: float) -> bool:
    """Tell whether the path is at least that old; a clock that went backwards makes it young."""
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return False
    return age >= seconds and age >= 0


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            total += (Path(folder) / name).stat().st_size
    return total
