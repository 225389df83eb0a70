"""A publication wakes its consumers, once, and nothing else does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from desk import DAILY, TOTALS, Desk
from helpers import a_setting, a_source, an_input, write_product, write_workspace
from locations import (
    BAD,
    GOOD,
    MORE,
    a_contract,
    a_product,
    execute,
    location,
    orders,
    totals,
    write_dbt_product,
)


def test_nothing_wakes_before_the_first_publication(desk):
    assert desk.tick() == set()
    assert not desk.deliver(BAD).success
    assert desk.tick() == set()


def test_a_publication_wakes_a_consumer_in_another_location_once(desk):
    desk.deliver(GOOD)
    assert desk.tick() == {TOTALS}
    assert desk.tick() == set()
    desk.build()
    assert desk.tick() == set()


def test_a_refusal_wakes_nobody(desk):
    desk.deliver(GOOD)
    desk.build()
    assert not desk.deliver(BAD).success
    assert desk.tick() == set()


def test_the_same_content_again_is_on_record_and_wakes_nobody(desk):
    desk.deliver(GOOD)
    desk.build()
    desk.tick()
    result = desk.deliver(GOOD)
    (event,) = result.get_asset_materialization_events()
    changed = event.materialization.metadata["mesh/changed"]
    assert changed.value is False
    assert desk.tick() == set()


def test_new_content_wakes_again(desk):
    desk.deliver(GOOD)
    desk.build()
    desk.tick()
    desk.deliver(MORE)
    assert desk.tick() == {TOTALS}


def test_a_publication_while_the_consumer_runs_is_not_forgotten(desk):
    # Dagster's own `since_last_handled` forgets it: the end of the run resets the trigger.
    desk.deliver(GOOD)
    assert desk.tick() == {TOTALS}
    read_before = execute_after(desk, lambda: desk.deliver(MORE))
    assert read_before
    assert desk.tick() == {TOTALS}


def execute_after(desk, deliver):
    """Publish new content after the consumer's run pinned its inputs and before it ends."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.product import run_product
    from dataops_mesh.spec.loader import load_product

    product = load_product(desk.settings.domains_folder / "desk" / "totals", desk.root)
    seen = []

    def during(stage) -> None:
        if stage.startswith("building") and not seen:
            seen.append(deliver().success)

    run_product(product, open_environment(desk.settings), run_id="slow", progress=during)
    return seen == [True]


def test_what_mesh_run_has_built_is_not_built_again(desk):
    desk.deliver(GOOD)
    desk.build()
    assert desk.tick() == set()
    desk.deliver(MORE)
    desk.build()
    assert desk.tick() == set()


def test_a_consumer_that_refused_its_input_waits_for_other_content(desk, tmp_path):
    strict = a_product(
        ports={"totals": a_contract("totals", ["{name: n, logicalType: integer, logicalTypeOptions: {minimum: 3}}"])},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )  # fmt: skip
    write_product(tmp_path, "desk", "totals", strict)
    desk.deliver(GOOD)
    assert desk.tick() == {TOTALS}
    assert not execute(desk.settings, "desk", desk.instance).success
    assert desk.tick() == set()
    assert desk.tick() == set()
    desk.deliver(MORE)
    assert desk.tick() == {TOTALS}


@pytest.mark.parametrize("setting", ["manual", "onSchedule"])
def test_a_setting_keeps_a_product_from_being_woken_by_its_inputs(tmp_path, instance, setting):
    product = a_product(
        ports={"totals": a_contract("totals", ["{name: n, logicalType: integer}"], extra=DAILY)},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select count(*) as n from shop.orders"},
        settings=a_setting("automation", setting),
    )
    desk = Desk(tmp_path, instance, {"shop": {"orders": orders(GOOD)}, "desk": {"totals": product}})
    desk.deliver(GOOD)
    assert desk.tick() == set()


# Five o'clock in New York is 09:00 UTC in summer and 10:00 in winter.
@pytest.mark.parametrize(
    ("zone", "five"),
    [("", "2026-03-01T05:00"), ("America/New_York", "2026-03-07T10:00"),
     ("America/New_York", "2026-03-09T09:00")],
)  # fmt: skip
def test_a_source_is_read_when_its_cron_ticks_and_only_then(tmp_path, instance, zone, five):
    extra = DAILY + ("customProperties:\n" + a_setting("timezone", zone) if zone else "")
    product = a_product(
        ports={"orders": a_contract("orders", ["{name: n, logicalType: integer}"], extra=extra)},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select n from csv", "o.csv": "n\n1\n"},
    )
    desk = Desk(tmp_path, instance, {"shop": {"orders": product}})
    night = datetime.fromisoformat(f"{five}Z") - timedelta(minutes=10)
    ticks = [desk.tick("shop", night + timedelta(minutes=m)) for m in (0, 5, 15, 20)]
    assert ticks == [set(), set(), {dg.AssetKey(["shop", "orders"])}, set()]


def test_all_models_of_a_dbt_product_are_asked_for_together(tmp_path, instance):
    desk = Desk(tmp_path, instance, {"shop": {"orders": orders(GOOD)}})
    write_dbt_product(tmp_path, kinds=2)
    desk.deliver(GOOD)
    assert desk.tick("dots") == {
        dg.AssetKey(["dots", "kinds"]),
        dg.AssetKey(["dots", "dots", "stg_orders"]),
    }


@pytest.mark.parametrize("status", ["proposed", "draft"])
def test_a_product_that_is_not_active_is_never_woken(tmp_path, instance, status):
    content = totals("shop.orders")
    content["product.odps.yaml"] += f"status: {status}\n"
    desk = Desk(tmp_path, instance, {"shop": {"orders": orders(GOOD)}, "desk": {"totals": content}})
    defs = location(desk.settings, "desk")
    assert [sensor.name for sensor in defs.sensors or []] == ["desk_alerts"]


@pytest.mark.parametrize(("automation", "expected"), [("false", "STOPPED"), ("true", "RUNNING")])
def test_sensors_run_in_production_and_rest_on_a_laptop(tmp_path, automation, expected):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders(GOOD)}}, settings=f"automation = {automation}\n"
    )
    defs = location(settings, "shop")
    assert {sensor.default_status.value for sensor in defs.sensors} == {expected}
    assert {schedule.default_status.value for schedule in defs.schedules or []} <= {expected}


def test_a_verdict_is_never_tried_again(tmp_path, instance, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_RETRIES", "2")
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(BAD)}})
    result = execute(settings, "shop", instance)
    assert not result.success
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


def test_a_fault_of_the_machinery_is_tried_again(tmp_path, instance, monkeypatch):
    from dataops_mesh.factory import assets
    from dataops_mesh.run.process import client

    monkeypatch.setenv("DATAOPS_MESH_RETRIES", "1")
    monkeypatch.setattr(assets, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(assets, "gate_run", _killed_once(assets.gate_run, client))
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}})
    result = execute(settings, "shop", instance)
    assert result.success
    assert len([event for event in result.all_events if event.is_step_up_for_retry]) == 1


def _killed_once(gate_run, client) -> Any:
    """Kill the gate process while it builds, the first time."""
    killed: list[int] = []

    def run(*arguments: Any, progress, **known: Any) -> Any:
        def tell(stage) -> None:
            progress(stage)
            if stage.startswith("building") and not killed:
                killed.append(client._own[0].process.pid)
                client._own[0].process.kill()

        return gate_run(*arguments, progress=tell, **known)

    return run
