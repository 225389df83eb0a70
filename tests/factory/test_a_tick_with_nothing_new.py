"""A tick with nothing new looks at nothing, and no change is ever slept through."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
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
    write_product,
    write_workspace,
)
from hypothesis import given
from hypothesis import strategies as st
from locations import BAD, COLUMNS, GOOD, MORE, execute, orders
from ticks import OPENED, Watched, desk_of

from dataops_mesh.run.word.hold import hold_product
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.watch.monitor import audit_published
from dataops_mesh.watch.news import Looked

SOON = "slaProperties:\n  - {property: freshness, value: 4, unit: s}\n"
LANDS = "customProperties:\n" + a_setting("partitions", "{values: [east, west]}")


@pytest.fixture
def watched(tmp_path, kept_instance):
    """A domain that has published."""
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}})
    assert run(settings, "shop.orders").published
    return Watched(settings, kept_instance)


@pytest.mark.parametrize("kind", ["alerts", "automation"])
def test_a_tick_with_nothing_new_opens_no_release_ledger_or_declaration(watched, kind):
    watched.settle(kind)
    OPENED.listens = True
    try:
        assert not watched.looks(kind)
    finally:
        OPENED.listens = False
    opened = " ".join(OPENED.files)
    OPENED.files.clear()
    for word in ("releases/0", "ledger.sqlite", ".yaml", ".sql", "manifest", "pyproject"):
        assert word not in opened


def refused(watched):
    write_product(watched.settings.root, "shop", "orders", orders(BAD))
    assert not run(watched.settings, "shop.orders").published


def published(watched):
    write_product(watched.settings.root, "shop", "orders", orders(MORE))
    assert run(watched.settings, "shop.orders").published


def held(watched):
    place = environment(watched.settings)
    hold_product(product(watched.settings, "shop.orders"), place, "look first")


def lifted(watched):
    held(watched)
    lift(watched.settings, "shop.orders")


def withdrawn(watched):
    place = environment(watched.settings)
    withdraw_product(taking("shop.orders", place, ()), place, "gone")


def audited(watched):
    place = environment(watched.settings)
    assert audit_published(product(watched.settings, "shop.orders"), place)


def set_otherwise(watched):
    with (watched.settings.root / "pyproject.toml").open("a") as file:
        file.write("retries = 1\n")


def approved(watched):
    folder = watched.settings.domains_folder / "shop" / "orders" / "approvals"
    folder.mkdir()
    (folder / "abc.yaml").write_text("digest: abc\n", "utf-8")


def written_by_another(watched):
    event = dg.AssetMaterialization(["elsewhere", "asset"])
    watched.instance.report_runless_asset_event(event)


def declared_otherwise(watched):
    write_product(watched.settings.root, "shop", "orders", orders(GOOD, columns=COLUMNS[:1], select="select id::bigint as id from orders_csv"))  # fmt: skip
    watched.load()


CHANGES = [
    refused,
    published,
    held,
    lifted,
    withdrawn,
    audited,
    set_otherwise,
    approved,
    written_by_another,
    declared_otherwise,
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_looked_at(watched, change):
    watched.settle("alerts")
    change(watched)
    assert watched.looks("alerts")
    watched.settle("alerts")


def test_a_refusal_is_an_incident_at_the_next_tick(watched):
    watched.settle("alerts")
    refused(watched)
    watched.tick("alerts")
    assert watched.opened() == ["caught"]
    watched.settle("alerts")
    published(watched)
    watched.tick("alerts")
    assert watched.opened() == []


def test_what_happens_during_a_look_is_seen_at_the_next(watched):
    """The look tells a channel, and while it does the product is published and refused again."""
    watched.settle("alerts")
    refused(watched)
    told = logging.getLogger("dataops_mesh.alerts")

    class Meanwhile(logging.Handler):
        done = False

        def emit(self, _record) -> None:
            if not self.done:
                self.done = True
                published(watched)

    handler = Meanwhile()
    told.addHandler(handler)
    try:
        watched.tick("alerts")
    finally:
        told.removeHandler(handler)
    assert handler.done
    assert watched.opened() == ["caught"], "it was published after the look had seen the refusal"
    assert watched.looks("alerts")
    assert watched.opened() == []


def test_a_promise_that_only_the_clock_breaks_is_noticed(watched):
    for seconds in (3, 6, 12, 24, 48):  # a slow machine needs longer until the sensor rests
        sla = SOON.replace("value: 4", f"value: {seconds}")
        made = orders(GOOD) | {"orders.odcs.yaml": a_contract("orders", COLUMNS, extra=sla)}
        write_product(watched.settings.root, "shop", "orders", made)
        watched.load()
        fresh = run(watched.settings, "shop.orders").published
        watched.settle("alerts")
        if fresh and not watched.opened():
            break
    assert fresh
    assert not watched.opened()
    end = time.monotonic() + seconds + 10
    while not watched.looks("alerts"):
        assert time.monotonic() < end
        time.sleep(0.2)
    assert watched.opened() == ["late"]


@given(st.none() | st.text() | st.from_regex(r'\{"(format|mark|until)": .{0,20}\}'))
def test_a_cursor_of_another_version_is_no_reason_to_rest(cursor):
    found = Looked.read(cursor)
    assert found is None or not found.holds("mark", datetime.now(UTC))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "17",
        "[]",
        "null",
        '{"format": 0}',
        '{"format": 1, "mark": "x"}',
        '{"format": 2, "mark": "m", "again": false, "at": 0, "until": 9e9, "said": ""}',
    ],
)
def test_with_a_cursor_of_another_version_the_sensor_looks(watched, cursor):
    watched.cursors["shop_alerts"] = cursor
    assert watched.looks("alerts")
    assert json.loads(watched.cursors["shop_alerts"])["format"] == 1


def test_a_clock_that_was_put_back_is_no_reason_to_rest():
    now = datetime.now(UTC)
    kept = Looked(
        "m", again=False, at=now.timestamp(), until=(now + timedelta(hours=1)).timestamp()
    )
    assert kept.holds("m", now)
    assert not kept.holds("m", now - timedelta(seconds=1))
    assert not kept.holds("m", now + timedelta(hours=1))
    assert not kept.holds("", now)


def test_automation_wakes_a_consumer_after_a_rest(tmp_path, kept_instance):
    desk = desk_of(tmp_path, kept_instance)
    desk.settle("automation")
    published(desk)
    assert desk.tick("automation") == (True, True)


def test_what_a_daemon_asked_for_and_forgot_is_asked_again(tmp_path, kept_instance):
    desk = desk_of(tmp_path, kept_instance)
    desk.settle("automation")
    published(desk)
    assert desk.tick("automation", kept=False) == (True, True)
    assert desk.tick("automation") == (True, True)


def test_a_run_in_dagster_is_looked_at(tmp_path, kept_instance):
    desk = desk_of(tmp_path, kept_instance)
    desk.settle("automation")
    assert execute(desk.settings, "desk", kept_instance).success
    assert desk.looks("automation")
    desk.settle("automation")


def test_a_delivery_of_a_partition_is_looked_at(tmp_path, kept_instance):
    column = [
        "{name: land, logicalType: string, partitioned: true}",
        "{name: id, logicalType: integer}",
    ]
    made = a_product(
        {"orders": a_contract("orders", column, extra=LANDS)},
        inputs=[a_source("src", "'in/{partition}.csv'"), an_input("base.base")],
        files={
            "orders.sql": "select land, id::bigint as id from src, base.base",
            "in/east.csv": "land,id\neast,1\n",
        },
    )  # fmt: skip
    base = a_product({"base": ["{name: n, logicalType: integer}"]}, files={"base.sql": "select 1 as n"})  # fmt: skip
    settings = write_workspace(tmp_path, {"shop": {"orders": made}, "base": {"base": base}})
    assert run(settings, "base.base").published
    watched = Watched(settings, kept_instance)
    watched.settle("automation")
    place = settings.domains_folder / "shop" / "orders" / "in"
    (place / "west.csv").write_text("land,id\nwest,1\n", "utf-8")
    assert watched.tick("automation") == (True, True)
    watched.settle("automation")
    (place / "other.csv").write_text("land,id\nwest,1\n", "utf-8")
    assert not watched.looks("automation"), "it is no partition's"


def test_dagsters_copy_of_the_sensor_rests_too(watched):
    sensor = watched.repository.get_sensor_def("shop_automation")
    copy = sensor.with_attributes(metadata={"a": "b"})
    assert type(copy) is type(sensor)
    assert copy.metadata.keys() == {"a", *sensor.metadata}
    assert copy.minimum_interval_seconds == sensor.minimum_interval_seconds


def test_a_lost_run_is_an_incident_after_a_rest(watched):
    watched.settle("alerts")
    job = watched.defs.resolve_job_def("shop")
    with dg.DagsterInstance.from_ref(watched.instance.get_ref()) as another_process:
        lost = another_process.create_run_for_job(job)
        another_process.report_run_failed(lost)
    assert watched.looks("alerts")
