from __future__ import annotations

import os
import sys
from pathlib import Path

import dagster as dg
import pytest

sys.path.insert(0, str(Path(__file__).parent))
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


@pytest.fixture
def without_pauses(monkeypatch) -> None:
    """A step that is tried again waits for seconds; the one test of that asks for it."""
    monkeypatch.setenv("DATAOPS_MESH_RETRIES", "0")


@pytest.fixture
def instance():
    """A real instance that forgets at the end of the test."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def kept_instance(tmp_path):
    """A real instance that keeps runs, events and logs in files, as a server does."""
    from locations import local_instance

    (tmp_path / "dagster").mkdir()
    with local_instance(tmp_path / "dagster") as opened:
        yield opened


@pytest.fixture
def shop(tmp_path):
    """A workspace of one product that has not run yet."""
    from helpers import write_workspace
    from locations import GOOD, orders

    return write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}})


@pytest.fixture
def desk(tmp_path, instance):
    """A consumer in another location than its producer."""
    from desk import Desk
    from locations import GOOD, orders, totals

    return Desk(
        tmp_path,
        instance,
        {"shop": {"orders": orders(GOOD)}, "desk": {"totals": totals("shop.orders")}},
    )
