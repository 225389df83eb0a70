"""Products that are declared no more: services are told of their end, and their incidents close."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dataops_mesh.errors import DeclarationError, StoreError
from dataops_mesh.run.declaration import published_product
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import product_history
from dataops_mesh.spec.model import Domain, Product
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.release import latest

REMEMBERED = timedelta(days=7)  # a channel that cannot be reached for longer is told no more
_LOOKED_AT = 50


def former_products(domain: Domain, environment: Environment) -> tuple[Product, ...]:
    """Return what was withdrawn of a domain lately and is declared no more, as it was last."""
    declared = {product.qualified_name for product in domain.products}
    since = datetime.now(UTC) - REMEMBERED
    names = {
        hold.product
        for address, holds in latest(environment.store).withdrawn.items()
        for hold in holds
        if address.domain == domain.name and hold.product not in declared and hold.at > since
    }
    found = (last_published(name, environment) for name in sorted(names))
    return tuple(replace(product, status="retired") for product in found if product is not None)


def last_published(name: str, environment: Environment) -> Product | None:
    """Return a product as its last publication declared it, if that is still there."""
    events = product_history(environment, name, _LOOKED_AT)
    candidate = next((e.candidate for e in events if e.what in {"published", "rollback"}), "")
    try:
        manifest = read_manifest(environment.store, candidate) if candidate else None
        return published_product(environment.store, manifest)
    except (StoreError, DeclarationError):  # collected or erased: then its channels are forgotten
        return None
