"""The columns of a product's ports: what they mean, how secret they are, what they are made of."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.plan.lineage.product import Lineage
from dataops_mesh.spec.model import Column, OutputPort, Product

_SHOWN = frozenset({"public", "internal"})


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One column.

    Args:
        kind: its type, as the contract says it.
        secret: no number about it is shown anywhere.
        mask: how consumers see its values; empty where they see them as they are.
        made_of: columns of inputs, `port.column`; None where nobody knows.
    """

    name: str
    kind: str
    meaning: str
    classification: str
    secret: bool
    mask: str
    key: bool
    required: bool
    tags: tuple[str, ...]
    made_of: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class PortLine:
    """One output port and its columns.

    Args:
        visible: the domains and products that may read it; empty where all may.
    """

    address: str
    version: str
    description: str
    deprecated: bool
    roles: tuple[str, ...]
    visible: tuple[str, ...]
    columns: tuple[ColumnLine, ...]


def port_lines(product: Product, lineage: Lineage) -> tuple[PortLine, ...]:
    """Return the ports of a product."""
    return tuple(_port(port, lineage) for port in product.outputs)


def is_secret(column: Column) -> bool:
    """Tell whether nothing about a column is shown: no class at all counts as one."""
    return (column.classification or "").lower() not in _SHOWN


def _port(port: OutputPort, lineage: Lineage) -> PortLine:
    contract = port.contract
    return PortLine(
        str(port.address),
        port.version,
        port.description or contract.description,
        port.deprecated,
        tuple(f"{role.role}: {role.access}" for role in contract.roles),
        contract.visibility,
        tuple(_column(port, column, lineage) for column in contract.columns),
    )


def _column(port: OutputPort, column: Column, lineage: Lineage) -> ColumnLine:
    origins = lineage.columns.get((port.name, column.name))
    made_of = None if origins is None else tuple(sorted(f"{i}.{c}" for i, c in origins))
    return ColumnLine(
        column.name,
        column.physical_type or column.logical_type,
        column.description,
        column.classification or "not said",
        is_secret(column),
        column.mask.kind.value if column.mask else "",
        column.key_position is not None,
        column.required or column.key_position is not None,
        column.tags,
        made_of,
    )
