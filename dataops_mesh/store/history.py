"""What was published at an address, newest first, as far as it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import PUBLICATION, doomed_refs, latest, ports_of
from dataops_mesh.store.manifest import is_written
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.part import part_of
from dataops_mesh.store.tree.versions import rows_of


@dataclass(frozen=True, slots=True)
class Published:
    """One publication of an address, or of a partition of it.

    Args:
        number: of the release that switched the address.
        kind: of it: `publication` or `rollback`.
    """

    number: int
    candidate: str
    kind: str = PUBLICATION


def history(store: Store, address: Address, partition: str = "") -> Iterator[Published]:
    """Iterate over what an address resolved to, newest first; withdrawals are left out.

    Args:
        store: the store.
        address: the port, also one that was withdrawn.
        partition: only what was published of this one.
    """
    doomed = doomed_refs(store)
    for one in _listed(store, address, partition):
        if one.candidate and one.candidate not in doomed and is_written(store, one.candidate):
            yield one


def last_published(store: Store, address: Address) -> str | None:
    """Return what an address was published as last, kept or not; None if that is not listed."""
    built = (one.candidate for one in _listed(store, address) if one.kind == PUBLICATION)
    return next((ref for ref in built if ref), None)


def _listed(store: Store, address: Address, partition: str = "") -> list[Published]:
    ports = ports_of(latest(store))
    rows = [part_of(partition, row) for row in rows_of(ports.rows(address, partition))]
    found = [Published(row.publication, row.candidate, row.kind) for row in rows]
    if not partition:
        blob = ports.entry_blob(address)
        found += [Published(*switch) for switch in (blob["switches"] if blob else ())]
    return sorted(found, key=lambda one: one.number, reverse=True)
