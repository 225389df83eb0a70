"""A small product in a warm process: ours, and plain Dagster assets that look at nothing.

All on instances in files, as people have them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any

from benchmarks.child import cpu_seconds
from benchmarks.contestants.ours import workspace
from benchmarks.work import SELECT

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def ours(source: str, times: int, *, kept: bool = True) -> Callable[[], Any]:
    """Prepare the product; the work publishes it several times.

    Args:
        source: a Parquet file.
        times: how often.
        kept: on the instance that `mesh` writes; else on Dagster's default.
    """
    import dataops_mesh.quality.session  # noqa: F401 - Great Expectations, as in a warm process
    from dataops_mesh import load_domain
    from dataops_mesh.store.release import latest
    from dataops_mesh.store.store import open_store

    root = workspace(source)
    job = load_domain(root / "domains" / "sales").resolve_implicit_global_asset_job_def()
    instance = _instance(kept=kept)

    def once() -> None:
        job.execute_in_process(instance=instance, run_config=QUIET)

    def rows() -> int:
        return sum(entry.rows for entry in latest(open_store(root / ".mesh/store")).ports.values())

    return lambda: _measured(once, times, rows)


def plain(
    source: str, times: int, *, results: bool = False, kept: bool = False
) -> Callable[[], Any]:
    """Prepare the asset; the work materializes it several times.

    Args:
        source: a Parquet file.
        times: how often.
        results: whether it also reports one result for each check that ours has; all pass, and
            nothing is looked at. What that takes, Dagster needs to store them.
        kept: on the instance that `mesh` writes; else on Dagster's default.
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
    instance = _instance(kept=kept)

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


def _instance(*, kept: bool) -> Any:
    """Make an instance in files: as `mesh` writes it, or Dagster's default."""
    import dagster as dg

    from dataops_mesh.factory.instance import DAGSTER_YAML, OLD_YAML

    home = Path(mkdtemp())
    (home / "dagster.yaml").write_text(DAGSTER_YAML if kept else OLD_YAML, "utf-8")
    return dg.DagsterInstance.from_config(str(home))


def _measured(once: Callable[[], None], times: int, rows: Callable[[], int]) -> Any:
    """Return the median of all but the first times, and what was published."""
    once()
    seconds, computed = [], []
    for _ in range(times):
        started, spent = time.perf_counter(), cpu_seconds()
        once()
        seconds.append(time.perf_counter() - started)
        computed.append(cpu_seconds() - spent)
    return {"seconds": median(seconds), "cpu_seconds": median(computed), "rows": rows()}
