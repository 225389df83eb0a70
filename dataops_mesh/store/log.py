"""The log: release n maps every address to its candidate; creating its file is the publication.

Releases are numbered without a gap; only the oldest are ever removed, and `floor` says up to
which: their numbers are never used again. Release 0 is empty and has no file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, record
from dataops_mesh.store.floor import floor, number_in, raise_floor
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.manifest import Manifest
from dataops_mesh.store.store import Store

PUBLICATION = "publication"
_HINT = "latest"
_LISTED = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One partition of a port: where its data is, and what it was built from.

    Args:
        files: relative to the candidate's folder; named here so that a reader of many
            partitions need not open as many manifests.
        columns: a digest of the columns' names and types.
        own: a digest of those inputs that are the partition's own.
        open: it was built before it was over.
        cut: how the product was cut then; empty of older publications.
    """

    key: str
    candidate: str
    publication: int
    fingerprint: str
    rows: int
    files: tuple[str, ...]
    columns: str
    inputs: tuple[tuple[str, int], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    kind: str = PUBLICATION
    own: str = ""
    open: bool = False
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an address resolves to.

    Args:
        candidate: the ref of the candidate that consumers read; of a partitioned port, the
            one that was published last.
        publication: the number of the release that switched the address to it.
        inputs: the publication of each mesh input that the candidate read.
        sources: the fingerprint of each source outside the mesh that it read.
        kind: the kind of the release that switched it.
        parts: the partitions, by key; empty for a port that is published whole.
        keep: how many publications the product asks to keep; 0 if it does not say.
        partial: retention has kept only the partitions that this release switched.
    """

    product: str
    candidate: str
    publication: int
    fingerprint: str
    rows: int
    inputs: tuple[tuple[str, int], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    kind: str = PUBLICATION
    parts: tuple[Part, ...] = ()
    keep: int = 0
    partial: bool = False

    @property
    def refs(self) -> frozenset[str]:
        """Return every candidate whose data consumers read here."""
        return frozenset(part.candidate for part in self.parts) or frozenset((self.candidate,))

    def part(self, key: str) -> Part | None:
        """Return one partition, if it is published."""
        return next((part for part in self.parts if part.key == key), None)


@dataclass(frozen=True, slots=True)
class Release:
    """One state of everything that is published, and why it came to be.

    Args:
        whole: all that was published then; else only what it switched (retention.py).
        holds: what is not published until somebody or something ends the hold (hold.py).
        withdrawn: what was taken away and not published since, by whom and why.
        decided: the addresses that it is about without switching them: held, or free again.
        about: the product of these.
        partition: the partition of these, if it is about one.
    """

    number: int
    kind: str
    at: datetime
    changed: tuple[Address, ...] = ()
    ports: Mapping[Address, Entry] = field(default_factory=lambda: MappingProxyType({}))
    run_id: str = ""
    person: str = ""
    reason: str = ""
    whole: bool = True
    holds: Mapping[Address, tuple[Hold, ...]] = field(default_factory=lambda: MappingProxyType({}))
    withdrawn: Mapping[Address, tuple[Hold, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    decided: tuple[Address, ...] = ()
    about: str = ""
    partition: str = ""


EMPTY = Release(0, PUBLICATION, datetime.fromtimestamp(0, UTC))


def entries_of(manifest: Manifest) -> dict[Address, Entry]:
    """Return what `commit` needs to publish a candidate: all its ports."""
    inputs = tuple(
        (str(item.address), item.publication)
        for item in manifest.inputs
        if item.address is not None and item.publication is not None
    )
    sources = tuple(
        (item.name, item.fingerprint) for item in manifest.inputs if item.address is None
    )
    ref = manifest.candidate
    entries = {}
    for port in manifest.ports:
        entry = Entry(manifest.product, ref, 0, port.fingerprint, port.rows, inputs, sources)
        entry = replace(entry, keep=manifest.keep_publications)
        if manifest.partition:
            names = tuple(file.path for file in port.files)
            columns = columns_digest(port.columns)
            part = Part(
                manifest.partition,
                ref,
                0,
                port.fingerprint,
                port.rows,
                names,
                columns,
                inputs,
                sources,
                own=manifest.own,
                open=manifest.open,
                cut=manifest.cut,
            )
            entry = replace(entry, parts=(part,))
        entries[port.address] = entry
    return entries


def columns_digest(columns: tuple[tuple[str, str], ...]) -> str:
    """Return a digest of columns: partitions of one schema share it."""
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:16]


def latest_number(store: Store) -> int:
    """Return the newest release's number, at a cost that does not grow with their number."""
    number = _hint(store)
    if number is None or number <= floor(store) or not path_of(store, number).exists():
        number = max(numbers(store), default=floor(store))
    while path_of(store, number + 1).exists():
        number += 1
    return number


def latest(store: Store) -> Release:
    """Return the newest release."""
    while True:
        number = latest_number(store)
        try:
            return _read_whole(store, number)
        except UnknownNameError:
            # Collected since we looked, which takes a newer one: look again.
            if latest_number(store) <= number:
                raise


def read_release(store: Store, number: int) -> Release:
    """Return one release; of an old one, what retention has kept."""
    try:
        return _read_whole(store, number)
    except UnknownNameError:
        path = retained_path(store, number)
        if not path.exists():
            raise
        return _read(store, path, number)


def exists(store: Store, release: Release) -> bool:
    """Tell whether a release is still there, as whole as it was read."""
    path = path_of if release.whole else retained_path
    return not release.number or path(store, release.number).exists()


def numbers(store: Store) -> list[int]:
    """Return the numbers of all releases in the log, in no order."""
    lowest = floor(store)
    return [number for number in _numbers(store.releases) if number > lowest]


def removed_numbers(store: Store) -> list[int]:
    """Return the numbers of releases that have left the log and whose files are still there."""
    lowest = floor(store)
    return [number for number in _numbers(store.releases) if number <= lowest]


def remove_oldest(store: Store, number: int) -> None:
    """Take the oldest release out of the log; its number is used up."""
    raise_floor(store, number)  # first: a commit that stalled must never find it free
    files.remove(path_of(store, number))


def retained_numbers(store: Store) -> list[int]:
    """Return the numbers of older releases that retention has kept, in no order."""
    return _numbers(store.retained)


def retained_path(store: Store, number: int) -> Path:
    """Return the file of an older release that retention has kept."""
    return store.retained / f"{number:08d}.json"


def path_of(store: Store, number: int) -> Path:
    """Return the file of a release."""
    return store.releases / f"{number:08d}.json"


def append(store: Store, release: Release) -> bool:
    """Publish: create the release's file unless somebody was faster."""
    path = path_of(store, release.number)
    if not files.create(path, record.encode(release, indent=None)):
        return False
    if release.number <= floor(store):
        # Whoever held this number before is gone, so it looked free. `pins.committing` keeps it
        # from happening; where a pin does not hold (a shared folder, say), nobody has seen it.
        files.remove(path)
        return False
    hint = _hint(store)  # it only goes forward, unless it leads nowhere
    if hint is None or hint < release.number or not path_of(store, hint).exists():
        files.replace(store.releases / _HINT, str(release.number).encode(), durable=False)
    return True


def _read_whole(store: Store, number: int) -> Release:
    return _read(store, path_of(store, number), number) if number else EMPTY


def _read(store: Store, path: Path, number: int) -> Release:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        known = sorted({*numbers(store), *retained_numbers(store)})[-_LISTED:]
        raise UnknownNameError(
            Problem(
                f"the store has no release {number}",
                choices=tuple(str(item) for item in known),
                next="choose one that retention has kept",
            )
        ) from None
    return record.decode(Release, data, path)


def _numbers(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit()]


def _hint(store: Store) -> int | None:
    return number_in(store.releases / _HINT)
