"""A run that leaves no candidate is on record all the same: cancelled, killed, or never begun."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import (
    a_product,
    a_source,
    environment,
    product,
    product_status,
    write_product,
    write_workspace,
)
from test_gate_process import FOREVER, KEY, gate, orders

from dataops_mesh.errors import DeclarationError, RunError
from dataops_mesh.run.process import client
from dataops_mesh.run.record import product_history

MESH = "from dataops_mesh.cli.main import main; main()"


def on_record(settings) -> list[tuple]:
    """Read the table with nothing of ours."""
    with sqlite3.connect(settings.store_folder / "ledger.sqlite") as connection:
        if not connection.execute("select 1 from sqlite_master where name = 'attempts'").fetchall():
            return []
        return connection.execute(
            "select product, partition, outcome, why, publication, person from attempts"
        ).fetchall()


@pytest.fixture
def endless(tmp_path):
    return write_workspace(tmp_path, {"shop": {"orders": orders(sql=FOREVER, columns=[KEY])}})


def _mesh_run(settings) -> subprocess.Popen:
    """Type `mesh run` in a process of its own and wait until the transform is under way."""
    path = os.pathsep.join([str(Path(__file__).parents[3]), *sys.path])
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DATAOPS_", "DAGSTER_"))}
    typed = subprocess.Popen(
        [sys.executable, "-c", MESH, "run"],
        cwd=settings.root,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**clean, "PYTHONPATH": path, "DAGSTER_DISABLE_TELEMETRY": "1"},
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(settings.store_folder.glob("candidates/*/*/*/")):
        time.sleep(0.1)
    time.sleep(1)
    return typed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_mesh_run_is_in_the_history_with_its_person(endless, number):
    typed = _mesh_run(endless)
    typed.send_signal(number)
    assert typed.wait(30) == 130
    row = ("shop.orders", "", "cancelled", "before anything was published", None, "ana")
    assert on_record(endless) == [row]
    (event,) = product_history(environment(endless), "shop.orders", 10)
    assert (event.what, event.person, event.publication) == ("cancelled", "ana", None)
    assert event.seconds > 0.5
    assert product_status(environment(endless))["shop.orders"].last_verdict == "cancelled"


def test_a_run_whose_caller_was_killed_is_a_failure_and_no_cancel(endless):
    typed = _mesh_run(endless)
    typed.kill()
    typed.wait()
    until = time.monotonic() + 30
    while time.monotonic() < until and not on_record(endless):
        time.sleep(0.1)
    ((_, _, outcome, why, _, _),) = on_record(endless)
    assert (outcome, why) == (
        "failed",
        "its caller went away, before anything was published",
    )


def test_a_run_whose_process_was_killed_is_on_record_before_the_caller_is_told(endless):
    def tell(stage) -> None:
        if stage.startswith("building"):
            server = client._own[0].process.pid
            for child in Path(f"/proc/{server}/task/{server}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)

    with pytest.raises(RunError, match="exit status -9"):
        gate(endless, progress=tell)
    ((_, _, outcome, why, _, _),) = on_record(endless)
    assert (outcome, "exit status -9" in why) == ("failed", True)


def test_a_cancel_after_the_commit_names_the_publication_if_it_was_one(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})

    def tell(stage) -> None:
        if stage.startswith("published"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gate(settings, progress=tell)
    events = product_history(environment(settings), "shop.orders", 10)
    assert [e.publication for e in events if e.what == "published"] == [1]
    # The run may have been over when the cancel came; then there was nothing to cancel.
    cancelled = [(e.publication, e.reasons) for e in events if e.what == "cancelled"]
    assert cancelled in ([], [(1, ("after publication 1",))])


def test_what_fails_before_it_builds_is_on_record(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    found = product(settings, "shop.orders")
    more = orders(columns=(KEY, "{name: amount, logicalType: integer, required: true}"))
    write_product(tmp_path, "shop", "orders", more)
    with pytest.raises(DeclarationError, match="reload the code location"):
        gate(settings, product=found)
    ((name, _, outcome, why, _, person),) = on_record(settings)
    assert (name, outcome, person) == ("shop.orders", "failed", "ana")
    assert "was changed after this code location was loaded" in why


def test_a_run_that_left_a_candidate_has_no_second_line(tmp_path):
    broken = a_product(
        {"orders": [KEY]},
        inputs=[a_source("src", "none.csv")],
        files={"orders.sql": "select id from src"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": broken}})
    with pytest.raises(Exception, match=r"none\.csv"):
        gate(settings)
    assert on_record(settings) == []
    assert [e.what for e in product_history(environment(settings), "shop.orders", 10)] == ["error"]
