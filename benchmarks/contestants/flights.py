"""The whole flights mesh: `mesh run`; through Dagster in one process; as it is usually built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

REPOSITORY = Path(__file__).parents[2]
PORTS = (
    "network.airlines",
    "network.airports",
    "fleet.aircraft",
    "weather.observations",
    "operations.flights",
    "punctuality.by_route",
    "punctuality.delays_by_weather",
)
FLIGHTS = "operations.flights"
MONTHS = [f"2013-{month:02}-01" for month in range(1, 13)]


def mesh_run() -> Callable[[], Any]:
    """Prepare a copy of the example; the work is `mesh run`, as a whole process."""
    root = _copy()

    def work() -> Any:
        _start([sys.executable, "-m", "dataops_mesh.cli.main", "run"], root)
        return _published(root)

    return work


def in_process() -> Callable[[], Any]:
    """Prepare a copy of the example; the work runs the domains' Dagster jobs in one process."""
    root = _copy()

    def work() -> Any:
        _start([sys.executable, "-m", "benchmarks.contestants.flights"], root)
        return _published(root)

    return work


def usual(by: str) -> Callable[[], Any]:
    """Prepare a folder; the work is Dagster's command line, with the default executor.

    Args:
        by: `month`, a run for each month as ours has it; or `year`, all in one run.
    """
    folder = Path(mkdtemp())
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n", "utf-8")
    project = str(Path(__file__).with_name("usual_project.py"))
    dagster = [sys.executable, "-m", "dagster"]
    given = {"DAGSTER_HOME": str(folder), "USUAL_OUTPUT": str(folder), "USUAL_BY": by}

    def materialize(ports: tuple[str, ...], *more: str) -> None:
        select = ",".join(f'key:"{port}"' for port in ports)
        command = [*dagster, "asset", "materialize", "-f", project, "--select", select, *more]
        _start(command, REPOSITORY, given)

    def work() -> Any:
        if by == "year":
            _start([*dagster, "job", "execute", "-f", project, "-j", "all"], REPOSITORY, given)
            return {port: f"{folder}/{port}.parquet" for port in PORTS}
        materialize(PORTS[:4])
        for month in MONTHS:
            materialize((FLIGHTS,), "--partition", month)
        materialize(PORTS[5:])
        whole = {port: f"{folder}/{port}.parquet" for port in PORTS}
        return {**whole, FLIGHTS: f"{folder}/{FLIGHTS}/*.parquet"}

    return work


def run_jobs(root: Path) -> None:
    """Run every active product through the jobs of its domain, in this process."""
    import dagster as dg

    from dataops_mesh import load_domain
    from dataops_mesh.factory.instance import open_instance
    from dataops_mesh.settings import load_settings

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with open_instance(load_settings(root)) as instance:
        for port in PORTS[:-1]:  # the last two are one step
            domain, _, name = port.partition(".")
            definitions = load_domain(root / "domains" / domain)
            key = dg.AssetKey([domain, name])
            job = definitions.resolve_implicit_global_asset_job_def()
            pieces: list[str | None] = [*MONTHS] if port == FLIGHTS else [None]
            for piece in pieces:
                job.execute_in_process(
                    instance=instance,
                    asset_selection=sorted(definitions.resolve_assets_def(key).keys),
                    partition_key=piece,
                    run_config=quiet,
                )


def _copy() -> Path:
    root = Path(mkdtemp())
    for name in ("domains", "dbt_projects", "pyproject.toml", "policies.yaml"):
        source = REPOSITORY / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("target", "logs", "__pycache__")
            shutil.copytree(source, root / name, ignore=ignored)
        else:
            shutil.copyfile(source, root / name)
    return root


def _start(command: list[str], folder: Path, given: dict[str, str] | None = None) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **(given or {})}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}\n{done.stdout[-1500:]}{done.stderr[-1500:]}")


def _published(root: Path) -> dict[str, str]:
    """Return the view of each port in its domain's catalog."""
    catalogs = f"{root}/.mesh/store/catalogs"
    domains = {port: port.partition(".") for port in PORTS}
    return {port: f"{catalogs}/{one}.duckdb::{name}" for port, (one, _, name) in domains.items()}


if __name__ == "__main__":
    run_jobs(Path.cwd())
