"""Who reads a port, and what a change of it would leave them with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dataops_mesh.plan.change import Change
from dataops_mesh.spec.model import Address, InputPort, OutputPort, Product
from dataops_mesh.spec.names import major

ACTIVE = frozenset({"active", "deprecated"})
_GONE = frozenset({"port_removed", "port_renamed", "port_retired"})


def readers(products: Iterable[Product], address: Address) -> tuple[Product, ...]:
    """Return those of the products that run and read a port."""
    return tuple(
        product
        for product in products
        if product.status in ACTIVE and any(port.address == address for port in product.inputs)
    )


def still_read(
    products: Iterable[Product],
    origins: Mapping[str, str],
    changes: Iterable[Change],
    before: Product | None,
) -> tuple[str, ...]:
    """Return a reason for each port that would go while somebody reads it.

    Args:
        products: the consumers.
        origins: where those are that are declared elsewhere, by qualified name.
        changes: of a product.
        before: as it is published.
    """
    consumers = tuple(products)
    all_ports = [port.address for port in before.outputs] if before else []
    gone = {
        address: one.what
        for one in changes
        if one.kind in _GONE
        for address in ([one.port] if one.port else all_ports)
    }
    return tuple(
        f"{address}: {what}, and {product.qualified_name} still reads it "
        f"({_where(product, origins)})"
        for address, what in gone.items()
        for product in readers(consumers, address)
    )


def left_behind(
    products: Iterable[Product],
    origins: Mapping[str, str],
    before: Product | None,
    after: Product | None,
) -> tuple[str, ...]:
    """Return a reason for each reader that asks for the major version or contract that was.

    Args:
        products: the consumers.
        origins: where those are that are declared elsewhere, by qualified name.
        before: the product as it is published.
        after: as it would be.
    """
    consumers = tuple(products)
    if before is None or after is None:
        return ()
    was = {port.address: port for port in before.outputs}
    return tuple(
        f"{product.qualified_name} asks for {what} ({_where(product, origins)})"
        for port in after.outputs
        if port.address in was
        for product in readers(consumers, port.address)
        for asked in product.inputs
        if asked.address == port.address
        for what in _former(asked, was[port.address], port)
    )


def _former(asked: InputPort, was: OutputPort, port: OutputPort) -> Iterator[str]:
    """Yield what an input port asks for that the port was and would be no more."""
    old, new = major(was.version), major(port.version)
    if old is not None and old != new and major(asked.version or "") == old:
        yield f"version {asked.version} of {port.address}, which becomes {port.version}"
    if was.contract.id != port.contract.id and asked.contract_id == was.contract.id:
        becomes = f"which becomes {port.contract.id}"
        yield f"the contract {asked.contract_id} of {port.address}, {becomes}"


def _where(product: Product, origins: Mapping[str, str]) -> str:
    origin = origins.get(product.qualified_name)
    return f"{product.where.file} in {origin}" if origin else product.where.file


def deprecation(status: str, port: OutputPort) -> str:
    """Return the notice for readers of a port: deprecated, or with an announced end; or nothing."""
    ends = {s.property: str(s.value) for s in port.contract.slas if s.property.startswith("endOf")}
    dates = ", ".join(f"{name} {day}" for name, day in sorted(ends.items()))
    if port.deprecated or status == "deprecated":
        return f"deprecated{', ' + dates if dates else ', no end announced'}"
    return dates
