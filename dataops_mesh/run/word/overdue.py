"""What has ended and is still read: both owners should know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from dataops_mesh.errors import DeclarationError, StoreError
from dataops_mesh.run.declaration import mentions, published_product
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.word.ended import allowed_in, published_in, readers_in
from dataops_mesh.run.word.ends import END_OF_LIFE, End, Seen, ends, life_ends
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.manifest import read_declared
from dataops_mesh.store.release import Release
from dataops_mesh.store.removing.withdrawal import withdrawal_of
from dataops_mesh.store.store import Store


def overdue(
    products: Iterable[Product], environment: Environment, release: Release
) -> tuple[End, ...]:
    """Return what has ended of products and is still published, because somebody reads it.

    Args:
        products: whose ports are looked at; not all that is declared.
        environment: the store and the settings.
        release: what is published.
    """
    asked = {one.qualified_name: one for one in products}
    found = ends(
        Seen(
            products=asked,
            domains=frozenset(),
            ours=frozenset(one.domain for one in asked.values()),
            release=release,
            published=published_in(release, environment),
            allowed=allowed_in(asked, (), environment),
            readers=readers_in(asked, (), release, environment),
            now=environment.settings.clock(),
            asked=asked.keys(),
        )
    )
    return tuple(one for one in found if one.readers and not one.waits and not one.partitions)


def is_done(product: Product, release: Release, now: datetime) -> bool:
    """Tell whether a product is past its end and was withdrawn: no run of it is expected."""
    return all(
        (day := life_ends(port)) is not None
        and day <= now
        and withdrawal_of(release, port.address) is not None
        for port in product.outputs
    )


def ended_inputs(
    product: Product, environment: Environment, release: Release
) -> dict[Address, datetime]:
    """Return what the product reads and whose life is over, by what its owner has published."""
    now, found = environment.settings.clock(), {}
    for port in product.inputs:
        entry = release.ports.get(port.address) if port.address is not None else None
        if entry is None or port.address is None:
            continue
        day = _lives(environment.store, entry.candidate).get(port.address)
        if day is not None and day <= now:
            found[port.address] = day
    return found


@lru_cache(maxsize=4096)
def _lives(store: Store, candidate: str) -> Mapping[Address, datetime]:
    """Return when the ports of a candidate end; what is published never says another thing."""
    try:
        manifest = read_declared(store, candidate)
        if not mentions(store, manifest, END_OF_LIFE):
            return {}
        before = published_product(store, manifest)
    except (StoreError, DeclarationError):
        return {}
    ports = before.outputs if before else ()
    return {port.address: day for port in ports if (day := life_ends(port)) is not None}
