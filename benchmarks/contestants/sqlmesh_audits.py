"""SQLMesh with the same audits. Runs in an environment of its own: its pins exclude ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.work import EXPECTATIONS, SELECT, Expectation, answer, offending

CONFIG = """\
gateways:
  local:
    connection: {{type: duckdb, database: {folder}/bench.duckdb}}
default_gateway: local
model_defaults: {{dialect: duckdb, start: 2020-01-01}}
"""
AUDIT = "AUDIT (name {name}, blocking {blocking});\n{query};\n"


def product(source: str, *, blocking: bool = True) -> Callable[[], Any]:
    """Prepare the project; the work is `sqlmesh plan --auto-apply`: build, audit, promote.

    Args:
        source: the order lines.
        blocking: false for flawed data, of which every audit shall tell.
    """
    from sqlmesh import Context
    from sqlmesh.core.console import NoopConsole, set_console

    folder = Path(mkdtemp())
    _write(folder, source, blocking=blocking)
    failed: set[str] = set()

    class Listening(NoopConsole):  # type: ignore[misc]  # SQLMesh is not installed where mypy runs
        """Remembers the audits that failed, and prints nothing."""

        def show_warnings(self, *_: Any, **__: Any) -> None:
            """Print nothing."""

        def log_warning(self, short_message: str, *args: Any, **_: Any) -> None:
            """Remember the audit that a warning is about."""
            said = " ".join([short_message, *map(str, args)])
            failed.update(one.name for one in EXPECTATIONS if f"audit_{one.name}'" in said)

    set_console(Listening())
    context = Context(paths=[str(folder)])

    def work() -> Any:
        context.plan(auto_apply=True, no_prompts=True)
        passed = {one.name: one.name not in failed for one in EXPECTATIONS}
        return answer(f"{folder}/bench.duckdb::sales.lines", passed)

    return work


def _write(folder: Path, source: str, *, blocking: bool) -> None:
    for name in ("models", "audits"):
        (folder / name).mkdir()
    (folder / "config.yaml").write_text(CONFIG.format(folder=folder), "utf-8")
    for one in EXPECTATIONS:
        said = str(blocking).lower()
        text = AUDIT.format(name=f"audit_{one.name}", blocking=said, query=_query(one))
        (folder / "audits" / f"{one.name}.sql").write_text(text, "utf-8")
    audits = ", ".join(f"audit_{one.name}" for one in EXPECTATIONS)
    model = f"MODEL (name sales.lines, kind FULL, audits ({audits}));\n"
    query = SELECT.format(source=f"read_parquet('{source}')")
    (folder / "models" / "lines.sql").write_text(model + query, "utf-8")


def _query(one: Expectation) -> str:
    """Return the rows that break the expectation."""
    if one.kind == "rows":
        return f"SELECT 1 FROM (SELECT count(*) AS n FROM @this_model) AS c WHERE n < {one.low}"
    if one.kind == "unique":
        keys = ", ".join(one.columns)
        return f"SELECT {keys} FROM @this_model GROUP BY {keys} HAVING count(*) > 1"
    return f"SELECT * FROM @this_model WHERE {offending(one)}"
