"""For which system a contract is written, by its `servers`, and what its types are there."""

from __future__ import annotations

from functools import partial

from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.types.shape import Known
from dataops_mesh.spec.types.systems import Physical, physical, plain_name

# Servers whose SQL is DuckDB's.
_HERE = frozenset({"duckdb", "local"})


def system_of(node: Node) -> str:
    """Return the type of the servers that the contract is written for; empty if we are one.

    Args:
        node: any part of the contract.
    """
    types = systems_of(node)
    return "" if _HERE & set(types) else ", ".join(types)


def physical_of(entry: Node) -> Physical | None:
    """Return what the physical type of a column, or of a part of one, says."""
    return physical(entry.text("physicalType") or "", systems_of(entry))


def known_to(node: Node) -> Known:
    """Return what knows the names of plain types as the contract's system means them."""
    return partial(plain_name, systems=systems_of(node))


def systems_of(node: Node) -> tuple[str, ...]:
    """Return the types of the contract's servers."""
    whole = Node(node.document, node.document.data)
    return tuple(dict.fromkeys(t for s in whole.items("servers") if (t := s.text("type"))))
