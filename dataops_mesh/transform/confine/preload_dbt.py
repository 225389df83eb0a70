"""What dbt makes of its classes when it first needs it, made before the fork.

dbt's classes write the code that reads and writes them (mashumaro) at their first use: a third of
what a small build takes, and each process of a product paid for it.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress
from typing import Any

_RESOURCES = "dbt.artifacts.resources"
# Classes that a build and a test of a small project make code for.
_CLASSES = {
    "dbt.contracts.project": ("ProjectFlags", "ProfileConfig", "Project", "PackageConfig"),
    "dbt.contracts.selection": ("SelectorFile",),
    "dbt.contracts.files": ("FilePath", "SourceFile", "SchemaSourceFile"),
    "dbt.contracts.graph.nodes": (
        *("ModelNode", "SeedNode", "SnapshotNode", "GenericTestNode", "SingularTestNode"),
        *("HookNode", "AnalysisNode", "SourceDefinition", "Macro", "Documentation", "Exposure"),
        "UnitTestDefinition",
    ),
    f"{_RESOURCES}.base": ("FileHash", "Docs"),
    f"{_RESOURCES}.v1.config": ("ContractConfig", "TestConfig", "NodeConfig"),
    f"{_RESOURCES}.v1.model": ("ModelConfig",),
    f"{_RESOURCES}.v1.seed": ("SeedConfig",),
    f"{_RESOURCES}.v1.macro": ("MacroConfig", "MacroArgument"),
    f"{_RESOURCES}.v1.generic_test": ("TestMetadata",),
    f"{_RESOURCES}.v1.source_definition": ("ExternalTable", "SourceConfig"),
    f"{_RESOURCES}.v1.components": (
        *("ColumnInfo", "ColumnConfig", "RefArgs", "DependsOn", "MacroDependsOn", "Contract"),
        *("FreshnessThreshold", "Time", "Quoting"),
    ),
    "dbt.artifacts.schemas.results": ("TimingInfo",),
    "dbt.adapters.duckdb.credentials": ("DuckDBCredentials", "Attachment"),
    "dbt.adapters.duckdb.relation": ("DuckDBRelation",),
    "dbt.adapters.contracts.connection": ("QueryComment", "AdapterResponse"),
    "dbt.adapters.contracts.relation": ("Path", "Policy"),
    "dbt_common.helper_types": ("WarnErrorOptionsV2",),
    "dbt.task.test": ("TestResultData",),
}
_SCHEMAS = (
    *("ProjectFlags", "ProfileConfig", "Project", "PackageConfig", "SelectorFile"),
    "DuckDBCredentials",
)


# What a parsed project holds of each kind, in the fields that dbt insists on.
_NODE = dict.fromkeys(("name", "package_name", "path", "original_file_path", "unique_id"), "x")
_PARSED = {
    "macros": {**_NODE, "resource_type": "macro", "macro_sql": "", "depends_on": {}, "docs": {}}
    | {"config": {}, "arguments": []},
    "docs": {**_NODE, "resource_type": "doc", "block_contents": ""},
    "sources": {**_NODE, "resource_type": "source", "database": "x", "schema": "x", "fqn": []}
    | {"source_name": "x", "source_description": "", "loader": "", "identifier": "x", "config": {}}
    | {"quoting": {}, "freshness": {"warn_after": {"count": 1, "period": "day"}}},
}


def compile_classes() -> None:
    """Have the classes make their code: by reading nothing, and by writing what has no fields."""
    manifest = getattr(sys.modules.get("dbt.contracts.graph.manifest"), "Manifest", None)
    if manifest is not None:
        msgpack: Any = importlib.import_module("msgpack")  # dbt's; it says nothing of types
        empty = msgpack.unpackb(manifest().to_msgpack())
        for kind, one in _PARSED.items():
            with suppress(Exception):  # another version of dbt, which makes it in each process
                manifest.from_msgpack(msgpack.packb({**empty, kind: {"x": one}}))
    for module, names in _CLASSES.items():
        for name in names:
            known = getattr(sys.modules.get(module), name, None)
            if known is not None:
                _compile(known)
    schemas = getattr(sys.modules.get("dbt.contracts.project"), "Configuration", None)
    if schemas is not None:
        schemas.json_schema()


def _compile(known: Any) -> None:
    for reader in ("from_dict", "__mashumaro_from_dict__", "__mashumaro_from_msgpack__"):
        with suppress(Exception):  # it lacks every field; the code is made all the same
            getattr(known, reader)({})
    for writer in ("to_dict", "__mashumaro_to_dict__"):
        with suppress(Exception):
            getattr(object.__new__(known), writer)(omit_none=False)
    if known.__name__ in _SCHEMAS:
        with suppress(Exception):
            known.json_schema()


def name_no_callers() -> None:
    """Keep dbt from looking at every module, twice for each process, for who asked for a flag."""
    flags = getattr(sys.modules.get("dbt_common.behavior_flags"), "BehaviorFlagRendered", None)
    if flags is not None:
        flags._default_source = staticmethod(lambda: "dbt")  # noqa: SLF001 - it offers no other way
