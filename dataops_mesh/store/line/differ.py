"""What differs between two states of everything: only what has another digest is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dataops_mesh.spec.model import Address
from dataops_mesh.store.tree import versions
from dataops_mesh.store.tree.entry import GONE, WHOLE, Light
from dataops_mesh.store.tree.part import Part, part_of
from dataops_mesh.store.tree.parts import since
from dataops_mesh.store.tree.ports import Ports


@dataclass(frozen=True, slots=True)
class Difference:
    """One address at which two states show something else.

    Args:
        before: what the first says of it; None where nobody reads anything there.
        after: what the second says of it.
        parts: where both are in partitions, those that differ, by their key, as both have them.
    """

    address: Address
    before: Light | None
    after: Light | None
    parts: dict[str, tuple[Part | None, Part | None]] | None = None


def differences(before: Ports, after: Ports) -> Iterator[Difference]:
    """Yield the addresses at which two states show other candidates, by name."""
    for domain in sorted({*before.nodes, *after.nodes}):
        if before.nodes.get(domain) == after.nodes.get(domain):
            continue
        old, new = before.node(domain), after.node(domain)
        for port in sorted({*old, *new}):
            if old.get(port) == new.get(port):
                continue
            found = difference(Address(domain, port), before, after)
            if found is not None:
                yield found


def difference(address: Address, before: Ports, after: Ports) -> Difference | None:
    """Return how two states differ at an address; None if they show the same there."""
    old, new = (_shown(ports, address) for ports in (before, after))
    if old is None or new is None:
        return Difference(address, old, new) if old != new else None
    if WHOLE in {old.parts, new.parts}:
        return Difference(address, old, new) if _content(old) != _content(new) else None
    if old.entry == new.entry:
        return None
    parts = _parts(address, before, after)
    return Difference(address, old, new, parts) if parts else None


def _shown(ports: Ports, address: Address) -> Light | None:
    light = ports.light(address)
    return light if light is not None and light.parts != GONE else None


def _content(light: Light) -> tuple[Any, ...]:
    return light.product, light.candidate, light.fingerprint, light.parts


def _parts(
    address: Address, before: Ports, after: Ports
) -> dict[str, tuple[Part | None, Part | None]]:
    old, new = (ports.entry_blob(address) or {} for ports in (before, after))
    common = {chunk[1] for chunk in old["chunks"]} & {chunk[1] for chunk in new["chunks"]}
    if since(old) != since(new):  # what stands in a chunk is then not the same
        common = set()
    mine, theirs = (
        _standing(ports, address, entry, common) for ports, entry in ((before, old), (after, new))
    )
    return {
        key: pair
        for key in sorted({*mine, *theirs})
        if _said(pair := (mine.get(key), theirs.get(key)))
    }


def _said(pair: tuple[Part | None, Part | None]) -> bool:
    old, new = pair
    if old is None or new is None:
        return old is not new
    return (old.candidate, old.fingerprint) != (new.candidate, new.fingerprint)


def _standing(ports: Ports, address: Address, entry: Any, common: set[str]) -> dict[str, Part]:
    begun, found = since(entry), dict[str, Part]()
    for _, digest, live, newest in entry["chunks"]:
        if digest in common or not live or newest < begun:
            continue
        for key, rows in ports.chunk(address.domain, digest).items():
            row = versions.at(rows, None)
            if row is not None and versions.stands(row, begun):
                found[key] = part_of(key, row)
    return found
