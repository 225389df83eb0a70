"""The domain's sensor ends what nobody reads, tells Dagster, and leaves the rest alone (A11)."""

from __future__ import annotations

import dagster as dg
from helpers import a_contract, environment, run, write_workspace
from locations import COLUMNS, ORDERS, location, orders, totals

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
