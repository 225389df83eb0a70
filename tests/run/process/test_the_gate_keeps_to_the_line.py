"""The gate publishes to the line that its caller says, and to no other by mistake."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from helpers import a_product, a_source, product, write_workspace

from dataops_mesh.errors import SettingsError, UnknownNameError
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.process import client
from dataops_mesh.run.process.client import gate_run, stop_gate
from dataops_mesh.run.process.wire import Request
from dataops_mesh.run.process.work import request_of, settings_of
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.opening import NOBODY, close, open_sandbox
from dataops_mesh.store.log import latest_number
from dataops_mesh.transform.walls import walls_of

SHARED = "known"


@pytest.fixture
def shop(tmp_path):
    orders = a_product(
        ports={"orders": ("{name: id, logicalType: integer}",)},
        inputs=[a_source("src", "orders.csv")],
        files={"orders.sql": "select id from src", "orders.csv": "id\n1\n"},
    )
    return write_workspace(tmp_path, {"shop": {"orders": orders}})


@pytest.fixture
def line(shop):
    store = open_environment(shop).store
    until = datetime.now(UTC) + timedelta(days=1)
    return open_sandbox(store, "x", Asked("ana", "", NOBODY), until)[0]


def gate(settings, run_id="r1"):
    found = product(settings, "shop.orders")
    return gate_run(found, settings, all_checks(found, walls_of(settings)), run_id=run_id)


def test_a_gate_that_runs_already_publishes_where_each_caller_says(shop, line):
    assert gate(shop).publication == 1
    inside = shop.model_copy(update={"sandbox": "x"})
    assert gate(inside, "r2").publication == 2
    assert latest_number(line.production) == 1
    assert latest_number(line) == 2
    assert gate(shop, "r3").publication == 2
    assert latest_number(line) == 2


def test_a_gate_starts_where_somebody_works_in_a_sandbox(shop, line, monkeypatch):
    """It tries a product of its own first, in a store that knows no such sandbox."""
    stop_gate()
    monkeypatch.setenv("DATAOPS_MESH_SANDBOX", line.line.partition("/")[2])
    inside = shop.model_copy(update={"sandbox": "x"})
    assert gate(inside).publication == 2
    assert latest_number(line.production) == 0
    stop_gate()


def test_a_line_that_is_gone_is_refused_and_production_is_not_used(shop, line, monkeypatch):
    gone = shop.model_copy(update={"sandbox": line.line.partition("/")[2]})
    close(line, Asked("ana", "", NOBODY))
    with pytest.raises(UnknownNameError):
        gate(gone)
    # Also when the caller does not look itself.
    monkeypatch.setattr(client, "store_of", lambda _: line)
    with pytest.raises(UnknownNameError):
        gate(gone)
    assert latest_number(line.production) == 0


def test_who_says_no_line_is_not_understood(shop):
    request = asdict(Request("run", str(shop.root), "f", "r", "production", token=SHARED))
    assert request_of(json.dumps(request).encode(), SHARED).line == "production"
    del request["line"]
    with pytest.raises(SettingsError, match="words it does not know"):
        request_of(json.dumps(request).encode(), SHARED)


@pytest.mark.parametrize(
    "line", ["", "sandboxes", "sandboxes/x", "../x", "sandboxes/../production"]
)
def test_what_is_no_line_is_refused(shop, line):
    open_environment(shop)
    request = Request("run", str(shop.root), "f", "r", line, token=SHARED)
    with pytest.raises((SettingsError, UnknownNameError)):
        settings_of(request, "ana")
