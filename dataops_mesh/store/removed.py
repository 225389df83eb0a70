"""An old release without what was erased since: pure functions on releases and removals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dataops_mesh.spec.model import Address
from dataops_mesh.store.hold import Hold, with_hold
from dataops_mesh.store.log import Entry, Release
from dataops_mesh.store.removal import Removal
from dataops_mesh.store.switch import without_part
from dataops_mesh.store.tree.ports import Ports


def without_removed(release: Release, found: Iterable[Removal]) -> Release:
    """Return an old release without what was erased since; it says instead who did that and why."""
    for removal in found:
        if removal.number <= release.number:
            continue
        gone = [a for a in removal.addresses if _had(release, a, removal)]
        left = {a: _left(release.ports[a], removal.partition) for a in gone}
        withdrawn = with_hold(release.withdrawn, gone, removal.hold)
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


def _had(release: Release, address: Address, removal: Removal) -> bool:
    entry, key = release.ports.get(address), removal.partition
    if entry is None or entry.product != removal.product:
        return False
    return not key or entry.part(key) is not None


def _left(entry: Entry, partition: str) -> Entry | None:
    """Return what is left of a port; its publication stays what it was."""
    return without_part(entry, partition) if partition else None


def _seen(
    ports: Mapping[Address, Entry], instead: Mapping[Address, Entry | None]
) -> Mapping[Address, Entry]:
    if isinstance(ports, Ports):
        return ports.seen(instead)
    found = {address: entry for address, entry in ports.items() if address not in instead}
    return found | {address: entry for address, entry in instead.items() if entry is not None}
