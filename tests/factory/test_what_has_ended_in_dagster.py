"""The domain's sensor ends what nobody reads, tells Dagster, and leaves the rest alone (A11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
from desk import DAILY, Desk
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    lift,
    product,
    run,
    write_workspace,
)
from locations import COLUMNS, ORDERS, location, orders, totals

from dataops_mesh.run.product import run_product
from dataops_mesh.run.word.hold import hold_product
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.store.release import latest

LIFE = "slaProperties: [{property: endOfLife, value: '2026-01-31'}]\n"


def tick(settings, instance, domain):
    """Let the daemon look once at the domain's sensor."""
    defs = location(settings, domain)
    sensor = defs.resolve_sensor_def(f"{domain}_alerts")
    sensor(dg.build_sensor_context(instance=instance, definitions=defs))


def ended(readers):
    files = orders() | {"orders.odcs.yaml": a_contract("orders", COLUMNS, extra=LIFE)}
    return {"shop": {"orders": files}, **({"desk": {"totals": totals()}} if readers else {})}


def test_a_product_past_its_end_is_withdrawn_and_dagster_is_told(tmp_path, instance):
    settings = write_workspace(tmp_path, ended(readers=False))
    assert run(settings, "shop.orders").published
    tick(settings, instance, "shop")
    assert not latest(environment(settings).store).ports
    (told,) = instance.fetch_observations(ORDERS, limit=5).records
    why = told.asset_observation.metadata["mesh/reason"].value
    assert why == "shop.orders is past its endOfLife, 2026-01-31"
    tick(settings, instance, "shop")
    assert len(instance.fetch_observations(ORDERS, limit=5).records) == 1


def test_a_product_past_its_end_that_is_read_stays(tmp_path, instance):
    settings = write_workspace(tmp_path, ended(readers=True))
    assert run(settings, "shop.orders").published
    assert run(settings, "desk.totals").published
    tick(settings, instance, "shop")
    assert len(latest(environment(settings).store).ports) == 2


def promised(settings, domain, port):
    """Tell whether Dagster would call a port late, by the location as it loads now."""
    specs = location(settings, domain).resolve_all_asset_specs()
    (found,) = [spec for spec in specs if spec.key == dg.AssetKey([domain, port])]
    return found.freshness_policy is not None


def test_nothing_is_red_in_dagster_that_a_person_holds_or_withdrew(tmp_path, instance):
    daily = a_contract("orders", COLUMNS, extra=DAILY)
    copy = a_product(
        {"copy": a_contract("copy", ["{name: id, logicalType: integer}"], extra=DAILY)},
        inputs=[an_input("shop.orders")],
        files={"copy.sql": "select id from shop.orders"},
    )
    made = {"shop": {"orders": orders() | {"orders.odcs.yaml": daily}}, "desk": {"copy": copy}}
    settings = write_workspace(tmp_path, made)
    for name in ("shop.orders", "desk.copy"):
        assert run(settings, name).published
    assert promised(settings, "shop", "orders")
    defs = location(settings, "shop")
    place = environment(settings)
    hold_product(product(settings, "shop.orders"), place, "look first")
    sensor = defs.resolve_sensor_def("shop_alerts")
    said = sensor(dg.build_sensor_context(instance=instance, definitions=defs))
    assert "reload shop: the freshness of shop.orders is old" in said.skip_message
    assert not promised(settings, "shop", "orders")
    assert promised(settings, "desk", "copy"), "its input can be read"
    lift(settings, "shop.orders")
    assert promised(settings, "shop", "orders")
    withdraw_product(taking("shop.orders", place, ()), place, "gone")
    assert not promised(settings, "shop", "orders")
    assert not promised(settings, "desk", "copy")


def test_no_tick_asks_for_a_partition_that_was_withdrawn(tmp_path, instance):
    lands = "customProperties:\n" + a_setting("partitions", "{values: [east, west]}")
    column = ["{name: land, logicalType: string, partitioned: true}"]
    made = a_product(
        {"lands": a_contract("lands", column, extra=DAILY) + lands},
        inputs=[a_source("src", "'{partition}.csv'")],
        files={"lands.sql": "from src", "east.csv": "land\neast\n", "west.csv": "land\nwest\n"},
        settings=a_setting("automation", "onSchedule"),
    )
    desk = Desk(tmp_path, instance, {"shop": {"lands": made}})
    found, place = product(desk.settings, "shop.lands"), environment(desk.settings)
    for key in ("east", "west"):
        assert run_product(found, place, run_id=key, partition=key).published
    withdraw_product(taking("shop.lands", place, ()), place, "gone", "west")
    start = datetime(2026, 3, 1, 4, tzinfo=UTC)
    assert asked(desk, start) == set()
    assert asked(desk, start + timedelta(hours=2)) == {"east"}


def asked(desk, at):
    """Return the partitions that one tick asks for."""
    result = dg.evaluate_automation_conditions(
        location(desk.settings, "shop"),
        desk.instance,
        asset_selection=dg.AssetSelection.all(),
        cursor=desk.cursor,
        evaluation_time=at,
    )
    desk.cursor = result.cursor
    return result.get_requested_partitions(dg.AssetKey(["shop", "lands"]))
