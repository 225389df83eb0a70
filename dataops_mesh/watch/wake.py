"""Which products have not yet seen what they read: a comparison of records, not of events.

Events can be lost, pruned or arrive while the reader runs. What a product's last run read and
what is published now are both on record, so nothing is missed and nothing is built twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from dataops_mesh.run.environment import Environment
from dataops_mesh.run.inputs.fetching import remote_ports, seen
from dataops_mesh.run.record import reads_of_last_runs
from dataops_mesh.run.word.held import hold_on_product
from dataops_mesh.spec.model import Product
from dataops_mesh.store.release import Release, latest
from dataops_mesh.store.store import Store


def unseen(products: Iterable[Product], environment: Environment) -> dict[str, str]:
    """Return the products whose inputs hold what their last run did not read.

    Inputs are what is published, and sources that are fetched, as they were seen last.

    A run that was refused or failed has seen its inputs too: the same data would end the same
    way. A product that lacks a publication of any input has nothing to wake for, nor has
    one that is held.

    Returns:
        Qualified name -> a digest of what it would read now.
    """
    asked = [product for product in products if product.status != "retired"]
    seen = reads_of_last_runs(environment, [product.qualified_name for product in asked])
    release = latest(environment.store)
    found = {}
    for product in asked:
        now = published_inputs(product, release)
        if now is None:
            continue
        now |= remote_inputs(product, environment.store)
        if not now:
            continue
        last = seen.get(product.qualified_name)
        if hold_on_product(product, environment, release) is not None:
            continue  # once that ends, it has still not seen them
        if last is None or any(last.get(name) != value for name, value in now.items()):
            found[product.qualified_name] = _digest(now)
    return found


def published_inputs(product: Product, release: Release) -> dict[str, str] | None:
    """Return the content of each input, in the form that it reads; None if one is missing."""
    ports = [port for port in product.inputs if port.address is not None]
    entries = [release.ports.get(port.address) for port in ports if port.address is not None]
    if any(entry is None for entry in entries):
        return None
    pairs = zip(ports, entries, strict=True)
    return {port.name: entry.form(port.role) for port, entry in pairs if entry is not None}


def remote_inputs(product: Product, store: Store) -> dict[str, str]:
    """Return what each source that is fetched is known to hold, by port name. Asks nobody."""
    ports = (port for port in remote_ports(product) if port.source and not port.source.is_cut)
    found = {port.name: seen(store, product, port, "") for port in ports}
    return {name: content for name, content in found.items() if content}


def _digest(content: dict[str, str]) -> str:
    return hashlib.sha256(repr(sorted(content.items())).encode()).hexdigest()[:16]
