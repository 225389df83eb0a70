"""`ref('shop', 'orders')` in a dbt project: a model of another project that is an input port.

dbt asks its plugins for models of other projects while it parses (`get_nodes`, as dbt-loom uses
it). Here the answer is the product's input ports. What a parse left then lists those that are
read as sources of the database `mesh`: they are read, and nothing of them is built here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

MESH = "mesh"  # the database of what was published
Refs = Mapping[tuple[str, str], tuple[str, str]]


def offer(refs: Refs, project: str) -> None:
    """Let dbt's parse, in this process, know input ports as models of other projects.

    Args:
        refs: schema and name in the mesh, by project and model.
        project: the name of the project that is parsed; its own models are its own.
    """
    from dbt.contracts.graph.node_args import ModelNodeArgs
    from dbt.plugins.manager import PluginManager, dbt_hook, dbtPlugin
    from dbt.plugins.manifest import PluginNodes

    class Ports(dbtPlugin):  # type: ignore[misc] # dbt's has no types
        @dbt_hook  # type: ignore[untyped-decorator] # dbt's has no types
        def get_nodes(self) -> PluginNodes:
            nodes = PluginNodes()
            for (package, model), (schema, name) in refs.items():
                if package != project:
                    relation = ".".join(f'"{part}"' for part in (MESH, schema, name))
                    nodes.add_model(
                        ModelNodeArgs(
                            name=model,
                            package_name=package,
                            identifier=name,
                            schema=schema,
                            database=MESH,
                            relation_name=relation,
                            access="public",
                        )
                    )
            return nodes

    modules = PluginManager.get_prefixed_modules()
    modules["dbt_mesh_ports"] = SimpleNamespace(plugins=[Ports])
    PluginManager.get_prefixed_modules = lambda: modules


def as_sources(file: Path) -> None:
    """List models of other projects that are read as sources; forget those that are not."""
    manifest: dict[str, Any] = json.loads(file.read_text("utf-8"))
    foreign = [key for key, node in manifest["nodes"].items() if is_foreign(node)]
    if not foreign:
        return
    for key in foreign:
        node = manifest["nodes"].pop(key)
        if manifest["child_map"].get(key):
            more = {
                "resource_type": "source",
                "source_name": node["package_name"],
                "identifier": node["alias"],
                "source_meta": {},
                "tables": [],
                "loader": "",
            }
            manifest["sources"][key] = {**node, **more}
        else:
            for relatives in ("child_map", "parent_map"):
                manifest[relatives].pop(key, None)
    file.write_text(json.dumps(manifest), "utf-8")


def is_foreign(node: Mapping[str, Any]) -> bool:
    """Tell whether a node came from a plugin: it has no file."""
    return node["resource_type"] == "model" and not node["path"] and not node["original_file_path"]
