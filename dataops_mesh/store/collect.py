"""Delete what nobody can reach any more: old releases, their candidates, leftovers of crashes.

The order of steps is what makes it safe without a lock against readers and publishers (pins.py
has the other half): list the candidates, remove old releases, read the pins, read the log, and
only then delete. Whoever pinned or published before its step is seen; whoever comes after finds
that the old release is gone, or publishes a candidate that was not on the list. A commit that was
noted before the old releases were listed keeps its number's releases; one that is noted later
looks at the log later, and follows none that was listed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dataops_mesh.disk import rights_of
from dataops_mesh.errors import FULL
from dataops_mesh.store import files, locks
from dataops_mesh.store.log import (
    Release,
    latest_number,
    numbers,
    path_of,
    read_release,
    remove_oldest,
    removed_numbers,
    retained_path,
)
from dataops_mesh.store.manifest import MANIFEST, pending_refs, unwritten
from dataops_mesh.store.pins import live_bases, live_refs
from dataops_mesh.store.retention import Retention, all_releases, retain, thinned, to_retain
from dataops_mesh.store.scratch import lock_of
from dataops_mesh.store.store import Store

_LOCK_SECONDS = 600.0
READ, PINNED = "consumers read it", "a reader or a run uses it"
YOUNG, UNRECORDED = "younger than the grace period", "not yet in the ledger"


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One candidate or leftover: its ref or path, its size, and why it stays (if it does)."""

    name: str
    bytes: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection deleted, or would delete, and what it left.

    Args:
        releases: the numbers of those that are gone.
        thinned: the numbers of those of which only what they switched is left.
        gone: candidates that nobody can reach any more.
        litter: files and folders of builds that did not finish.
        kept: every other candidate.
        stuck: what could not be deleted, because it belongs to somebody else, and to whom.
    """

    releases: tuple[int, ...]
    thinned: tuple[int, ...]
    gone: tuple[Item, ...]
    litter: tuple[Item, ...]
    kept: tuple[Item, ...]
    stuck: tuple[Item, ...] = ()

    @property
    def candidates(self) -> tuple[str, ...]:
        """Return the refs of the candidates that are gone."""
        return tuple(item.name for item in self.gone)

    @property
    def leftovers(self) -> tuple[str, ...]:
        """Return the paths of the leftovers, relative to the store."""
        return tuple(item.name for item in self.litter)

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """Return the refs that are kept only because the ledger lacks them."""
        return tuple(item.name for item in self.kept if item.why == UNRECORDED)

    @property
    def bytes(self) -> int:
        """Return the size of all that is gone."""
        return sum(item.bytes for item in (*self.gone, *self.litter))


def collect(  # noqa: PLR0913 - keywords, each a rule of what stays
    store: Store,
    *,
    keep_releases: int,
    grace_seconds: float,
    dry_run: bool = False,
    recorded: int | None = None,
    retention: Retention | None = None,
) -> Collected:
    """Delete what no retained release and no live pin refers to, after the grace period.

    Args:
        store: the store.
        keep_releases: how many of the newest releases to keep whole, at least one.
        grace_seconds: how long a superseded release stays for readers that cannot pin it, and
            how old a leftover must be.
        dry_run: only say what would be deleted.
        recorded: the newest release that the ledger has; releases after it are kept.
        retention: how many publications of each product to keep.
    """
    with locks.exclusive(store.root / "collect.lock", seconds=_LOCK_SECONDS):
        listed = tuple(_candidate_folders(store))
        releases = all_releases(store)
        listed_old = _old_releases(store, max(keep_releases, 1), grace_seconds, recorded)
        oldest_base = min(live_bases(store), default=None)
        old = frozenset(n for n in listed_old if oldest_base is None or n <= oldest_base)
        kept = to_retain(
            releases, retention or Retention(), lambda n: _is_aged(store, n, grace_seconds)
        )
        left = [number for number, release in releases.items() if not release.whole]
        lost = sorted({*old, *left} - kept)
        if not dry_run:
            old = _leave_the_log(store, releases, old, kept)
            lost = sorted({*old, *left} - kept)
            for number in lost:
                files.remove(retained_path(store, number))
            for number in removed_numbers(store):  # a crash was faster
                files.remove(path_of(store, number))
        # From here on nobody finds what was removed; who found it before has pinned it.
        why = _reasons(store, releases, old, kept)
        aged = {path: _is_older(path, grace_seconds) for path in listed}
        free = [path for path in listed if aged[path] and _ref(store, path) not in why]
        done = [path for path in free if (path / MANIFEST).is_file()]
        litter = [path for path in free if path not in done]
        litter += _leftovers(store, frozenset(why), grace_seconds)
        unrecorded = frozenset(pending_refs(store))
        gone = [path for path in done if _ref(store, path) not in unrecorded]
        stays = [path for path in listed if path not in gone and path not in litter]
        found = Collected(
            tuple(lost),
            tuple(sorted(old & kept)),
            tuple(sorted(Item(_ref(store, path), _size(path)) for path in gone)),
            tuple(sorted(Item(_path(store, path), _size(path)) for path in litter)),
            tuple(
                Item(ref, _size(path), why.get(ref) or (UNRECORDED if aged[path] else YOUNG))
                for path, ref in sorted((path, _ref(store, path)) for path in stays)
            ),
        )
        return found if dry_run else _delete(store, found)


def _delete(store: Store, found: Collected) -> Collected:
    """Delete what was found, past what belongs to somebody else."""
    stuck = {}
    for item in (*found.gone, *found.litter):
        candidate = item in found.gone
        path = (store.candidates if candidate else store.root) / item.name
        try:
            if candidate:  # first the evidence: half a candidate must never look like a whole one
                files.remove(path / MANIFEST)
                files.remove_tree(path)
            else:
                _remove_leftover(store, path)
        except PermissionError as error:
            where = Path(os.fsdecode(error.filename or path))
            stuck[item] = Item(item.name, item.bytes, f"{error.strerror}{rights_of(where)}")
    return replace(
        found,
        gone=tuple(item for item in found.gone if item not in stuck),
        litter=tuple(item for item in found.litter if item not in stuck),
        stuck=tuple(stuck.values()),
    )


def _leave_the_log(
    store: Store, releases: Mapping[int, Release], old: frozenset[int], kept: frozenset[int]
) -> frozenset[int]:
    """Take old releases out of the log, oldest first so that it stays without a gap.

    Returns:
        Those that left. A full disk takes nothing new: the rest stays whole until there is room.
    """
    done = set()
    for number in sorted(old):
        try:
            if number in kept:
                retain(store, releases[number])
        except OSError as error:
            if error.errno not in FULL:
                raise
            break
        remove_oldest(store, number)
        done.add(number)
    return frozenset(done)


def _reasons(
    store: Store, releases: Mapping[int, Release], old: frozenset[int], kept: frozenset[int]
) -> dict[str, str]:
    """Return why each candidate stays that a release or a pin names; the pins are read first."""
    why = dict.fromkeys(live_refs(store), PINNED)
    fresh = _log(store, old)
    for release in fresh:
        for entry in release.ports.values():
            for ref in entry.refs:
                why.setdefault(ref, f"release {release.number} is still whole")
    why |= dict.fromkeys(
        (r for e in fresh[0].ports.values() for r in e.refs) if fresh else (), READ
    )
    for number in sorted(kept, reverse=True):
        for entry in thinned(releases[number]).ports.values():
            for ref in entry.refs:
                why.setdefault(ref, f"publication {number} is kept for a rollback")
    return why


def _candidate_folders(store: Store) -> Iterator[Path]:
    return (path for path in store.candidates.glob("*/*/*") if path.is_dir())


def _ref(store: Store, path: Path) -> str:
    return path.relative_to(store.candidates).as_posix()


def _path(store: Store, path: Path) -> str:
    return path.relative_to(store.root).as_posix()


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


def _log(store: Store, old: frozenset[int]) -> list[Release]:
    """Return every release that stays whole, newest first, those made a moment ago included."""
    found: list[Release] = []
    number = latest_number(store)
    while number > 0 and number not in old and path_of(store, number).exists():
        found.append(read_release(store, number))
        number -= 1
    return found


def _leftovers(store: Store, used: frozenset[str], grace_seconds: float) -> list[Path]:
    folders = (store.root, store.releases, store.retained, store.pins, store.pending, store.cache)
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


def _is_aged(store: Store, number: int, seconds: float) -> bool:
    """Tell whether a release is old enough; one that has left the log is."""
    path = path_of(store, number)
    return not path.exists() or _is_older(path, seconds)


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
            with suppress(FileNotFoundError):  # a temporary file of a build that goes on
                total += (Path(folder) / name).stat().st_size
    return total
