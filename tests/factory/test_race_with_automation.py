"""`mesh run` and a tick of automation at the same moment: nothing is built twice."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from helpers import a_product, an_input, write_workspace
from locations import GOOD, execute, location, orders, rows

from dataops_mesh.run.process.client import gate_run


@pytest.fixture
def race(tmp_path, instance, monkeypatch):
    copy = a_product(
        {"copy": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[an_input("shop.orders")],
        files={"copy.sql": "select id from shop.orders"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}, "desk": {"copy": copy}})
    cursor = None

    def tick() -> set[dg.AssetKey]:
        nonlocal cursor
        found = dg.evaluate_automation_conditions(
            location(settings, "desk"),
            instance,
            asset_selection=dg.AssetSelection.all(),
            cursor=cursor,
        )
        cursor = found.cursor
        return set(found._requested_partitions_by_asset_key)

    asked = []
    assert execute(settings, "shop", instance).success

    def run(*arguments: Any, progress, **known: Any) -> Any:
        def tell(stage) -> None:
            progress(stage)
            if stage.startswith("building"):
                asked.append(tick())

        return gate_run(*arguments, progress=tell, **known)

    monkeypatch.setattr("dataops_mesh.factory.assets.gate_run", run)
    return settings, instance, tick, asked


def test_a_tick_during_a_run_does_not_ask_for_what_is_being_built(race):
    settings, instance, tick, asked = race
    assert execute(settings, "desk", instance).success
    assert asked == [set()]
    assert tick() == set()
    assert rows(settings, "select count(*) from desk.copy") == [(2,)]


def test_a_run_that_overtakes_one_that_was_asked_for_wakes_nobody_twice(race):
    settings, instance, tick, asked = race
    assert tick() == {dg.AssetKey(["desk", "copy"])}  # asked for, and waiting in the queue
    assert execute(settings, "desk", instance).success  # `mesh run` is faster
    late = execute(settings, "desk", instance)  # what was asked for builds the same again
    (event,) = late.get_asset_materialization_events()
    assert event.materialization.metadata["mesh/changed"].value is False
    assert asked == [set(), set()]
    assert tick() == set()
