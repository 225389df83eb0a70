"""What one release did to a product's ports, with what consumers read before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dataops_mesh.errors import MeshError
from dataops_mesh.ledger import Ledger, pieces_of
from dataops_mesh.ledger.trouble.deliveries import content_before, piece_of
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.log import Entry, Part, Release, as_it_was, is_open
from dataops_mesh.store.store import Store

WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, slots=True)
class Switched:
    """What one release did to one port, or to one partition of it.

    Args:
        kind: `publication`, `rollback` or `withdrawal`.
        fingerprint: of the content that consumers read now; empty where they read none.
        previous: of what they read before; empty where that was nothing.
    """

    address: Address
    partition: str
    kind: str
    number: int
    at: str
    run_id: str
    candidate: str
    rows: int
    fingerprint: str
    previous: str

    @property
    def is_news(self) -> bool:
        """Tell whether consumers read other content than before."""
        return self.fingerprint != self.previous

    @property
    def about(self) -> str:
        """Return the event's id: the same whenever it is sent."""
        return f"{self.address}@{self.number}" + (f"/{self.partition}" if self.partition else "")


def switches(product: Product, number: int, store: Store, ledger: Ledger) -> tuple[Switched, ...]:
    """Return what a release did to a product's ports: by the log, or else by the ledger."""
    try:
        release = as_it_was(store, number)
        if not is_open(store, number):
            return tuple(_of_record(product, number, ledger))
    except MeshError:
        return tuple(_of_record(product, number, ledger))
    before: Release | None = None
    try:
        before = as_it_was(store, number - 1)
    except MeshError:
        before = None
    whole = before is not None and is_open(store, before.number)
    found = []
    for address in sorted(release.changed):
        now = release.ports.get(address)
        then = before.ports.get(address) if before else None
        owner = now or then
        if owner is None or owner.product != product.qualified_name:
            continue
        found += list(_pieces(release, address, now, then if whole else None))
    if whole:
        return tuple(found)
    return tuple(_with_previous(one, ledger) for one in found)


def _pieces(
    release: Release, address: Address, now: Entry | None, then: Entry | None
) -> Iterator[Switched]:
    """Yield what was switched: the port, or those of its partitions that this release named."""
    new, old = _by_key(now), _by_key(then)
    if new and old and ("" in new) != ("" in old):  # it is cut now, or no longer
        old = {}
    for key in sorted({*new, *old}):
        piece, before = new.get(key), old.get(key)
        if piece is not None and piece.publication != release.number:
            continue
        if piece is None and before is None:
            continue
        yield Switched(
            address,
            key,
            release.kind if piece is not None else WITHDRAWAL,
            release.number,
            release.at.isoformat(),
            release.run_id,
            piece.candidate if piece else "",
            piece.rows if piece else 0,
            piece.fingerprint if piece else "",
            before.fingerprint if before else "",
        )


def _by_key(entry: Entry | None) -> dict[str, Entry | Part]:
    if entry is None:
        return {}
    return {part.key: part for part in entry.parts} or {"": entry}


def _with_previous(one: Switched, ledger: Ledger) -> Switched:
    previous = content_before(ledger, str(one.address), one.partition, one.number)
    return replace(one, previous=previous)


def _of_record(product: Product, number: int, ledger: Ledger) -> Iterator[Switched]:
    for row in pieces_of(ledger, number):
        if row["product"] != product.qualified_name:
            continue
        piece = piece_of(ledger, row)
        key = piece["partition"]
        yield Switched(
            Address.parse(row["address"]),
            key,
            row["kind"],
            number,
            row["published"],
            row["run_id"],
            row["candidate"],
            piece["rows"],
            piece["fingerprint"],
            content_before(ledger, row["address"], key, number),
        )
