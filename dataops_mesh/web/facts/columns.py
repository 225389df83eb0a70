"""The columns of a product's ports: what they mean, how secret they are, what they are made of."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.plan.lineage import Lineage
from dataops_mesh.spec.model import Column, OutputPort, Product

_SHOWN = frozenset({"public", "internal"})


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One column.

    Args:
        kind: its type, as the contract says it.
        secret: no number about it is shown anywhere.
        made_of: columns of inputs, `port.column`; None where nobody knows.
    """

    name: str
    kind: str
    meaning: str
    classification: str
    secret: bool
    key: bool
    required: bool
    tags: tuple[str, ...]
    made_of: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class PortLine:
    """One output port and its columns."""

    address: str
    version: str
    description: str
    deprecated: bool
    roles: tuple[str, ...]
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
        column.key_position is not None,
        column.required or column.key_position is not None,
        column.tags,
        made_of,
    )
