"""The sources of a parsed dbt project: each becomes an input port, or a seed of the project.

The project is left as it is: its sources are tables of a developer's database, or files. What a
parse left says the same of the mesh, and dbt builds from that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataops_mesh.transform.dbt.refs import MESH

PARSED = ("manifest.json", "partial_parse.msgpack")
_ELSEWHERE = ("external_location", "plugin")  # in `meta`: where dbt-duckdb would look


def bind_sources(folder: Path, given: Mapping[str, tuple[str, str]]) -> None:
    """Write what a parse left once more, with sources that are relations of the mesh.

    Args:
        folder: holds what dbt's parse left.
        given: the schema and name in the mesh, by `<source>.<table>`.
    """
    from dbt.parser.manifest import extended_mashumaro_encoder

    file = folder / PARSED[1]
    manifest = read_parsed(file)
    bound = [_bind(one, given) for one in manifest.sources.values()]
    seeded = _read_seeds(manifest)
    if any(bound) or seeded:
        file.write_bytes(manifest.to_msgpack(extended_mashumaro_encoder))
        manifest.write(str(folder / PARSED[0]))


def read_parsed(file: Path) -> Any:
    """Return the manifest of what a parse left; dates in it (`begin`) have a form of dbt's own."""
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    return Manifest.from_msgpack(file.read_bytes(), decoder=extended_mashumuro_decoder)


def _bind(source: Any, given: Mapping[str, tuple[str, str]]) -> bool:
    """Let a source of the mesh stand for its port and nothing else; tell whether it changed."""
    relation = given.get(f"{source.source_name}.{source.name}")
    if relation is not None:
        source.database, (source.schema, source.identifier) = MESH, relation
        source.relation_name = ".".join(f'"{part}"' for part in (MESH, *relation))
    elif source.database != MESH:
        return False
    settings = [
        getattr(holder, name, None) or {}
        for holder in (source, source.config)
        for name in ("meta", "source_meta", "_extra")
    ]
    elsewhere = [found.pop(key, None) is not None for found in settings for key in _ELSEWHERE]
    return relation is not None or any(elsewhere)


def _read_seeds(manifest: Any) -> bool:
    """Let what reads a source that is a seed of the same project wait for the seed.

    Plain dbt does not know that they are the same table, and needs `dbt seed` before.
    """
    seeds = {_place(n): key for key, n in manifest.nodes.items() if n.resource_type == "seed"}
    same = {
        key: seeds[_place(source)]
        for key, source in manifest.sources.items()
        if _place(source) in seeds
    }
    if not same:
        return False
    for node in manifest.nodes.values():
        found = getattr(getattr(node, "depends_on", None), "nodes", None)
        if found and not same.keys().isdisjoint(found):
            found[:] = dict.fromkeys(same.get(key, key) for key in found)
    return True


def _place(node: Any) -> tuple[str, ...]:
    name = getattr(node, "identifier", None) or node.alias
    return tuple(str(part).lower() for part in (node.database, node.schema, name))
