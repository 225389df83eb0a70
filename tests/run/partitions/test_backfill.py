"""A backfill killed half way and resumed: every partition once, none torn."""

import os
import signal
import subprocess
import sys
import time

import pytest
from dagster import DagsterInstance

from dataops_mesh.store.log import latest
from tests.helpers import (
    a_contract,
    a_product,
    a_setting,
    environment,
    product,
    read,
    write_workspace,
)

DAYS = 365 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 10
ROWS = 50


def daily(tmp_path):
    columns = [
        "{name: id, logicalType: integer, primaryKey: true}",
        "{name: day, logicalType: date, primaryKey: true, partitioned: true}",
    ]
    cut = "customProperties:\n" + a_setting("partitions", "{cadence: daily, start: '2020-01-01'}")
    files = {
        "events.sql": (
            f"select i as id, partition_start() as day from range({ROWS}) t(i)"
            " where partition_end() > partition_start()"
        )
    }
    events = a_product({"events": a_contract("events", columns) + cut}, files=files)
    month, day = divmod(DAYS - 1, 28)
    last = f"2020-{month + 1:02}-{day + 1:02}" if DAYS < 300 else "2020-12-30"
    settings = write_workspace(
        tmp_path, {"shop": {"events": events}}, settings=f'now = "{last}T12:00:00Z"\n'
    )
    domain = tmp_path / "domains" / "shop" / "definitions.py"
    domain.write_text("from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n")
    return settings


def start(settings):
    names = {"PYTHONPATH": os.pathsep.join(sys.path)}
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DATAOPS_MESH_", "DAGSTER_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "dataops_mesh.cli.main", "run"],
        cwd=settings.root,
        env={**clean, **names, "DAGSTER_DISABLE_TELEMETRY": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def published(settings):
    address = product(settings, "shop.events").outputs[0].address
    entry = latest(environment(settings).store).ports.get(address)
    return {part.key: part.publication for part in entry.parts} if entry else {}


def rows_by_day(settings):
    if not published(settings):
        return []
    return read(settings, "select day, count(*) from shop.events group by day")


@pytest.mark.timeout(3600 if DAYS > 100 else 400)
def test_a_backfill_killed_half_way_goes_on_where_it_stopped(tmp_path):
    settings = daily(tmp_path)
    with start(settings) as killed:
        try:
            wait_for(settings, killed, DAYS // 2)
        finally:
            os.killpg(killed.pid, signal.SIGKILL)
    before = published(settings)
    assert DAYS // 2 <= len(before) < DAYS
    with start(settings) as resumed:
        _, told = resumed.communicate(timeout=3000)
    assert resumed.returncode == 0, told.decode()
    with DagsterInstance.from_config(str(settings.dagster_folder)) as instance:
        ended = [run.status.value for run in instance.get_runs()]
    assert ended.count("FAILURE") <= 1  # the run that was killed, if it came during one
    assert set(ended) <= {"FAILURE", "SUCCESS"}  # and nothing is left running
    after = published(settings)
    assert len(after) == DAYS
    # Nothing that was published before the kill was built a second time.
    assert {key: after[key] for key in before} == before
    assert sorted(after.values()) == list(range(1, DAYS + 1))
    assert all(count == ROWS for _, count in rows_by_day(settings))


def wait_for(settings, running, partitions):
    deadline = time.monotonic() + (3_000 if DAYS > 100 else 300)
    while len(published(settings)) < partitions:
        assert running.poll() is None, running.stderr.read().decode()
        assert time.monotonic() < deadline
        assert all(count == ROWS for _, count in rows_by_day(settings))
        time.sleep(0.2)
