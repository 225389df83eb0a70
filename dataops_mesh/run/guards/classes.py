"""How secret an input is: what its owner has published counts, beside what a folder here says."""

from __future__ import annotations

from dataops_mesh.errors import MeshError
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.flow import policy_problems
from dataops_mesh.run.guards.visible import published_port
from dataops_mesh.spec.model import Address, OutputPort, Product
from dataops_mesh.store.release import Release


def class_reasons(product: Product, environment: Environment, release: Release) -> tuple[str, ...]:
    """Return what policies have against the product by what is published of its inputs.

    The gate judges it by what the workspace says of them, too: so the stricter of both counts, and
    neither a copy of the owner's folder nor an edit that nobody published lowers a class.

    Args:
        product: what would read.
        environment: the store and the settings.
        release: what is published.
    """
    own = {port.address for port in product.outputs}  # what lowers these is asked as a change
    found, published = list[str](), dict[Address, OutputPort]()
    for address in dict.fromkeys(one.address for one in product.inputs if one.address):
        if address in own or address not in release.ports:
            continue
        try:
            port = published_port(environment.store, release, address)
        except MeshError as error:
            found.append(f"nobody can tell how secret {address} is: {error.problems[0].what}")
            continue
        if port is not None:
            published[address] = port
    if published:
        for one in policy_problems(product, environment.settings, published):
            what = f"{one.what} ({one.where}), by the published contracts of what it reads"
            found.append(f"{what}; {one.next}" if one.next else what)
    return tuple(dict.fromkeys(found))
