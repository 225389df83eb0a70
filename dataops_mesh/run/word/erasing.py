"""What an erasure would be about: asked before anything is withdrawn or deleted."""

from __future__ import annotations

from collections.abc import Iterable

from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean
from dataops_mesh.ledger.traces import partitions_ever, ports_ever, readers_ever
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.run.word.withdraw import Taking, readers_of
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.owners import require_owner
from dataops_mesh.store.release import latest
from dataops_mesh.store.tree.ports import lights_in


def erasing(
    name: str, environment: Environment, products: Iterable[Product]
) -> tuple[Taking, bool]:
    """Return what the name of a product, or of one port, would erase, and whether it is a product.

    It need not be published: what was withdrawn or refused has bytes too.

    Raises:
        UnknownNameError: the store has nothing of that name.
        OwnershipError: its domain belongs to another repository.
    """
    declared = tuple(products)
    ports = _ports(environment, declared)
    found = tuple(sorted(address for address, product in ports.items() if product == name))
    whole = bool(found)
    if not found:
        found = tuple(address for address in ports if str(address) == name)
    if not found:
        known = sorted({*ports.values(), *map(str, ports)})
        what = f'the store has nothing that is called "{name}"{did_you_mean(name, known)}'
        raise UnknownNameError(Problem(what, choices=tuple(known), next="mesh status"))
    product = ports[found[0]]
    require_owner(environment.store, {a.domain for a in found}, publisher_of(environment))
    readers = readers_of(found, product, environment, declared, latest(environment.store))
    return Taking(product, found, readers), whole


def built_of(what: Taking, environment: Environment) -> tuple[str, ...]:
    """Return the products that were ever built from it, however far down: they may hold rows."""
    with open_record(environment) as ledger:
        found = readers_ever(ledger, map(str, what.addresses))
    return tuple(sorted(found - {what.product}))


def require_partition(what: Taking, environment: Environment, partition: str) -> tuple[str, ...]:
    """Return what a person should know before one partition is erased, one sentence each.

    Raises:
        UnknownNameError: the product has never built such a partition.
    """
    with open_record(environment) as ledger:
        known = partitions_ever(ledger, what.product)
    if partition not in known:
        said = f'{what.product} never built a partition "{partition}"'
        keys = tuple(key for key in known if key)
        raise UnknownNameError(
            Problem(said + did_you_mean(partition, keys), choices=keys, next="mesh status")
        )
    whole = f"{what.product} was also built without partitions; such a candidate stays, and may "
    return (f"{whole}hold rows of {partition}",) if "" in known else ()


def _ports(environment: Environment, declared: tuple[Product, ...]) -> dict[Address, str]:
    """Return the product of every address that is or was; what is published now says it best."""
    with open_record(environment) as ledger:
        known = {Address.parse(name): product for name, product in ports_ever(ledger).items()}
    release = latest(environment.store)
    known |= {port.address: one.qualified_name for one in declared for port in one.outputs}
    known |= {address: holds[0].product for address, holds in release.withdrawn.items() if holds}
    return known | {address: light.product for address, light in lights_in(release.ports)}
