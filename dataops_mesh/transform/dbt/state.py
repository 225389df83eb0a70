"""dbt's state: snapshots and incremental models, whose next build goes on from what they hold.

They are kept beside the ports of a candidate, whole, in one file that no address leads to. It is a
file of DuckDB, because Parquet has no form for some types that a model may have. The next build
begins with a copy of the file that the last publication left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataops_mesh.spec.model import Product
from dataops_mesh.transform.dbt.project import INCREMENTAL

FOLDER, FILE = "dbt.state", "state.duckdb"


def state_nodes(manifest: Mapping[str, Any], nodes: Iterable[str]) -> tuple[Mapping[str, Any], ...]:
    """Return the nodes of a selection whose next build reads what they hold."""
    found = (manifest["nodes"][key] for key in sorted(nodes) if key in manifest["nodes"])
    return tuple(
        node
        for node in found
        if node["resource_type"] == "snapshot"
        or (
            node["resource_type"] == "model"
            and node.get("config", {}).get("materialized") == INCREMENTAL
        )
    )


def is_microbatch(node: Mapping[str, Any]) -> bool:
    """Tell whether a model is built in batches of time, each of which could be built alone."""
    return bool(node.get("config", {}).get("incremental_strategy") == "microbatch")


def state_relations(
    manifest: Mapping[str, Any], nodes: Iterable[str]
) -> tuple[tuple[str, str, str], ...]:
    """Return where each of them stands: as dbt quotes it, its schema, its name."""
    found = state_nodes(manifest, nodes)
    called = ((str(node["relation_name"]), str(node["schema"]), _name(node)) for node in found)
    return tuple(dict.fromkeys(called))


def state_file(candidate: Path) -> Path:
    """Return the file of a candidate that holds its state."""
    return candidate / FOLDER / FILE


def _name(node: Mapping[str, Any]) -> str:
    return str(node.get("alias") or node["name"])


def keeps_state(product: Product, manifest: Mapping[str, Any], nodes: Iterable[str]) -> bool:
    """Tell whether the product's next build reads what this one leaves.

    A partition is built from nothing, and takes the place of what was published of it.
    """
    return (
        bool(product.outputs)
        and product.partitioning is None
        and bool(state_nodes(manifest, nodes))
    )
