"""A publication that Dagster missed is reported exactly once; so is a rollback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from helpers import environment, product, roll_back, run, write_product, write_workspace
from locations import BAD, GOOD, MORE, ORDERS, execute, location, orders, rows
from publication_cases import materializations, plain, publications

from dataops_mesh.factory.reconcile import reconcile

pytestmark = pytest.mark.usefixtures("without_pauses")


def test_a_publication_that_dagster_missed_is_reported_once_by_the_next_run(shop, instance):
    assert execute(shop, "shop", instance).success
    run(shop, "shop.orders")  # committed by a process that Dagster never heard of again
    assert publications(instance) == [1]
    assert execute(shop, "shop", instance).success
    assert publications(instance) == [1, 2, 3]
    assert execute(shop, "shop", instance).success
    assert publications(instance) == [1, 2, 3, 4]
    said = plain(materializations(instance)[1].metadata)
    assert said["mesh/reported"].startswith("after the fact")
    assert said["dagster/row_count"] == 2


def test_a_missed_publication_is_reported_even_when_the_next_run_is_refused(shop, instance):
    run(shop, "shop.orders")
    write_product(shop.root, "shop", "orders", orders(BAD))
    assert not execute(shop, "shop", instance).success
    assert publications(instance) == [1]
    assert rows(shop, "select count(*) from shop.orders") == [(2,)]


def test_a_rollback_is_reported_exactly_once_with_the_old_content(shop, instance):
    assert execute(shop, "shop", instance).success
    write_product(shop.root, "shop", "orders", orders(MORE))
    assert execute(shop, "shop", instance).success
    number = roll_back(shop, "shop.orders", reason="wrong prices")
    found = product(shop, "shop.orders")
    store = environment(shop).store
    assert [n for _, n in reconcile(instance, store, found)] == [number]
    assert reconcile(instance, store, found) == ()
    assert publications(instance) == [1, 2, 3]
    first, _, back = materializations(instance)
    assert back.tags["dagster/data_version"] == first.tags["dagster/data_version"]
    assert rows(shop, "select count(*) from shop.orders") == [(2,)]


@pytest.mark.parametrize("candidate", [None, "shop/orders/forged"])
@pytest.mark.parametrize("number", [999, 2, 1])
def test_an_event_that_anybody_made_up_changes_nothing(shop, instance, number, candidate):
    assert execute(shop, "shop", instance).success
    forged = {"mesh/publication": number} | ({"mesh/candidate": candidate} if candidate else {})
    instance.report_runless_asset_event(dg.AssetMaterialization(ORDERS, metadata=forged))
    found, store = product(shop, "shop.orders"), environment(shop).store
    assert reconcile(instance, store, found) == ()
    write_product(shop.root, "shop", "orders", orders(MORE))
    assert run(shop, "shop.orders").published
    number = roll_back(shop, "shop.orders", reason="wrong prices")
    assert [n for _, n in reconcile(instance, store, found)] == [number]
    assert reconcile(instance, store, found) == ()


def test_nothing_is_reported_for_a_product_that_was_never_published(shop, instance):
    assert reconcile(instance, environment(shop).store, product(shop, "shop.orders")) == ()


KILLED = """
import os, sys
from pathlib import Path
import dagster as dg
from dataops_mesh import load_domain
from dataops_mesh.factory import events
import dataops_mesh.factory.assets as assets

def die(*_):
    os._exit(9)

assets.events_of = die
root, home = sys.argv[1:]
quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
with dg.DagsterInstance.local_temp(home, {"telemetry": {"enabled": False}}) as instance:
    job = load_domain(Path(root) / "domains" / "shop").resolve_implicit_global_asset_job_def()
    job.execute_in_process(instance=instance, run_config=quiet)
"""


def test_a_process_that_dies_between_commit_and_dagster_is_made_good(shop, tmp_path):
    """The process ends right after the commit, without a chance to say anything."""
    from locations import local_instance

    home = tmp_path / "dagster"
    home.mkdir()
    repository = Path(__file__).parents[2]
    dead = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(home)],
        env={**os.environ, "PYTHONPATH": str(repository)},
        check=False,
        timeout=120,
    )
    assert dead.returncode == 9
    assert rows(shop, "select count(*) from shop.orders") == [(2,)]
    with local_instance(home) as opened:
        assert publications(opened) == []
        assert execute(shop, "shop", opened).success
        assert publications(opened) == [1, 2]


# Dagster's own test helper calls its own beta parameter.
@pytest.mark.filterwarnings("ignore:Parameter `include_sources`")
def test_a_runless_report_wakes_automation_like_any_materialization(tmp_path, instance):
    """A rollback must reach consumers that build themselves eagerly."""
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}})
    step = location(settings, "shop")
    consumer = dg.AssetSpec(
        "consumer", deps=[ORDERS], automation_condition=dg.AutomationCondition.eager()
    )

    @dg.multi_asset(specs=[consumer])
    def consume() -> None:
        return None

    defs = dg.Definitions(assets=[*step.assets, consume])
    assert execute(settings, "shop", instance).success
    first = dg.evaluate_automation_conditions(defs, instance)
    quiet = dg.evaluate_automation_conditions(defs, instance, cursor=first.cursor)
    run(settings, "shop.orders")
    assert reconcile(instance, environment(settings).store, product(settings, "shop.orders"))
    woken = dg.evaluate_automation_conditions(defs, instance, cursor=quiet.cursor)
    assert woken.get_num_requested(dg.AssetKey("consumer")) == 1
