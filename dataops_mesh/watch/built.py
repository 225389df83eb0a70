"""When what consumers read was built; a person who takes something away builds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.current import built_at, finished_at
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.log import Release, ports_of
from dataops_mesh.store.tree.entry import Light
from dataops_mesh.store.tree.part import PUBLICATION


def lights_of(product: Product, release: Release) -> dict[Address, Light]:
    """Return what consumers read of each port of a product."""
    read = {port.address: ports_of(release).light(port.address)
            for port in product.outputs if port.address in release.ports}  # fmt: skip
    return {address: light for address, light in read.items() if light is not None}


def newest_of(lights: Mapping[Address, Light]) -> tuple[Address, Light] | None:
    """Return the port of a product that was switched last."""
    return max(lights.items(), key=lambda one: one[1].publication, default=None)


def built_of(
    ledger: Ledger, release: Release, lights: Mapping[Address, Light]
) -> dict[Address, datetime]:
    """Return when the newest of what consumers read of each port was built.

    A rollback or withdrawal of some partitions leaves others, which are asked for by themselves.
    """
    switched = built_at(ledger, {(light.publication, str(a)) for a, light in lights.items()})
    found = {address: switched[light.publication, str(address)]
             for address, light in lights.items()
             if (light.publication, str(address)) in switched}  # fmt: skip
    left = {address: release.ports[address].refs for address, light in lights.items()
            if light.kind != PUBLICATION and light.parts >= 0}  # fmt: skip
    if left:
        finished = finished_at(ledger, {ref for refs in left.values() for ref in refs})
        for address, refs in left.items():
            if known := [finished[ref] for ref in refs if ref in finished]:
                found[address] = max(known)
    return found
