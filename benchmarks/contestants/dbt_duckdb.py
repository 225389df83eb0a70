"""`dbt build` with the same tests, on dbt-duckdb, in a warm process with a parsed project."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.work import EXPECTATIONS, SELECT, Expectation, answer, offending

PROJECT = """\
name: bench
version: "1.0.0"
profile: bench
model-paths: [models]
test-paths: [tests]
flags: {send_anonymous_usage_stats: false, use_colors: false}
"""
# What a project would take from a package of tests, one macro for each.
GENERIC = """\
{% test offending(model, condition) %}
select * from {{ model }} where {{ condition }}
{% endtest %}
{% test unique_together(model, columns) %}
select {{ columns }} from {{ model }} group by {{ columns }} having count(*) > 1
{% endtest %}
{% test at_least(model, rows) %}
select 1 from (select count(*) as n from {{ model }}) where n < {{ rows }}
{% endtest %}
"""


def product(source: str) -> Callable[[], Any]:
    """Prepare the project; the work is `dbt build`."""
    folder = _project(SELECT.format(source=f"'{source}'"), "table")
    invoke = _runner(folder)

    def work() -> Any:
        return answer(f"{folder}/bench.duckdb::lines", _passed(invoke("build")))

    return work


def checking(source: str) -> Callable[[], Any]:
    """Prepare a view over the file; the work is `dbt test`."""
    folder = _project(f"select * from '{source}'", "view")
    invoke = _runner(folder)
    invoke("run")
    return lambda: answer("", _passed(invoke("test")))


def _project(query: str, kind: str) -> Path:
    folder = Path(mkdtemp())
    for name in ("models", "tests/generic"):
        (folder / name).mkdir(parents=True)
    profile = {"type": "duckdb", "path": f"{folder}/bench.duckdb", "threads": 1}
    profiles = {"bench": {"target": "bench", "outputs": {"bench": profile}}}
    tests: list[Any] = [_test(one) for one in EXPECTATIONS if one.kind not in {"known", "member"}]
    columns: dict[str, list[Any]] = {}
    for one in EXPECTATIONS:
        if one.kind == "known":
            columns.setdefault(one.column, []).append({"not_null": {"name": one.name}})
        elif one.kind == "member":
            given = {"name": one.name, "arguments": {"values": list(one.values)}}
            columns.setdefault(one.column, []).append({"accepted_values": given})
    described = [{"name": name, "data_tests": found} for name, found in columns.items()]
    model = {"name": "lines", "columns": described, "data_tests": tests}
    texts = {
        "dbt_project.yml": PROJECT,
        "profiles.yml": json.dumps(profiles),
        "tests/generic/bench.sql": GENERIC,
        "models/lines.sql": f"{{{{ config(materialized='{kind}') }}}}\n{query}",
        "models/lines.yml": json.dumps({"version": 2, "models": [model]}),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def _test(one: Expectation) -> dict[str, Any]:
    if one.kind == "rows":
        return {"at_least": {"name": one.name, "arguments": {"rows": int(one.low or 0)}}}
    if one.kind == "unique":
        columns = ", ".join(one.columns)
        return {"unique_together": {"name": one.name, "arguments": {"columns": columns}}}
    return {"offending": {"name": one.name, "arguments": {"condition": offending(one)}}}


def _runner(folder: Path) -> Callable[[str], Any]:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    where = ["--project-dir", str(folder), "--profiles-dir", str(folder), "--quiet"]
    manifest = dbtRunner().invoke(["parse", *where]).result
    runner = dbtRunner(manifest=manifest)

    def invoke(command: str) -> Any:
        found = runner.invoke([command, *where]).result
        DuckDBConnectionManager.close_all_connections()  # so that others can read the file
        return found

    return invoke


def _passed(results: Any) -> dict[str, bool]:
    return {
        one.node.name: one.status == "pass" for one in results if one.node.resource_type == "test"
    }
