"""A dbt project as queries: each public model with the models below it folded into one SELECT.

A manifest that was only parsed holds the models as they are written. `ref` and `source` are put
in here; a model with any other template stays unknown, and so does all that is built on it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from hashlib import sha256
from pathlib import Path
from typing import Any

from dataops_mesh.spec.dbt_names import by_name

_OURS = ("mesh_model__", "mesh_seed")  # what models and seeds are called in a folded query
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


def dbt_queries(
    ports: Iterable[str], manifest: Mapping[str, Any]
) -> dict[str, tuple[frozenset[str], str]]:
    """Return, for each port, the sources below it by address and its query.

    The query is empty where a template cannot be read.
    """
    known = by_name(manifest)
    return {port: _folded(known[port], manifest) for port in ports if port in known}


def _folded(key: str, manifest: Mapping[str, Any]) -> tuple[frozenset[str], str]:
    graph: dict[str, list[str]] = {}
    sources: set[str] = set()
    pending = [key]
    while pending:
        current = pending.pop()
        if current in graph:
            continue
        below = _below(manifest["nodes"][current])
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
                parts.append(f"{_relation(one)} AS (SELECT {nothing})")
            continue
        text = _rendered(node, manifest)
        if not text:
            return frozenset(sources), ""
        parts.append(f"{_relation(one)} AS (\n{text}\n)")
    folded = f"WITH {', '.join(parts)}\nSELECT * FROM {_relation(key)}"
    return frozenset(sources), folded if parts else ""


def _rendered(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Return a model's SQL with its references put in, or nothing."""
    if node["resource_type"] != "model" or node.get("language", "sql") != "sql":
        return ""
    if any(name in (node.get("raw_code") or "").lower() for name in _OURS):
        return ""  # somebody calls something as we call models
    text = put_in(node, manifest)
    return "" if "{{" in text or "{%" in text else text.strip().rstrip(";")


def put_in(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Return a model's text with its references put in, and what templates are left.

    What a name means, dbt has said: it is among what the model depends on. Where two of these
    are called so, nobody can tell, and the template is left.
    """
    nodes = {key: manifest["nodes"][key] for key in _below(node) if key in manifest["nodes"]}
    known = manifest["sources"]
    read = [known[key] for key in _below(node) if key in known]

    def stands(name: str, table: str) -> str:
        """Return the address of a source; one that is a seed of the project is none it reads."""
        return _source(name, table, read) or _source(name, table, known.values())

    def refer(found: re.Match[str]) -> str:
        keys = [key for key, one in nodes.items() if one["name"] == found[1]]
        return _put(keys, nodes) or found[0]

    def refer_far(found: re.Match[str]) -> str:
        """Put in a model of another project that is an input port, or of this one."""
        if address := _source(found[1], found[2], read):
            return address
        asked = (found[1], found[2])
        keys = [k for k, one in nodes.items() if (one.get("package_name"), one["name"]) == asked]
        return _put(keys, nodes) or found[0]

    text = _CONFIG.sub("", _COMMENT.sub("", node.get("raw_code") or ""))
    text = _REF.sub(refer, _FAR_REF.sub(refer_far, text))
    return _SOURCE.sub(lambda found: stands(found[1], found[2]) or found[0], text)


def _put(keys: Sequence[str], nodes: Mapping[str, Mapping[str, Any]]) -> str:
    if len(keys) != 1:
        return ""
    node = nodes[keys[0]]
    unknown = node["resource_type"] == "seed" and not _seed_columns(node)
    return f'"{_OURS[1]}"."{node["name"]}"' if unknown else _relation(keys[0])


def _source(name: str, table: str, sources: Iterable[Mapping[str, Any]]) -> str:
    found = {_address(one) for one in sources if (one["source_name"], one["name"]) == (name, table)}
    return found.pop() if len(found) == 1 else ""


def _relation(key: str) -> str:
    """Return what a model is called in the folded query: two may have one name."""
    return f'"{_OURS[0]}{sha256(key.encode()).hexdigest()[:16]}"'


def _below(node: Mapping[str, Any]) -> Sequence[str]:
    return tuple(node.get("depends_on", {}).get("nodes", ()))


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
