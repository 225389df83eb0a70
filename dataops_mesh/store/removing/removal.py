"""What was removed for good: the record that comes first, and what it means for old releases.

    removed/<n>.json                   the removal that withdrawal n asked for: what, why, by whom
    removed/<n>.done                   nothing of it is left
    removed/<candidate>/<n>.json       what is left on record of a candidate (manifest.py)

Withdrawal n says itself that the bytes go, so from then on no commit brings them back. The record
outlives it, and a backup that is restored. It takes every candidate of the product that was begun
before n: whoever reads an old release, or a collection that finds such a candidate, follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dataops_mesh.errors import ConflictError, Problem
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, record
from dataops_mesh.store.hold import PRODUCT, WITHDRAWAL, Hold, held_words
from dataops_mesh.store.log import Release, latest
from dataops_mesh.store.manifest import Manifest
from dataops_mesh.store.store import PRODUCTION, Store


@dataclass(frozen=True, slots=True)
class Removal:
    """What a person wants deleted before its time.

    Args:
        number: of the withdrawal that came with it.
        addresses: what was withdrawn.
        partition: the only partition whose candidates it takes; empty for all.
        whole: everything of the product; else the data of these addresses, all samples, and what
            failed builds left.
    """

    number: int
    product: str
    addresses: tuple[Address, ...]
    partition: str
    person: str
    reason: str
    at: datetime
    whole: bool

    def takes(self, manifest: Manifest) -> bool:
        """Tell whether it is about a candidate: one that was begun before it."""
        return (
            manifest.product == self.product
            and manifest.origin < self.number
            and self.partition in {"", manifest.partition}
        )

    def __str__(self) -> str:
        """Return what was erased, by whom, when and why."""
        piece = f"partition {self.partition} of " if self.partition else ""
        what = self.product if self.whole else ", ".join(map(str, self.addresses))
        return f"{piece}{what} was erased {held_words(self.hold)}"

    @property
    def hold(self) -> Hold:
        """Return what an old release says in place of what was erased since."""
        return Hold(
            self.product,
            self.person,
            self.reason,
            self.number,
            self.at,
            WITHDRAWAL,
            self.partition,
            erased=PRODUCT,
        )


def removal_numbers(store: Store, since: int = 0) -> tuple[int, ...]:
    """Return the numbers of all removals after a release, oldest first: cheap where none is."""
    return tuple(sorted(one for one in files.numbered(store.removed) if one > since))


def removals(store: Store, since: int = 0) -> tuple[Removal, ...]:
    """Return all removals after a release, oldest first."""
    return tuple(_read(store, number) for number in removal_numbers(store, since))


def removals_of(store: Store, manifest: Manifest | None) -> tuple[Removal, ...]:
    """Return the removals that are about a candidate, oldest first."""
    if manifest is None:
        return ()
    return tuple(one for one in removals(store, manifest.origin) if one.takes(manifest))


def note_removals(store: Store) -> None:
    """Write the record of each removal that a withdrawal asks for and that has none yet."""
    known = set(removal_numbers(store))
    for removal in _asked_for(latest(store.production)):
        if removal.number not in known:
            files.make_folder(store.removed)
            files.create(_path(store, removal.number), record.encode(removal))


def is_done(store: Store, removal: Removal) -> bool:
    """Tell whether all that the removal takes was deleted, here and by whoever was told."""
    return files.stat(_done(store, removal)) is not None


def mark_done(store: Store, removal: Removal) -> None:
    """Note that nothing of it is left."""
    files.replace(_done(store, removal), b"")


def require_not_removed(store: Store, current: Release, candidates: Iterable[Manifest]) -> None:
    """Refuse to publish again what was erased, or is about to be.

    Raises:
        ConflictError: it says by whom, when and why.
    """
    asked = tuple(candidates)
    if not asked:
        return
    if current.line != PRODUCTION:
        current = latest(store.production)
    known = (*_asked_for(current), *removals(store, min(one.origin for one in asked)))
    then = "run the product again"
    problems = {
        one.candidate: Problem(f"{removal}; candidate {one.candidate} was built before", next=then)
        for one in asked
        for removal in known
        if removal.takes(one)
    }
    if problems:
        raise ConflictError(problems.values())


def _asked_for(release: Release) -> Iterator[Removal]:
    found: dict[int, list[tuple[Address, Hold]]] = {}
    for address, holds in release.withdrawn.items():
        for hold in holds:
            if hold.erased:
                found.setdefault(hold.release, []).append((address, hold))
    for number, pairs in found.items():
        _, hold = pairs[0]
        yield Removal(
            number,
            hold.product,
            tuple(sorted(address for address, _ in pairs)),
            hold.partition,
            hold.person,
            hold.reason,
            hold.at,
            hold.erased == PRODUCT,
        )


def _read(store: Store, number: int) -> Removal:
    path = _path(store, number)
    return record.decode(Removal, files.read(path), path)


def _path(store: Store, number: int) -> Path:
    return store.removed / f"{number:08d}.json"


def _done(store: Store, removal: Removal) -> Path:
    return store.removed / f"{removal.number:08d}.done"
