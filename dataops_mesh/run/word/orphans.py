"""Partitions that were built from what is withdrawn, with nothing left to build them from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.run.due import withdrawn_with
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.partition import partitions_until
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.release import Release


@dataclass(frozen=True, slots=True)
class Orphan:
    """A published partition whose input was withdrawn; a person decides whether it goes too."""

    product: str
    partition: str
    reads: str
    hold: Hold

    @property
    def command(self) -> str:
        """Return what withdraws it."""
        return f'mesh withdraw {self.product} --partition {self.partition} --reason "..."'


def orphans(product: Product, release: Release, now: datetime) -> tuple[Orphan, ...]:
    """Return the published partitions of a product that have lost all of an input."""
    cut = product.partitioning
    wanted = [port for port in product.inputs if port.address in release.withdrawn]
    if cut is None or not wanted:
        return ()
    keys = {
        part.key
        for port in product.outputs
        if (entry := release.ports.get(port.address)) is not None
        for part in entry.parts
    }
    return tuple(
        Orphan(product.qualified_name, piece.key, port.name, hold)
        for piece in partitions_until(cut, now)
        if piece.key in keys
        for port in wanted
        if (hold := withdrawn_with(port, piece, release)) is not None
    )
