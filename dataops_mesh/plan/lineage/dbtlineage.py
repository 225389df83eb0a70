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

from dataops_mesh.errors import DeclarationError, Location
from dataops_mesh.spec.dbt_names import by_name
from dataops_mesh.spec.sql import parse_select

_OURS = ("mesh_model__", "mesh_seed")  # what models and seeds are called in a folded query
_CTE = "__dbt__cte__"  # begins what dbt calls an ephemeral model
# A minus takes the space beside it away: `- {#- -#} -` begins a comment of SQL.
_COMMENT = r"(?:\s*\{#-|\{#\+?).*?(?:-#\}\s*|#\})"
_QUOTED = r"""'[^'\\]*'|\"[^\"\\]*\""""
# A call among the settings may ask the database: such a template is not read.
_CONFIG = (
    rf"\{{\{{\s*config\s*\((?:[^{{}}()'\"]|{_QUOTED}|(?<=[=\s])(?:env_)?var\((?:[^{{}}()'\"]|{_QUOTED})*\))*\)"
    r"\s*\}\}"
)
_TEXT = r"""\s*['"](?P<%s>[^'"{}\\]+)['"]\s*"""
_REF = rf"\{{\{{\s*ref\s*\({_TEXT % 'ref'}\)\s*\}}\}}"
_FAR_REF = rf"\{{\{{\s*ref\s*\({_TEXT % 'project'},{_TEXT % 'far'}\)\s*\}}\}}"
_SOURCE = rf"\{{\{{\s*source\s*\({_TEXT % 'source'},{_TEXT % 'table'}\)\s*\}}\}}"
# Read from left to right, as Jinja does: a text in a template may hold what begins a comment.
_TEMPLATE = re.compile(
    f"(?P<comment>{_COMMENT})|(?P<config>{_CONFIG})|{_REF}|{_FAR_REF}|{_SOURCE}", re.DOTALL
)


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
    raw = (node.get("raw_code") or "").lower()
    bare = re.sub(_COMMENT, "", raw, flags=re.DOTALL)
    if any(name in text for name in (*_OURS, _CTE) for text in (raw, bare)):
        return ""  # somebody calls something as we or dbt call models
    text = put_in(node, manifest)
    if any(mark in text for mark in ("{{", "{%", "{#")):
        return ""
    return _with_identifiers(text.strip().rstrip(";"), node, manifest)


def _with_identifiers(text: str, node: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Return a model's SQL in which each model that it reads can be called as in the database."""
    from sqlglot import exp

    called = {
        _relation(key).strip('"'): one.get("alias") or one["name"]
        for key in _below(node)
        if (one := manifest["nodes"].get(key)) and not _is_ephemeral(one)
    }
    try:
        query = parse_select(text, Location("model", 1))
    except DeclarationError:
        return ""
    found = [one for one in query.find_all(exp.Table) if one.name in called and not one.alias]
    for table in sorted(found, key=lambda one: -int(one.this.meta["end"])):
        end = int(table.this.meta["end"]) + 1
        alias = exp.to_identifier(called[table.name], quoted=True).sql("duckdb")
        text = f"{text[:end]} AS {alias}{text[end:]}"
    return text


def _is_ephemeral(node: Mapping[str, Any]) -> bool:
    return bool((node.get("config") or {}).get("materialized") == "ephemeral")


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

    def refer(name: str) -> str:
        return _put([key for key, one in nodes.items() if one["name"] == name], nodes)

    def refer_far(project: str, name: str) -> str:
        """Put in a model of another project that is an input port, or of this one."""
        if address := _source(project, name, read):
            return address
        asked = (project, name)
        keys = [k for k, one in nodes.items() if (one.get("package_name"), one["name"]) == asked]
        return _put(keys, nodes)

    def put(found: re.Match[str]) -> str:
        if found["comment"] or found["config"]:
            return ""
        if name := found["ref"]:
            return refer(name) or found[0]
        if name := found["far"]:
            return refer_far(found["project"], name) or found[0]
        return stands(found["source"], found["table"]) or found[0]

    return _TEMPLATE.sub(put, node.get("raw_code") or "")


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
