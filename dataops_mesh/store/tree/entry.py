"""What an address resolves to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from dataops_mesh.spec.model import Address
from dataops_mesh.spec.names import is_own
from dataops_mesh.store.forms import Forms, form_of
from dataops_mesh.store.manifest import Manifest
from dataops_mesh.store.tree.part import PUBLICATION, Part
from dataops_mesh.store.tree.parts import Parts


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
        listed: how many of its versions are listed at least.
        columns: of partitions, those of each schema that there is, by their digest.
        forms: the fingerprint of each form, where there are several.
    """

    product: str
    candidate: str
    publication: int
    fingerprint: str
    rows: int
    inputs: tuple[tuple[str, int], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    kind: str = PUBLICATION
    parts: Sequence[Part] = ()
    keep: int = 0
    listed: int = 0
    columns: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    forms: Forms = ()

    def form(self, role: str) -> str:
        """Return the fingerprint of the form that is read by a role, or without one."""
        return form_of(self.forms, role, self.fingerprint)

    @property
    def refs(self) -> frozenset[str]:
        """Return every candidate whose data consumers read here."""
        return frozenset(part.candidate for part in self.parts) or frozenset((self.candidate,))

    @property
    def cut(self) -> str:
        """Return how it is cut; its partitions are all cut alike."""
        if isinstance(self.parts, Parts):
            return self.parts.cut
        return next((part.cut for part in self.parts if part.cut), "")

    def part(self, key: str) -> Part | None:
        """Return one partition, if it is published."""
        if isinstance(self.parts, Parts):
            return self.parts.find(key)
        return next((part for part in self.parts if part.key == key), None)

    def between(self, first: str, last: str) -> list[Part]:
        """Return the partitions from one key to another."""
        if isinstance(self.parts, Parts):
            return self.parts.between(first, last)
        return [part for part in self.parts if first <= part.key <= last]

    def newest_between(self, first: str, last: str) -> int:
        """Return a publication that nothing from one key to another is newer than."""
        if isinstance(self.parts, Parts):
            return self.parts.newest_between(first, last)
        return max((part.publication for part in self.between(first, last)), default=0)

    def newer_than(self, number: int) -> Iterable[Part]:
        """Return the partitions that were switched after a release."""
        if isinstance(self.parts, Parts):
            return self.parts.newer_than(number)
        return (part for part in self.parts if part.publication > number)


class Light(NamedTuple):
    """What a node says of a port: enough to list, compare and wake.

    Args:
        parts: how many partitions there are; `WHOLE` or `GONE` otherwise.
        entry: the digest of the port's entry.
    """

    product: str
    publication: int
    kind: str
    candidate: str
    rows: int
    fingerprint: str
    parts: int
    entry: str


WHOLE, GONE = -1, -2


@dataclass(frozen=True, slots=True)
class Switch:
    """What a release did to one port, for the record; nothing is left of what was withdrawn.

    Args:
        parts: of several partitions that were switched together, key, candidate, rows and
            fingerprint of each.
    """

    address: Address
    product: str
    candidate: str = ""
    rows: int = 0
    fingerprint: str = ""
    parts: tuple[tuple[str, str, int, str], ...] = ()


def entries_of(manifest: Manifest) -> dict[Address, Entry]:
    """Return what `commit` needs to publish a candidate: all its ports."""
    inputs = tuple(
        (str(item.address), item.publication)
        for item in manifest.inputs
        if item.address is not None and item.publication is not None and not is_own(item.name)
    )
    sources = tuple(
        (item.name, item.fingerprint) for item in manifest.inputs if item.address is None
    )
    ref = manifest.candidate
    entries = {}
    for port in manifest.ports:
        entry = Entry(manifest.product, ref, 0, port.fingerprint, port.rows, inputs, sources)
        keep, listed = manifest.keep_publications, manifest.listed
        entry = replace(entry, keep=keep, listed=listed, forms=port.forms)
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
                forms=port.forms,
            )
            entry = replace(entry, parts=(part,), columns=((columns, port.columns),))
        entries[port.address] = entry
    return entries


def joined(entries: Sequence[Entry]) -> Entry:
    """Return one entry with the partitions of several candidates of a port."""
    parts = tuple(part for entry in entries for part in entry.parts)
    columns = tuple(sorted({pair for entry in entries for pair in entry.columns}))
    return replace(entries[-1], parts=parts, columns=columns)


def columns_digest(columns: tuple[tuple[str, str], ...]) -> str:
    """Return a digest of columns: partitions of one schema share it."""
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:16]


def as_part(entry: Entry) -> Part:
    """Return what is published whole as a version, of the partition that has no key."""
    return Part(
        "",
        entry.candidate,
        entry.publication,
        entry.fingerprint,
        entry.rows,
        (),
        "",
        entry.inputs,
        entry.sources,
        entry.kind,
        forms=entry.forms,
    )
