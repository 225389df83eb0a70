"""What dbt's models are called: the names under which one can be a port, and whose it is.

A name is only what people say; `unique_id` is what a model is known by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

KINDS = frozenset({"model", "seed", "snapshot"})


def names(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names under which a node can be a port, the most certain one first.

    >>> names({"name": "out", "version": 2, "latest_version": 2})
    ('out_v2', 'out')
    """
    name, version = str(node["name"]), node.get("version")
    if version is None:
        return (name,)
    versioned = f"{name}_v{str(version).replace('.', '_')}"
    return (versioned, name) if version == node.get("latest_version") else (versioned,)


def is_own(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Tell whether a node is of the project itself, and of none of its packages."""
    project = manifest.get("metadata", {}).get("project_name")
    return bool(node.get("package_name") == project)


def called(manifest: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return whom each name can mean: models, seeds and snapshots, by unique id.

    Of a name that a package has too, the project's own counts, whatever is selected.
    """
    own, others = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for key, node in manifest["nodes"].items():
        if node["resource_type"] in KINDS:
            for name in names(node):
                (own if is_own(node, manifest) else others)[name].append(key)
    return {name: tuple(sorted(keys)) for name, keys in {**others, **own}.items()}


def by_name(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the unique id of each name that means one model and no other."""
    return {name: keys[0] for name, keys in called(manifest).items() if len(keys) == 1}
