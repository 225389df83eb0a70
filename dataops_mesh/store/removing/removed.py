"""An old release without what was erased since: pure functions on releases and removals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from dataops_mesh.spec.model import Address
from dataops_mesh.store.hold import Hold, with_hold
from dataops_mesh.store.log import Entry, Release
from dataops_mesh.store.removing.removal import Removal
from dataops_mesh.store.store import PRODUCTION
from dataops_mesh.store.switch import without_part
from dataops_mesh.store.tree.ports import Ports

Taken = Callable[[str, Removal], bool]  # a candidate, and what takes it or not


def without_removed(
    release: Release, found: Iterable[Removal], taken: Taken | None = None
) -> Release:
    """Return an old release without what was erased since; it says instead who did that and why.

    Args:
        release: as it was.
        found: the removals.
        taken: of a sandbox, tells whether a removal takes a candidate: it may have built anew.
    """
    for removal in found:
        if removal.number <= release.origin:
            continue
        gone = [a for a in removal.addresses if _had(release, a, removal, taken)]
        left = {a: _left(release.ports[a], removal, taken) for a in gone}
        hold = removal.hold
        if release.line != PRODUCTION:  # its numbers are others
            hold = replace(hold, release=release.number + 1, erased="")
        withdrawn = with_hold(release.withdrawn, gone, hold)
        release = replace(release, ports=_seen(release.ports, left), withdrawn=withdrawn)
    return release


def removed_since(release: Release, address: Address, partition: str | None = None) -> Hold | None:
    """Return who erased something of an address after the release, if somebody did.

    Args:
        release: as `without_removed` returns it.
        address: the port.
        partition: only what this partition lost; of any if None.
    """
    for hold in release.withdrawn.get(address, ()):
        if hold.release > release.number and (
            partition is None or hold.partition in {"", partition}
        ):
            return hold
    return None


def _had(release: Release, address: Address, removal: Removal, taken: Taken | None) -> bool:
    entry, key = release.ports.get(address), removal.partition
    if entry is None or entry.product != removal.product:
        return False
    if taken is not None:
        return any(taken(ref, removal) for ref in entry.refs)
    return not key or entry.part(key) is not None


def _left(entry: Entry, removal: Removal, taken: Taken | None) -> Entry | None:
    """Return what is left of a port; its publication stays what it was."""
    if taken is None or not entry.parts:
        return without_part(entry, removal.partition) if removal.partition else None
    left: Entry | None = entry
    for part in entry.parts:
        if left is not None and taken(part.candidate, removal):
            left = without_part(left, part.key)
    return left


def _seen(
    ports: Mapping[Address, Entry], instead: Mapping[Address, Entry | None]
) -> Mapping[Address, Entry]:
    if isinstance(ports, Ports):
        return ports.seen(instead)
    found = {address: entry for address, entry in ports.items() if address not in instead}
    return found | {address: entry for address, entry in instead.items() if entry is not None}
