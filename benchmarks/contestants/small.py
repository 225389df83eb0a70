"""A small product in a warm process: ours, and plain Dagster assets that look at nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any

from benchmarks.contestants.ours import workspace
from benchmarks.work import SELECT

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def ours(source: str, times: int) -> Callable[[], Any]:
    """Prepare the product; the work publishes it several times."""
    import dagster as dg

    import dataops_mesh.quality.session  # noqa: F401 - Great Expectations, as in a warm process
    from dataops_mesh import load_domain
    from dataops_mesh.store.release import latest
    from dataops_mesh.store.store import open_store

    root = workspace(source)
    job = load_domain(root / "domains" / "sales").resolve_implicit_global_asset_job_def()
    instance = dg.DagsterInstance.ephemeral()

    def once() -> None:
        job.execute_in_process(instance=instance, run_config=QUIET)

    def rows() -> int:
        return sum(entry.rows for entry in latest(open_store(root / ".mesh/store")).ports.values())

    return lambda: _measured(once, times, rows)


def plain(source: str, times: int, *, results: bool = False) -> Callable[[], Any]:
    """Prepare the asset; the work materializes it several times.

    Args:
        source: a Parquet file.
        times: how often.
        results: whether it also reports one result for each check that ours has; all pass, and
            nothing is looked at. What that takes, Dagster needs to store them.
    """
    import dagster as dg
    import duckdb

    file = Path(mkdtemp()) / "lines.parquet"
    names = _checks(source) if results else []

    @dg.asset(check_specs=[dg.AssetCheckSpec(name, asset="lines") for name in names])
    def lines() -> Iterator[Any]:
        with duckdb.connect() as con:
            query = SELECT.format(source=f"'{source}'")
            con.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet)").fetchall()
        found = [dg.AssetCheckResult(passed=True, check_name=name) for name in names]
        yield dg.MaterializeResult(check_results=found)

    job = dg.Definitions(assets=[lines]).resolve_implicit_global_asset_job_def()
    instance = dg.DagsterInstance.ephemeral()

    def once() -> None:
        job.execute_in_process(instance=instance, run_config=QUIET)

    def rows() -> int:
        with duckdb.connect() as con:
            return int(con.execute(f"SELECT count(*) FROM '{file}'").fetchall()[0][0])

    return lambda: _measured(once, times, rows)


def _checks(source: str) -> list[str]:
    from dataops_mesh.spec.checks.derive import derive_checks
    from dataops_mesh.spec.loader import load_mesh

    (product,) = load_mesh(workspace(source)).products
    return [check.name for check in derive_checks(product)]


def _measured(once: Callable[[], None], times: int, rows: Callable[[], int]) -> Any:
    """Return the median of all but the first times, and what was published."""
    once()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - started)
    return {"seconds": median(seconds), "rows": rows()}
