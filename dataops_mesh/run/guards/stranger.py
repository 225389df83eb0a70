"""In a sandbox anybody may try any product; what only its domain is given, only its owner is."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.connections import Connections
from dataops_mesh.errors import MeshError, OwnershipError
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.masks import is_reserved
from dataops_mesh.run.guards.visible import published_ports
from dataops_mesh.run.registry.owners import require_ours
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.spec.read.protection import VISIBILITY
from dataops_mesh.spec.visible import reads
from dataops_mesh.store.release import Release


def stranger_reasons(
    product: Product, environment: Environment, release: Release
) -> tuple[str, ...]:
    """Return why a repository may not try a product of another one's domain, one sentence each.

    A role, a private port and a key that is somebody's are given by the name of who asks; in a
    sandbox nothing else says that the name is its own. Production asks for every product.

    Args:
        product: what would be built.
        environment: the store and the settings.
        release: what is published.
    """
    if not environment.store.sandbox:
        return ()
    given = list(dict.fromkeys(_given(product, environment, release)))
    if not given:
        return ()
    try:
        require_ours(product, environment)
    except OwnershipError as error:
        who, then = error.problems[0].what, "leave it out, or try it in the owner's repository"
        return tuple(f"{who}, and only it is given {one}; {then}" for one in given)
    return ()


def _given(product: Product, environment: Environment, release: Release) -> Iterator[str]:
    """Yield what a product is given by its name."""
    settings, connections = environment.settings, Connections.of(environment.settings)
    for wanted in product.inputs:
        if wanted.role:
            yield f'the role "{wanted.role}" of {wanted.address} ({wanted.where})'
        if wanted.remote and connections.is_reserved(wanted.remote.connection):
            yield f'the connection "{wanted.remote.connection}" ({wanted.where})'
    for port in product.outputs:
        masks = {column.mask.secret for column in port.contract.columns if column.mask}
        for name in sorted(one for one in masks if one and is_reserved(one, settings)):
            yield f'the secret "{name}" ({port.contract.where.file})'
    places = {address: where for address, where, _ in reads(product)}
    for wanted in product.own:
        if wanted.address is not None:
            places.setdefault(wanted.address, wanted.where)
    if product.partitioning is not None:  # the partitions that stay are shown as they are
        for port in product.outputs:
            places.setdefault(port.address, port.contract.where)
    for address, where in places.items():
        if address in release.ports and _is_private(environment, release, address):
            yield f"{address}, which not everybody may read ({where})"


def _is_private(environment: Environment, release: Release, address: Address) -> bool:
    try:
        ports = published_ports(environment.store, release, address, VISIBILITY)
    except MeshError:  # nobody can tell
        return True
    return any(port.contract.visibility for port in ports)
