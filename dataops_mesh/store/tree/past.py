"""What a closed release said, as far as it is kept: from the versions that are listed now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataops_mesh.spec.model import Address
from dataops_mesh.store.tree import versions
from dataops_mesh.store.tree.entry import Entry
from dataops_mesh.store.tree.part import Part, Row, part_of, together
from dataops_mesh.store.tree.parts import since
from dataops_mesh.store.tree.ports import Ports, columns_of

Kept = Callable[[str], bool]


@dataclass(frozen=True, eq=False)
class PastPorts(Mapping[Address, Entry]):
    """What addresses resolved to in a release that is closed.

    Of a port in partitions of which some are not kept, none is here: `some` says which are.

    Args:
        ports: those of the newest release.
        number: of the release.
        kept: tells whether a candidate's data is still there.
    """

    ports: Ports
    number: int
    kept: Kept

    def __getitem__(self, address: Address) -> Entry:
        """Return what an address resolved to; of a port in partitions, with all of them."""
        found = self._found(address)
        if found is None or found[1]:
            raise KeyError(address)
        return found[0]

    def __iter__(self) -> Iterator[Address]:
        """Iterate over the addresses of which all is kept."""
        for domain in sorted(self.ports.nodes):
            for port in sorted(self.ports.node(domain)):
                found = self._found(Address(domain, port))
                if found is not None and not found[1]:
                    yield Address(domain, port)

    def __len__(self) -> int:
        """Return how many addresses there are."""
        return sum(1 for _ in self)

    def some(self, address: Address) -> Entry | None:
        """Return an address with those of its partitions that are kept; None if none is."""
        found = self._found(address)
        return found[0] if found else None

    def _found(self, address: Address) -> tuple[Entry, bool] | None:
        """Return what an address resolved to, and whether some of it is lost."""
        blob = self.ports.entry_blob(address)
        if blob is None:
            return None
        row = versions.at(blob["versions"], self.number)
        if row is not None and row[0]:
            return (_whole(blob, row), False) if self.kept(row[0]) else None
        begun = since(blob, self.number)
        found, lost = [], False
        for _, digest, _, _ in blob["chunks"]:
            for key, rows in sorted(self.ports.chunk(address.domain, digest).items()):
                at = versions.at(rows, self.number)
                if at is None:
                    lost = lost or bool(versions.forgotten(rows))
                elif versions.stands(at, begun):
                    there = self.kept(at[0])
                    lost = lost or not there
                    found += [part_of(key, at)] if there else []
        return (_parted(blob, found), lost) if found else None


def _whole(blob: Mapping[str, Any], row: Row) -> Entry:
    part = part_of("", row)
    return Entry(
        blob["product"],
        part.candidate,
        part.publication,
        part.fingerprint,
        part.rows,
        part.inputs,
        part.sources,
        part.kind,
        keep=blob["keep"],
        listed=blob["listed"],
        forms=part.forms,
    )


def _parted(blob: Mapping[str, Any], parts: list[Part]) -> Entry:
    last, (total, forms) = max(parts, key=lambda part: part.publication), together(parts)
    whole = Entry(blob["product"], last.candidate, last.publication, total, 0, kind=last.kind)
    rows = sum(part.rows for part in parts)
    every = columns_of(blob, lambda _: True)
    return replace(
        whole,
        rows=rows,
        parts=tuple(parts),
        keep=blob["keep"],
        listed=blob["listed"],
        columns=every,
        forms=forms,
    )
