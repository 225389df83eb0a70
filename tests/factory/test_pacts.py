"""A consumer's expectation holds before the consumer reads, and where accepted before it is published."""

from __future__ import annotations

import dagster as dg
import pytest
from helpers import a_product, an_input, write_product, write_workspace
from locations import GOOD, MORE, ORDERS, execute, location, orders, rows

ENOUGH = "{name: enough, metric: rowCount, mustBeGreaterOrEqualTo: 3}"
PACT = "consumer: desk.totals\nseverity: {severity}\nexpectations:\n  shop.orders:\n    - {rule}\n"
TOTALS = "select n from desk.totals"


def reader():
    return a_product(
        ports={"totals": ["{name: n, logicalType: integer, required: true}"]},
        inputs=[an_input("shop.orders", ENOUGH)],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )


@pytest.fixture
def mesh(tmp_path):
    """Two domains, each a code location of its own; the consumer wants three orders."""
    return write_workspace(
        tmp_path, {"shop": {"orders": orders(MORE)}, "desk": {"totals": reader()}}
    )


def deliver(settings, csv, severity=""):
    files = dict(orders(csv))
    if severity:
        files["accepted/desk.totals.yaml"] = PACT.format(severity=severity, rule=ENOUGH)
    write_product(settings.root, "shop", "orders", files)


def outcome(result, name):
    (found,) = (e for e in result.get_asset_check_evaluations() if e.check_name == name)
    return found.passed, found.severity


def test_without_a_pact_the_producer_publishes_and_only_the_consumer_stops(mesh, instance):
    assert execute(mesh, "shop", instance).success
    assert execute(mesh, "desk", instance).success
    deliver(mesh, GOOD)
    assert execute(mesh, "shop", instance).success
    stopped = execute(mesh, "desk", instance)
    assert not stopped.success
    assert outcome(stopped, "input_shop_orders_enough") == (False, dg.AssetCheckSeverity.ERROR)
    assert rows(mesh, "select count(*) from shop.orders") == [(2,)]
    assert rows(mesh, TOTALS) == [(3,)]


def test_with_a_pact_the_producer_learns_before_anybody_reads(mesh, instance):
    deliver(mesh, MORE, "error")
    assert execute(mesh, "shop", instance).success
    assert execute(mesh, "desk", instance).success
    deliver(mesh, GOOD, "error")
    refused = execute(mesh, "shop", instance)
    assert not refused.success
    assert outcome(refused, "for_desk_totals_enough") == (False, dg.AssetCheckSeverity.ERROR)
    failure = next(event for event in refused.all_events if event.is_step_failure)
    said = failure.step_failure_data.user_failure_data.description
    assert "shop.orders for_desk_totals_enough" in said
    assert rows(mesh, "select count(*) from shop.orders") == [(3,)]
    assert execute(mesh, "desk", instance).success
    assert rows(mesh, TOTALS) == [(3,)]


def test_a_pact_that_warns_publishes_and_is_seen(mesh, instance):
    deliver(mesh, GOOD, "warning")
    told = execute(mesh, "shop", instance)
    assert told.success
    assert outcome(told, "for_desk_totals_enough") == (False, dg.AssetCheckSeverity.WARN)
    assert not execute(mesh, "desk", instance).success
    assert rows(mesh, TOTALS) is None


def test_the_producers_location_shows_the_pact_as_a_check_and_the_contract_is_the_same(mesh):
    before = location(mesh, "shop").resolve_assets_def(ORDERS).specs_by_key[ORDERS]
    deliver(mesh, GOOD, "error")
    defs = location(mesh, "shop")
    key = dg.AssetCheckKey(ORDERS, "for_desk_totals_enough")
    spec = defs.resolve_assets_def(ORDERS).get_spec_for_check_key(key)
    assert "desk.totals relies on it" in spec.description
    after = defs.resolve_assets_def(ORDERS).specs_by_key[ORDERS]
    assert before.metadata["mesh/contract_version"] == after.metadata["mesh/contract_version"]


def test_a_pact_made_on_what_is_published_needs_no_version_and_is_kept_with_it(mesh, instance):
    deliver(mesh, MORE)
    assert execute(mesh, "shop", instance).success
    deliver(mesh, MORE, "error")
    assert execute(mesh, "shop", instance).success  # a new promise to one consumer, no new contract
    from helpers import environment, product

    from dataops_mesh.run.declaration import published_manifest, published_product
    from dataops_mesh.store.log import latest

    store = environment(mesh).store
    manifest = published_manifest(store, latest(store), product(mesh, "shop.orders"))
    (pact,) = published_product(store, manifest).pacts
    assert pact.consumer == "desk.totals"
