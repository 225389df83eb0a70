"""Whether the rows of a dbt project are those that the texts of its models say.

dbt runs more than its models: hooks and operations, headers, macros that take the place of its own,
models in Python, templates that ask the database. Each of them may write into any relation of the
project or say anew what a function does, so where there is one nobody can tell of any model. What
an incremental model holds was made by former texts: of it, and of what reads it, nobody can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dataops_mesh.errors import DeclarationError, Location
from dataops_mesh.plan.lineage.dbtlineage import dbt_queries, put_in
from dataops_mesh.spec.sql import parse_select

_DBT = frozenset({"dbt", "dbt_duckdb"})
_BUILTIN = frozenset({"ref", "source", "config", "this", "var", "env_var"})
# They say where a relation stands, and how a test looks: neither makes a row.
_NAMING = re.compile(r"generate_(schema|alias|database)_name|test_\w+")
_DISPATCHED = re.compile(r"^(?:default|duckdb|postgres)__")
_BUILT = frozenset({"model", "seed", "snapshot"})
_INCREMENTAL = "incremental"
_MATERIALIZED = {
    "model": frozenset({"view", "table", "ephemeral", _INCREMENTAL}),
    "seed": frozenset({"seed"}),
    "snapshot": frozenset({"snapshot"}),
}
_RUN = ("pre-hook", "post-hook", "sql_header")
_NO_SQL = frozenset({"meta", "docs", "tags", "delimiter", "group", "description"})
_HARMLESS = re.compile(
    r"\{%-?\s*(?:if (?:not )?is_incremental\(\)|else|endif)\s*-?%\}"
    r"|\{\{-?\s*(?:this|target\.\w+|var\((?:[^(){}'\"]|'[^']*'|\"[^\"]*\")*\))\s*-?\}\}"
)


def clear_queries(
    ports: Iterable[str], manifest: Mapping[str, Any]
) -> Mapping[str, tuple[frozenset[str], str]]:
    """Return what `dbt_queries` does, of those ports alone whose rows are made by their query."""
    if not _is_as_written(manifest):
        return {}
    nodes = {
        key: {**node, "raw_code": ""} if _materialized(node) == _INCREMENTAL else node
        for key, node in manifest["nodes"].items()
    }
    return dbt_queries(ports, {**manifest, "nodes": nodes})


def _is_as_written(manifest: Mapping[str, Any]) -> bool:
    nodes = list(manifest["nodes"].values())
    if manifest.get("functions") or _has_overridden(manifest.get("macros", {}).values()):
        return False
    if any(node["resource_type"] == "operation" for node in nodes):
        return False
    built = [node for node in nodes if node["resource_type"] in _BUILT]
    # DuckDB does not tell names by their case, as dbt does: one would replace the other.
    places = [str(place).lower() for node in built if (place := node.get("relation_name"))]
    return len(places) == len(set(places)) and all(
        _is_configured(node) and _only_reads(node, put_in(node, manifest)) for node in built
    )


def _has_overridden(macros: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether a macro of the project, or of a package, takes the place of one of dbt's."""
    own: set[str] = set(_BUILTIN)
    others: set[str] = set()
    for macro in macros:
        name = _DISPATCHED.sub("", macro["name"])
        (own if macro["package_name"] in _DBT else others).add(name)
    return any(
        name.startswith("materialization_") or (name in own and not _NAMING.fullmatch(name))
        for name in others
    )


def _materialized(node: Mapping[str, Any]) -> str:
    return str((node.get("config") or {}).get("materialized") or "")


def _is_configured(node: Mapping[str, Any]) -> bool:
    """Tell whether a node's settings add nothing to the statement that builds it."""
    config = node.get("config") or {}
    kind = _materialized(node)
    if any(config.get(key) for key in _RUN) or (
        kind and kind not in _MATERIALIZED[node["resource_type"]]
    ):
        return False
    columns = [
        (column.get("data_type"), column.get("constraints"))
        for column in (node.get("columns") or {}).values()
    ]
    said = {key: value for key, value in config.items() if key not in _NO_SQL}
    return not any(";" in text for text in _texts([said, columns, node.get("constraints")]))


def _only_reads(node: Mapping[str, Any], text: str) -> bool:
    """Tell whether a node's own text is one query, and no template in it asks the database."""
    if node.get("language", "sql") != "sql":
        return False
    plain = _HARMLESS.sub(" ", text).strip().rstrip(";")
    if "{{" in plain or "{%" in plain:
        return False
    if ";" not in plain:
        return True
    try:
        return parse_select(plain, Location(str(node["name"]), 1)) is not None
    except DeclarationError:
        return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
