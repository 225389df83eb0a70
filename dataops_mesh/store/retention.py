"""What a product can be rolled back to, whatever others published in between.

`releases/` has the newest releases, whole. An older one that retention keeps moves to
`retained/`, with what it switched and nothing else: its data stays, that of others may go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, record
from dataops_mesh.store.history import shows
from dataops_mesh.store.log import (
    Entry,
    Release,
    numbers,
    read_release,
    retained_numbers,
    retained_path,
)
from dataops_mesh.store.store import Store

Key = tuple[Address, str]
Aged = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Retention:
    """How many publications stay readable; of a partitioned product, of each partition.

    Args:
        publications: of a product that says nothing; the one that consumers read is one of them.
        products: what declared products say, by qualified name; it wins over what they said
            when they were published last.
    """

    publications: int = 1
    products: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, entry: Entry) -> int:
        """Return the number for what an address resolves to."""
        return max(self.products.get(entry.product) or entry.keep or self.publications, 1)


def all_releases(store: Store) -> dict[int, Release]:
    """Return every release that has a file, whole or not, by number, newest first."""
    found = sorted({*numbers(store), *retained_numbers(store)}, reverse=True)
    return {number: read_release(store, number) for number in found}


def to_retain(releases: Mapping[int, Release], retention: Retention, aged: Aged) -> frozenset[int]:
    """Return the releases that some product can be rolled back to.

    Args:
        releases: all that there are, newest first.
        retention: how many to keep.
        aged: tells whether a release is older than the grace period.
    """
    current = next(iter(releases.values()), None)
    if current is None:
        return frozenset()
    kept: set[int] = set()
    for (address, _), versions in _versions(releases.values()).items():
        count = retention.of(_newest(releases.values(), address))
        kept.update(
            number
            for index, number in enumerate(versions)
            # It went out of the window when the newest of the `count` newer ones came.
            if index < count or not aged(versions[index - count])
        )
    return frozenset(kept)


def thinned(release: Release) -> Release:
    """Return a release with what it switched and nothing else."""
    ports = {
        a: _own(release.ports[a], release.number) for a in release.changed if shows(release, a)
    }
    return replace(release, ports=ports, holds={}, withdrawn={}, whole=False)


def retain(store: Store, release: Release) -> None:
    """Keep of a release what it switched; after this it may leave the log."""
    files.replace(retained_path(store, release.number), record.encode(thinned(release)))


def _versions(releases: Iterable[Release]) -> dict[Key, list[int]]:
    """Return the releases that switched each port, or partition of it, newest first."""
    found: dict[Key, list[int]] = {}
    for release in releases:
        for address in (one for one in release.changed if shows(release, one)):
            entry = _own(release.ports[address], release.number)
            if entry.partial and not entry.parts:
                continue  # a partition was withdrawn, and none was published
            for key in [part.key for part in entry.parts] or [""]:
                found.setdefault((address, key), []).append(release.number)
    return found


def _newest(releases: Iterable[Release], address: Address) -> Entry:
    """Return what an address resolved to last; it may have been withdrawn since."""
    return next(release.ports[address] for release in releases if address in release.ports)


def _own(entry: Entry, number: int) -> Entry:
    """Return an entry with only those partitions that a release switched."""
    parts = tuple(part for part in entry.parts if part.publication == number)
    if len(parts) == len(entry.parts):
        return entry
    return replace(entry, parts=parts, rows=sum(part.rows for part in parts), partial=True)
