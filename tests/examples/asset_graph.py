"""The example mesh's asset graph as data. `make snapshot` writes it to `asset_graph.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from dataops_mesh.factory.domain import load_domain

REPOSITORY = Path(__file__).parents[2]
FILE = Path(__file__).with_suffix(".json")


def graph_of(root: Path) -> list[dict[str, Any]]:
    """Return every asset of every domain: key, group, kinds, what it reads, its checks."""
    assets = []
    for definitions in sorted(root.glob("domains/*/definitions.py")):
        domain = definitions.parent.name
        graph = load_domain(definitions).resolve_asset_graph()
        for key in sorted(graph.get_all_asset_keys()):
            node = graph.get(key)
            if node.group_name != domain:
                continue  # another domain's, that this one only reads
            checks = sorted(one.name for one in graph.asset_check_keys if one.asset_key == key)
            asset = {
                "asset": key.to_user_string(),
                "group": node.group_name,
                "kinds": sorted(node.kinds),
                "reads": sorted(parent.to_user_string() for parent in node.parent_keys),
                "checks": checks,
            }
            assets.append(asset if node.is_materializable else {**asset, "external": True})
    return assets


def text_of(root: Path) -> str:
    """Return the graph as the file has it: a line for each fact, so that a diff can be read."""
    return json.dumps(graph_of(root), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text_of(REPOSITORY), "utf-8")
    sys.stderr.write(f"{FILE.relative_to(REPOSITORY)}: look at its diff before you commit it\n")
