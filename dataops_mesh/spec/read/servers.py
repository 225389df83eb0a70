"""For which system a contract is written, by its `servers`, and what its types are there."""

from __future__ import annotations

from functools import partial

from dataops_mesh.spec.read.extras import VENDOR
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.types.shape import Known
from dataops_mesh.spec.types.systems import Physical, physical, plain_name

EXPORT = "export"
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
    """Return the types of the contract's servers, but of those that only get a copy."""
    whole = Node(node.document, node.document.data)
    written_for = [one for one in whole.items("servers") if not is_export(one)]
    return tuple(dict.fromkeys(t for one in written_for if (t := one.text("type"))))


def is_export(server: Node) -> bool:
    """Tell whether a server is where a copy is kept: its type says nothing of the contract's."""
    return any(
        entry.text("vendor") == VENDOR and entry.text("property") == EXPORT
        for entry in server.items("customProperties")
    )
