"""A small product that a daemon runs: every process on the way is counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any

from benchmarks.child import cpu_seconds
from benchmarks.contestants.ours import workspace
from benchmarks.work import SELECT

REPOSITORY = Path(__file__).parents[2]
DEFS = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
PLAIN = """\
import dagster as dg
import duckdb

@dg.asset
def lines() -> None:
    with duckdb.connect() as con:
        con.execute({query!r}).fetchall()

defs = dg.Definitions(assets=[lines], jobs=[dg.define_asset_job("sales")])
"""
LOCATIONS = "load_from:\n  - python_file: {{relative_path: {}, location_name: sales}}\n"
PATIENCE = 300
TICKS = os.sysconf("SC_CLK_TCK")


def ours(source: str, times: int, *, kept: bool = True, warm: bool = False) -> Callable[[], Any]:
    """Prepare the product; the work launches it several times.

    Args:
        source: a Parquet file.
        times: how often.
        kept: on the instance that `mesh` writes; else on Dagster's default.
        warm: one gate runs already, as in production; else each run starts one.
    """
    from dataops_mesh.factory.instance import DAGSTER_YAML, OLD_YAML

    root = workspace(source)
    (root / "domains/sales/definitions.py").write_text(DEFS, "utf-8")
    (root / "workspace.yaml").write_text(LOCATIONS.format("domains/sales/definitions.py"), "utf-8")
    return lambda: _launched(root, DAGSTER_YAML if kept else OLD_YAML, times, warm=warm)


def plain(source: str, times: int) -> Callable[[], Any]:
    """Prepare an asset that writes the rows and checks nothing, on Dagster's default."""
    from dataops_mesh.factory.instance import OLD_YAML

    root = Path(mkdtemp())
    query = f"COPY ({SELECT.format(source=repr(source))}) TO '{root}/lines.parquet'"
    (root / "defs.py").write_text(PLAIN.format(query=query), "utf-8")
    (root / "workspace.yaml").write_text(LOCATIONS.format("defs.py"), "utf-8")
    return lambda: _launched(root, OLD_YAML, times)


def _launched(root: Path, config: str, times: int, *, warm: bool = False) -> Any:
    import dagster as dg

    home = root / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(config, "utf-8")
    environment = {**os.environ, "DAGSTER_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    command = ["job", "launch", "-w", "workspace.yaml", "--location", "sales", "-j", "sales"]
    seconds, computed = [], []
    with (
        _gate(root, environment) if warm else nullcontext() as gate,
        dg.DagsterInstance.from_config(str(home)) as instance,
        _daemon(root, environment) as pid,
    ):

        def spent_by_all() -> float:
            return cpu_seconds() + _of_session(pid) + (_of_session(gate) if gate else 0.0)

        for turn in range(times + 1):  # the first waits for the daemon and its code server
            started, spent = time.perf_counter(), spent_by_all()
            _dagster(command, root, environment).wait(PATIENCE)
            _wait_for(instance, turn + 1)
            seconds.append(time.perf_counter() - started)
            computed.append(spent_by_all() - spent)
        done = sum(run.status is dg.DagsterRunStatus.SUCCESS for run in instance.get_runs())
    return {"seconds": median(seconds[1:]), "cpu_seconds": median(computed[1:]), "runs": done}


def _wait_for(instance: Any, runs: int) -> None:
    """Wait until so many runs have ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if sum(run.is_finished for run in instance.get_runs()) >= runs:
            return
        time.sleep(0.2)
    raise RuntimeError(f"run {runs} did not end in {PATIENCE} s")


def _dagster(words: list[str], root: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with (root / "dagster.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dagster", *words],
            cwd=root, env=environment, stdout=log, stderr=log,
        )  # fmt: skip


@contextmanager
def _gate(root: Path, environment: dict[str, str]) -> Iterator[int]:
    """Start a gate for all, and have whoever starts later in this environment ask it."""
    socket = root / "gate.socket"
    with _session(["dataops_mesh.run.process.server", str(socket)], root, environment) as pid:
        environment["DATAOPS_MESH_GATE"] = str(socket)
        yield pid


@contextmanager
def _daemon(root: Path, environment: dict[str, str]) -> Iterator[int]:
    """Start a daemon."""
    words = ["dagster._daemon", "run", "-w", "workspace.yaml"]
    with _session(words, root, environment) as pid:
        yield pid


@contextmanager
def _session(words: list[str], root: Path, environment: dict[str, str]) -> Iterator[int]:
    """Start a module in a session of its own, and end all that is in it."""
    with (root / f"{words[0]}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield process.pid
    finally:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sign)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def _of_session(pid: int) -> float:
    """Return what the processes of a session computed, with those that they waited for."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text("utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == pid:
            ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS
