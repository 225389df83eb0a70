"""`kill -9` of a production run's process: the pool is free again and the run is tried again (A9)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
import yaml
from helpers import a_product, a_source, mesh, read, write_workspace
from ports import free_port

from dataops_mesh.factory.production import GATE, GATE_PROCESS, code_servers, write_production
from dataops_mesh.settings import Settings

FAMILY = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
STARTED = re.compile(r"pid: (\d+)")
PATIENCE = 200


SQL = """\
select seconds from rows
union all
select (sum(hash(a.range, b.range) % 2))::bigint as seconds
from (from rows where seconds > 0), range(1000000) a, range(10000000) b
having count(*) > 0
"""


def product(kind):
    """Return a product that builds for ever, until its source says 0."""
    code = (
        "import time\n\n\n"
        "def transform(rows):\n"
        "    time.sleep(int(rows.fetchall()[0][0]))\n"
        "    return rows\n"
    )
    return a_product(
        {"orders": ["{name: seconds, logicalType: integer}"]},
        inputs=[a_source("rows", "rows.csv")],
        files={
            **({"orders.sql": SQL} if kind == "sql" else {"transform.py": code}),
            "rows.csv": "seconds\n600\n",
        },
    )


class Started(NamedTuple):
    """Production, as it runs: `ask` asks for the run, `gate_again` is what a supervisor does."""

    settings: Settings
    instance: dg.DagsterInstance
    ask: Callable[[], dg.DagsterRun]
    gate: int
    gate_again: Callable[[], object]


@pytest.fixture(params=["python", "sql"])
def started(tmp_path, request):
    """The processes of the template, on Dagster's own SQLite, and with shorter intervals."""
    settings = write_workspace(tmp_path, {"shop": {"orders": product(request.param)}})
    (tmp_path / "domains" / "shop" / "definitions.py").write_text(FAMILY)
    found, first = mesh(settings), free_port()
    deploy = write_production(found, first)
    config = yaml.safe_load((deploy / "dagster.yaml").read_text())
    del config["storage"]
    config["run_monitoring"] |= {"poll_interval_seconds": 2, "free_slots_after_run_end_seconds": 1}
    (deploy / "dagster.yaml").write_text(yaml.safe_dump(config))
    here = str(Path(__file__).parents[2])
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(deploy),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")]),
        "DATAOPS_MESH_GATE": GATE,
    }
    with ExitStack() as stack:
        processes: list[subprocess.Popen] = []

        def start(name: str, *arguments: str) -> subprocess.Popen:
            log = stack.enter_context((tmp_path / f"{name}.log").open("w"))
            one = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            processes.append(one)
            return one

        def stop() -> None:
            for one in processes:
                with suppress(ProcessLookupError):
                    os.killpg(one.pid, signal.SIGKILL)
                one.wait(10)

        stack.callback(stop)
        workspace = str(deploy / "workspace.yaml")
        gate = start("gate", *GATE_PROCESS[3:])
        (server,) = code_servers(found, first)
        start("code", "dagster", "code-server", "start", *server.arguments)
        start("daemon", "dagster._daemon", "run", "-w", workspace)
        with dg.DagsterInstance.from_config(str(deploy)) as instance:
            yield Started(
                settings,
                instance,
                lambda: launch(start, workspace, instance),
                gate.pid,
                lambda: start("gate-again", *GATE_PROCESS[3:]),
            )


def launch(start, workspace, instance):
    """Ask for the job as often as the code server is not there yet; return the run."""
    for number in range(20):
        command = ("job", "launch", "-w", workspace, "-l", "shop", "-j", "shop")
        start(f"launch-{number}", "dagster", *command).wait(120)
        if runs := instance.get_runs():
            return runs[0]
        time.sleep(2)
    return pytest.fail("the run was never asked for")


def until(what, reached, root):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := reached():
            return found
        time.sleep(0.5)
    logs = "\n".join(f"== {f.name}\n{f.read_text()[-2500:]}" for f in root.glob("*.log"))
    return pytest.fail(f"{what} did not happen in {PATIENCE} s\n{logs}")


def process_of(instance, run_id):
    """Return the process of a run that is at work in its transform."""
    said = [str(entry.message) for entry in instance.all_logs(run_id)]
    if not any("building with" in text for text in said):
        return None
    return next((int(found[1]) for text in said if (found := STARTED.search(text))), None)


def assert_published_and_free(settings, instance):
    assert read(settings, "select seconds from shop.orders") == [(0,)]
    pool = instance.event_log_storage.get_concurrency_info("shop__orders")
    assert (pool.active_slot_count, pool.pending_step_count) == (0, 0)


@pytest.mark.timeout(480)
@pytest.mark.takes_long
def test_a_run_whose_process_was_killed_runs_again_by_itself(started):
    settings, instance, ask, _, _ = started
    first = ask()
    process = until("the build", lambda: process_of(instance, first.run_id), settings.root)
    (settings.root / "domains" / "shop" / "orders" / "rows.csv").write_text("seconds\n0\n")
    os.kill(process, signal.SIGKILL)
    succeeded = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])
    (second,) = until("the second run", lambda: instance.get_runs(succeeded), settings.root)
    assert second.parent_run_id == first.run_id
    assert instance.get_run_by_id(first.run_id).status is dg.DagsterRunStatus.FAILURE
    assert_published_and_free(settings, instance)


@pytest.mark.timeout(480)
@pytest.mark.takes_long
def test_a_run_whose_gate_was_killed_goes_on_once_the_gate_is_there_again(started):
    settings, instance, ask, gate, gate_again = started
    first = ask()
    until("the build", lambda: process_of(instance, first.run_id), settings.root)
    (settings.root / "domains" / "shop" / "orders" / "rows.csv").write_text("seconds\n0\n")
    os.kill(gate, signal.SIGKILL)
    gate_again()
    succeeded = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])
    (run,) = until("a run that succeeds", lambda: instance.get_runs(succeeded), settings.root)
    assert first.run_id in {run.run_id, run.parent_run_id}
    assert_published_and_free(settings, instance)
