"""Ours: a declared product, run as a Dagster step; and its audit alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.work import EXPECTATIONS, SELECT, TYPES, Expectation, answer

LOGICAL = {"BIGINT": "integer", "DOUBLE": "number", "VARCHAR": "string", "TIMESTAMP": "timestamp"}
# The checks that a declaration stands for are named after the column and the promise.
NAMES = {"known": "required", "range": "range", "member": "enum", "length": "length"}
PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: urn:dataproduct:sales:lines
version: 1.0.0
status: active
inputPorts:
  - name: lineitem
    customProperties:
      - {property: source, vendor: dataops_mesh, value: {path: lineitem.parquet}}
"""


def product(source: str, memory_limit: str = "2GB") -> Callable[[], Any]:
    """Prepare the step of the product; the work builds, checks and publishes it."""
    import dagster as dg

    import dataops_mesh.quality.session  # noqa: F401 - Great Expectations, as in a warm process
    from dataops_mesh import load_domain
    from dataops_mesh.store.store import open_store

    root = workspace(source, memory_limit)
    definitions = load_domain(root / "domains" / "sales")
    job = definitions.resolve_implicit_global_asset_job_def()
    instance = dg.DagsterInstance.ephemeral()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

    def work() -> Any:
        job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)
        return _found(open_store(root / ".mesh" / "store"))

    return work


def python_memory(source: str, memory_limit: str) -> Callable[[], Any]:
    """Prepare the same step; its peak is what Python's own allocators held during the work."""
    import tracemalloc

    run = product(source, memory_limit)

    def work() -> Any:
        tracemalloc.start()
        try:
            return {**run(), "peak_mb": tracemalloc.get_traced_memory()[1] / 1024**2}
        finally:
            tracemalloc.stop()

    return work


def checking(source: str) -> Callable[[], Any]:
    """Prepare the view; the work is the audit that the gate asks for."""
    import duckdb

    import dataops_mesh.quality.session  # noqa: F401 - Great Expectations, as in a warm process
    from dataops_mesh.quality import Relation, audit
    from dataops_mesh.spec.checks.derive import derive_checks
    from dataops_mesh.spec.loader import load_mesh

    (declared,) = load_mesh(workspace(source)).products
    checks = derive_checks(declared)
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"CREATE VIEW lines AS FROM '{source}'")

    def work() -> Any:
        results = audit(connection, Relation(None, "lines", ()), checks, candidate="")
        return answer("", _passed({result.check: result.outcome.value for result in results}))

    return work


def workspace(source: str, memory_limit: str = "2GB") -> Path:
    """Write the workspace of the product into a new folder."""
    root = Path(mkdtemp())
    settings = f'[tool.dataops_mesh]\nmemory_limit = "{memory_limit}"\nperson = "benchmark"\n'
    (root / "pyproject.toml").write_text(settings, "utf-8")
    folder = root / "domains" / "sales" / "lines"
    folder.mkdir(parents=True)
    (folder / "product.odps.yaml").write_text(PRODUCT, "utf-8")
    (folder / "lines.odcs.yaml").write_text(contract(), "utf-8")
    (folder / "lines.sql").write_text(SELECT.format(source="lineitem"), "utf-8")
    os.link(source, folder / "lineitem.parquet")
    return root


def contract() -> str:
    """Return the contract with the twenty expectations; JSON is YAML."""
    properties = [_property(name, kind) for name, kind in TYPES.items()]
    rules: list[dict[str, Any]] = []
    for one in EXPECTATIONS:
        rule: dict[str, Any] = {"id": one.name}
        if one.kind == "rows":
            rules.append({**rule, "metric": "rowCount", "mustBeGreaterOrEqualTo": one.low})
        elif one.kind == "unique":
            rule["arguments"] = {"properties": list(one.columns)}
            rules.append({**rule, "metric": "duplicateValues", "mustBe": 0})
        elif one.kind == "after":
            query = f"SELECT count(*) FROM {{object}} WHERE {one.columns[0]} <= {one.columns[1]}"
            rules.append({**rule, "type": "sql", "query": query, "mustBe": 0})
    schema = {"name": "lines", "properties": properties, "quality": rules}
    text = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "urn:datacontract:sales:lines",
        "version": "1.0.0",
        "status": "active",
        "schema": [schema],
    }
    return json.dumps(text, indent=1)


def _property(name: str, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "logicalType": LOGICAL[kind]}
    options: dict[str, Any] = {}
    for one in (one for one in EXPECTATIONS if one.columns == (name,)):
        match one.kind:
            case "known":
                found["required"] = True
            case "range":
                options |= {"minimum": one.low, "maximum": one.high}
            case "member":
                found["enum"] = [{"value": value} for value in one.values]
            case "length":
                options |= {"minLength": int(one.low or 0), "maxLength": int(one.high or 0)}
            case "pattern":
                options["pattern"] = one.pattern
    return {**found, "logicalTypeOptions": options} if options else found


def _found(store: Any) -> Any:
    """Return where the only candidate is, and what its manifest says of the expectations."""
    from dataops_mesh.store.manifest import folder, read_manifest
    from dataops_mesh.store.refs import all_refs

    (ref,) = all_refs(store)
    outcomes = {one.check: one.outcome.value for one in read_manifest(store, ref).results}
    return answer(f"{folder(store, ref)}/lines/*.parquet", _passed(outcomes))


def _passed(outcomes: dict[str, str]) -> dict[str, bool]:
    return {one.name: outcomes[_check(one)] == "passed" for one in EXPECTATIONS}


def _check(one: Expectation) -> str:
    if one.kind in {"rows", "unique", "after"}:
        return one.name
    return f"{one.column}_{NAMES.get(one.kind, one.kind)}"
