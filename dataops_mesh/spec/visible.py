"""Whose products may read a port: its contract's `visibility`."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.errors import Location, Problem
from dataops_mesh.spec.model import Address, OutputPort, Product


def invisible(
    address: Address, port: OutputPort, reader: Product, where: Location, key: str = ""
) -> Iterator[Problem]:
    """Yield a problem if a product reads a port that its contract does not show to it.

    Args:
        address: the port, as the reader names it.
        port: what is read.
        reader: who reads it.
        where: the line of the reader that names it.
        key: the key there.
    """
    if may_read(port, reader):
        return
    others = port.contract.visibility[1:]
    who = f"{address.domain} and {', '.join(others)}" if others else f"{address.domain} alone"
    what = f"{address} is for {who}, and {reader.qualified_name} reads it"
    file = port.contract.where.file
    then = f"read another port, or ask {address.domain} to add it to `visibility` in {file}"
    yield Problem(what, where, key, next=then)


def may_read(port: OutputPort, reader: Product) -> bool:
    """Tell whether the contract of a port shows it to a product."""
    shown = port.contract.visibility
    own = reader.domain == port.address.domain
    return not shown or own or bool({reader.domain, reader.qualified_name} & {*shown})


def reads(product: Product) -> Iterator[tuple[Address, Location, str]]:
    """Yield what a product reads, as input or by a foreign key, and where it says so first."""
    places: dict[Address, tuple[Location, str]] = {}
    for wanted in product.inputs:
        if wanted.address is not None:
            places.setdefault(wanted.address, (wanted.where, wanted.name))
    for port in product.outputs:
        for one in port.contract.relationships:
            if one.address is not None:
                places.setdefault(one.address, (one.where, one.key))
    for address, (where, key) in places.items():
        yield address, where, key
