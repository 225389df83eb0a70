"""Domains in which nothing happens: the ticks of their sensors, and whole instances."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.child import cpu_seconds
from benchmarks.contestants.daemon import DEFS, REPOSITORY, _of_session
from benchmarks.meshes import write_mesh

PRODUCTS = 4  # of each domain
COLUMNS = 3
SETTLING = 6  # ticks, after which a sensor rests
PATIENCE = 900
EMPTY = """\
import dagster as dg

def nothing(name):
    @dg.sensor(
        name=name,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def look(context):
        return dg.SkipReason("nothing")

    return look

defs = dg.Definitions(sensors=[nothing("{0}_alerts"), nothing("{0}_automation")])
"""


def ours(ticks: int) -> Callable[[], Any]:
    """Prepare a domain that has published and rests; the work ticks both its sensors."""
    import dagster as dg

    root = _published(domains=1)
    from dataops_mesh import load_domain

    return _ticks(load_domain(root / "domains" / "domain_0"), _home(root), ticks, dg)


def empty(ticks: int) -> Callable[[], Any]:
    """Prepare two sensors that do nothing; the work ticks both."""
    import dagster as dg

    home = Path(mkdtemp()) / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", "utf-8")
    names: dict[str, Any] = {}
    exec(EMPTY.format("domain_0"), names)  # noqa: S102 - the text above
    return _ticks(names["defs"], home, ticks, dg)


def ours_served(locations: int, seconds: float) -> Callable[[], Any]:
    """Prepare domains that have published; the work waits while they are served and idle."""
    root = _published(domains=locations)
    files = [f"domains/domain_{n}/definitions.py" for n in range(locations)]
    return lambda: _served(root, _home(root), files, seconds)


def empty_served(locations: int, seconds: float) -> Callable[[], Any]:
    """Prepare code locations that have nothing but two empty sensors; the work is the same."""
    root = _published(domains=1)  # for its dagster.yaml
    files = [f"empty_{n}.py" for n in range(locations)]
    for number, file in enumerate(files):
        (root / file).write_text(EMPTY.format(f"domain_{number}"), "utf-8")
    return lambda: _served(root, _home(root), files, seconds)


def _published(domains: int) -> Path:
    root = Path(mkdtemp())
    write_mesh(root, domains * PRODUCTS, domains=domains, columns=COLUMNS)
    rows = "".join(f"{n},{n},{n},{n}\n" for n in range(100))
    for folder in root.glob("domains/*/*"):
        (folder / "source.csv").write_text(f"id,c0,c1,c2\n{rows}", "utf-8")
    for folder in root.glob("domains/*"):
        (folder / "definitions.py").write_text(DEFS, "utf-8")
    os.environ["DATAOPS_MESH_AUTOMATION"] = "true"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "dataops_mesh.cli.main", "run"]
    subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    return root


def _home(root: Path) -> Path:
    return root / ".mesh" / "dagster"


def _ticks(definitions: Any, home: Path, ticks: int, dg: Any) -> Callable[[], Any]:
    repository = definitions.get_repository_def()
    sensors = [repository.get_sensor_def(f"domain_0_{kind}") for kind in ("alerts", "automation")]
    cursors: dict[str, str | None] = {}
    instance = dg.DagsterInstance.from_config(str(home))

    def tick() -> None:
        for sensor in sensors:
            with dg.build_sensor_context(
                instance, cursors.get(sensor.name), repository_def=repository
            ) as context:
                cursors[sensor.name] = sensor.evaluate_tick(context).cursor

    for _ in range(SETTLING):
        tick()

    def work() -> Any:
        spent, started = cpu_seconds(), time.perf_counter()
        for _ in range(ticks):
            tick()
        passed = time.perf_counter() - started
        # Both are told for a pair of ticks, so that they do not depend on how many there were.
        return {
            "seconds": passed / ticks,
            "cpu_seconds": (cpu_seconds() - spent) / ticks,
            "ticks": ticks,
        }

    return work


def _served(root: Path, home: Path, files: list[str], seconds: float) -> Any:
    import dagster as dg

    with dg.DagsterInstance.from_config(str(home)) as instance:  # one makes the tables
        instance.all_instigator_state()
        instance.get_runs(limit=1)
    ports = [_free_port() for _ in files]
    locations = "".join(
        f"  - grpc_server: {{host: 127.0.0.1, port: {port}, location_name: location_{port}}}\n"
        for port in ports
    )
    (root / "served.yaml").write_text(f"load_from:\n{locations}", "utf-8")
    environment = {**os.environ, "DAGSTER_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    serve = ["dagster", "code-server", "start", "-h", "127.0.0.1"]
    commands = [
        [*serve, "-f", file, "--location-name", f"location_{port}", "-p", str(port)]
        for file, port in zip(files, ports, strict=True)
    ]
    commands.append(["dagster._daemon", "run", "-w", "served.yaml"])
    with _started(commands, root, environment) as pids:
        _wait_for(home, len(files) * 2 * SETTLING)
        before, started = sum(map(_of_session, pids)), time.perf_counter()
        time.sleep(seconds)
        passed = time.perf_counter() - started
        spent = (sum(map(_of_session, pids)) - before) / passed
    return {"seconds": spent, "cpu_seconds": spent, "locations": len(files)}


@contextmanager
def _started(
    commands: list[list[str]], root: Path, environment: dict[str, str]
) -> Iterator[list[int]]:
    """Start processes, each in a session of its own."""
    with (root / "served.log").open("w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True,
            )
            for command in commands
        ]  # fmt: skip
    try:
        yield [process.pid for process in processes]
    finally:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for process in processes:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            time.sleep(5)
        for process in processes:
            process.wait(10)


def _wait_for(home: Path, ticks: int) -> None:
    """Wait until the sensors have ticked so often."""
    file, end = home / "schedules" / "schedules.db", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(sqlite3.Error), sqlite3.connect(file) as database:
            query = "SELECT count(*) FROM job_ticks WHERE type = 'SENSOR' AND status <> 'STARTED'"
            if database.execute(query).fetchone()[0] >= ticks:
                return
        time.sleep(2)
    raise RuntimeError(f"the sensors did not tick {ticks} times in {PATIENCE} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
