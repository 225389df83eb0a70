"""Every address that is published, read as it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dataops_mesh.spec.model import Address
from dataops_mesh.store.store import PRODUCTION
from dataops_mesh.store.tree import blobs, versions
from dataops_mesh.store.tree.blobs import Blob, Place
from dataops_mesh.store.tree.entry import GONE, WHOLE, Entry, Light
from dataops_mesh.store.tree.part import part_of
from dataops_mesh.store.tree.parts import Parts

_NOTHING: Mapping[Any, Any] = MappingProxyType({})
_PARTS = Light._fields.index("parts")
# A mesh is listed in one call of C for each tuple, where naming its fields would take three.
_address = partial(tuple.__new__, Address)
_light_of_row = partial(tuple.__new__, Light)


@dataclass(frozen=True, eq=False)
class Ports(Mapping[Address, Entry]):
    """What every address resolves to in one release.

    Args:
        root: the store's folder.
        nodes: the digest of each domain's node.
        pending: blobs that are not on the disk yet.
        instead: what some addresses resolve to all the same; None hides one.
        line: whose releases these are: it is in every blob that is made of them.
    """

    root: Path
    nodes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    pending: Mapping[Place, bytes] = field(default_factory=lambda: _NOTHING)
    instead: Mapping[Address, Entry | None] = field(default_factory=lambda: _NOTHING)
    line: str = PRODUCTION
    _found: dict[Address, Entry | None] = field(default_factory=dict, init=False, repr=False)

    def __getitem__(self, address: Address) -> Entry:
        """Return what an address resolves to; reads its entry, and no partition."""
        if address not in self._found:  # what a release says never changes
            self._found[address] = self._read(address)
        found = self._found[address]
        if found is None:
            raise KeyError(address)
        return found

    def __contains__(self, address: object) -> bool:
        """Tell whether consumers read something there."""
        if not isinstance(address, Address):
            return False
        if address in self.instead:
            return self.instead[address] is not None
        light = self.light(address)
        return light is not None and light.parts != GONE

    def __iter__(self) -> Iterator[Address]:
        """Iterate over the addresses that consumers read, by name."""
        return (address for address, _ in self.lights())

    def __len__(self) -> int:
        """Return how many addresses there are."""
        return sum(1 for _ in self.lights())

    def __eq__(self, other: object) -> bool:
        """Tell whether consumers read the same."""
        if isinstance(other, Ports) and not (self.instead or other.instead):
            return self.nodes == other.nodes or dict(self) == dict(other)
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment] # as of any mapping

    def light(self, address: Address) -> Light | None:
        """Return what the node says of an address, also of one that was withdrawn."""
        row = self.node(address.domain).get(address.port)
        return Light(*row) if row is not None else None

    def lights(self, *domains: str) -> Iterator[tuple[Address, Light]]:
        """Iterate over what nodes say of the addresses that consumers read: reads no entry.

        Args:
            domains: only of these; of all of them if there are none.
        """
        for domain in sorted(domains or self.nodes):
            rows = self.node(domain)
            shown = sorted(self._shown(domain, rows))
            addresses = map(_address, zip(repeat(domain), shown))
            rows_shown = map(rows.__getitem__, shown)
            yield from zip(addresses, map(_light_of_row, rows_shown), strict=True)

    def node(self, domain: str) -> Mapping[str, Any]:
        """Return the row of each port of a domain."""
        digest = self.nodes.get(domain)
        if digest is None:
            return _NOTHING
        found: Mapping[str, Any] = self.blob((domain, digest))["ports"]
        return found

    def entry_blob(self, address: Address) -> Blob | None:
        """Return an address's entry as its file says it, also of one that was withdrawn."""
        light = self.light(address)
        return self.blob((address.domain, light.entry)) if light else None

    def chunk(self, domain: str, digest: str) -> Mapping[str, Any]:
        """Return the versions of the partitions of a chunk."""
        found: Mapping[str, Any] = self.blob((domain, digest))["parts"]
        return found

    def parts(self, address: Address, entry: Mapping[str, Any]) -> Parts:
        """Return the partitions of an entry, none of them read yet."""
        return Parts(entry, lambda digest: self.chunk(address.domain, digest))

    def rows(self, address: Address, key: str = "") -> list[Any]:
        """Return the versions of a port, or of a partition of it, as files list them."""
        entry = self.entry_blob(address)
        if entry is None:
            return []
        return list(self.parts(address, entry).rows(key) if key else entry["versions"])

    def blob(self, place: Place) -> Blob:
        """Return a blob, from memory or the disk."""
        data = self.pending.get(place)
        return blobs.decode(data) if data is not None else blobs.read(self.root, place)

    def seen(self, instead: Mapping[Address, Entry | None]) -> Ports:
        """Return these ports with some that resolve to something else, for a reader."""
        return Ports(self.root, self.nodes, self.pending, {**self.instead, **instead}, self.line)

    def _shown(self, domain: str, rows: Mapping[str, Any]) -> Iterable[str]:
        """Return those ports of a node that consumers read."""
        names = [port for port, row in rows.items() if row[_PARTS] != GONE]
        if not self.instead:
            return names
        here = {one.port: entry for one, entry in self.instead.items() if one.domain == domain}
        hidden = {port for port, entry in here.items() if entry is None}
        return ({*names} | here.keys()) & rows.keys() - hidden

    def _read(self, address: Address) -> Entry | None:
        if address in self.instead:
            return self.instead[address]
        light = self.light(address)
        return self._entry(address, light) if light and light.parts != GONE else None

    def _entry(self, address: Address, light: Light) -> Entry:
        blob = self.blob((address.domain, light.entry))
        if light.parts == WHOLE:
            row = versions.at(blob["versions"], None)
            if row is None:
                raise KeyError(address)
            part = part_of("", row)
            inputs, sources, forms = part.inputs, part.sources, part.forms
            parts: Parts | tuple[()] = ()
        else:
            inputs, sources, parts = (), (), self.parts(address, blob)
            forms = tuple(blob.get("forms", {}).items())
        return Entry(
            light.product,
            light.candidate,
            light.publication,
            light.fingerprint,
            light.rows,
            inputs,
            sources,
            light.kind,
            parts,
            blob["keep"],
            blob["listed"],
            columns_of(blob, lambda count: count > 0),
            forms,
        )


def light_of(ports: Mapping[Address, Entry], address: Address) -> Light | None:
    """Return what there is to say of one address in short; None where nobody reads anything."""
    if isinstance(ports, Ports) and address not in ports.instead:
        light = ports.light(address)
        return None if light is None or light.parts == GONE else light
    entry = ports.get(address)
    return _light(entry) if entry is not None else None


def lights_in(ports: Mapping[Address, Entry], *domains: str) -> Iterator[tuple[Address, Light]]:
    """Iterate over what there is to say of addresses in short, by name; reads no entry of a tree.

    Args:
        ports: of a release, open or closed.
        domains: only of these; of all of them if there are none.
    """
    if isinstance(ports, Ports) and not ports.instead:
        yield from ports.lights(*domains)
        return
    for address, entry in sorted(ports.items()):
        if not domains or address.domain in domains:
            yield address, _light(entry)


def _light(entry: Entry) -> Light:
    facts = (entry.product, entry.publication, entry.kind, entry.candidate)
    count = len(entry.parts) if entry.parts else WHOLE
    return Light(*facts, entry.rows, entry.fingerprint, count, "")


def columns_of(
    entry: Mapping[str, Any], wanted: Callable[[int], bool]
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the columns of each schema of a port in partitions, by their digest.

    Args:
        entry: as its file says it.
        wanted: tells, by how many partitions have a schema, whether it is asked for.
    """
    return tuple(
        (digest, tuple((name, kind) for name, kind in found))
        for digest, (count, found) in sorted(entry["schemas"].items())
        if wanted(count)
    )
