"""A dbt project as queries: each public model with the models below it folded into one SELECT.

A manifest that was only parsed holds the models as they are written. `ref` and `source` are put
in here; a model with any other template stays unknown, and so does all that is built on it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_QUOTED = r"""'[^']*'|\"[^\"]*\""""
# A call among the settings may ask the database: such a template is not read.
_CONFIG = re.compile(
    rf"\{{\{{\s*config\s*\((?:[^{{}}()'\"]|{_QUOTED}|(?<=[=\s])(?:env_)?var\((?:[^{{}}()'\"]|{_QUOTED})*\))*\)"
    r"\s*\}\}",
    re.DOTALL,
)
_TEXT = r"""\s*['"]([^'"{}]+)['"]\s*"""
_REF = re.compile(rf"\{{\{{\s*ref\s*\({_TEXT}\)\s*\}}\}}")
_FAR_REF = re.compile(rf"\{{\{{\s*ref\s*\({_TEXT},{_TEXT}\)\s*\}}\}}")
_SOURCE = re.compile(rf"\{{\{{\s*source\s*\({_TEXT},{_TEXT}\)\s*\}}\}}")
_PREFIX = "mesh_model__"


def dbt_queries(
    ports: Iterable[str], manifest: Mapping[str, Any]
) -> dict[str, tuple[frozenset[str], str]]:
    """Return, for each port, the sources below it by address and its query.

    The query is empty where a template cannot be read.
    """
    by_name = models_by_name(manifest)
    return {port: _folded(by_name[port], by_name, manifest) for port in ports if port in by_name}


def models_by_name(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the keys of what can be read; of a name that a package has too, the project's own."""
    nodes = manifest["nodes"]
    project = manifest.get("metadata", {}).get("project_name")
    built = [
        (node.get("package_name") == project, node["name"], key)
        for key, node in nodes.items()
        if node["resource_type"] in {"model", "seed", "snapshot"}
    ]
    return {name: key for _, name, key in sorted(built)}


def _folded(
    key: str, by_name: Mapping[str, str], manifest: Mapping[str, Any]
) -> tuple[frozenset[str], str]:
    graph: dict[str, list[str]] = {}
    sources: set[str] = set()
    pending = [key]
    while pending:
        current = pending.pop()
        if current in graph:
            continue
        below = manifest["nodes"][current].get("depends_on", {}).get("nodes", [])
        sources |= {
            _address(manifest["sources"][one]) for one in below if one in manifest["sources"]
        }
        graph[current] = [one for one in below if one in manifest["nodes"]]
        pending += graph[current]
    parts = []
    for one in TopologicalSorter(graph).static_order():
        node = manifest["nodes"][one]
        if node["resource_type"] == "seed":
            if columns := _seed_columns(node):
                nothing = ", ".join(f'NULL AS "{column}"' for column in columns)
                parts.append(f'"{_PREFIX}{node["name"]}" AS (SELECT {nothing})')
            continue
        text = _rendered(node, by_name, manifest)
        if not text:
            return frozenset(sources), ""
        parts.append(f'"{_PREFIX}{node["name"]}" AS (\n{text}\n)')
    last = manifest["nodes"][key]["name"]
    folded = f'WITH {", ".join(parts)}\nSELECT * FROM "{_PREFIX}{last}"'
    return frozenset(sources), folded if parts else ""


def _rendered(
    node: Mapping[str, Any], by_name: Mapping[str, str], manifest: Mapping[str, Any]
) -> str:
    """Return a model's SQL with its references put in, or nothing."""
    if node["resource_type"] != "model" or node.get("language", "sql") != "sql":
        return ""
    text = put_in(node, by_name, manifest)
    return "" if "{{" in text or "{%" in text else text.strip().rstrip(";")


def put_in(node: Mapping[str, Any], by_name: Mapping[str, str], manifest: Mapping[str, Any]) -> str:
    """Return a model's text with its references put in, and what templates are left."""
    text = _CONFIG.sub("", _COMMENT.sub("", node.get("raw_code") or ""))
    sources = {(s["source_name"], s["name"]): _address(s) for s in manifest["sources"].values()}

    def refer(found: re.Match[str]) -> str:
        key = by_name.get(found[1])
        if key is None:
            return found[0]
        below = manifest["nodes"][key]
        unknown = below["resource_type"] == "seed" and not _seed_columns(below)
        return f'"mesh_seed"."{found[1]}"' if unknown else f'"{_PREFIX}{found[1]}"'

    def refer_far(found: re.Match[str]) -> str:
        """Put in a model of another project that is an input port, or of this one."""
        if (found[1], found[2]) in sources:
            return sources[found[1], found[2]]
        key = by_name.get(found[2])
        own = key is not None and manifest["nodes"][key].get("package_name") == found[1]
        return f"{{{{ ref('{found[2]}') }}}}" if own else found[0]

    text = _REF.sub(refer, _FAR_REF.sub(refer_far, text))
    return _SOURCE.sub(lambda found: sources.get((found[1], found[2]), found[0]), text)


def _seed_columns(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of a seed by the first line of its file; nothing where that is not here.

    Its values come from no input, and so nothing flows through it.
    """
    file = Path(node.get("root_path") or "") / (node.get("original_file_path") or "")
    delimiter = str((node.get("config") or {}).get("delimiter") or ",")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            head = next(csv.reader(lines, delimiter=delimiter), [])
    except (OSError, UnicodeDecodeError, csv.Error, TypeError):
        return ()
    return tuple(head) if head and all(name and '"' not in name for name in head) else ()


def _address(source: Mapping[str, Any]) -> str:
    return f"{source['schema']}.{source['identifier']}"
