"""Readers of what was withdrawn have an incident of theirs; services are told; nothing is late."""

from __future__ import annotations

import shutil
import time

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
    slos,
    write_workspace,
)
from receivers import webhook

from dataops_mesh.ledger.trouble.incidents import incidents_of
from dataops_mesh.run.record import open_record
from dataops_mesh.run.word.ended import end_by_itself
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.watch.alerts import deliver
from dataops_mesh.watch.former import former_products
from dataops_mesh.watch.trouble import look

ID = "{name: id, logicalType: integer, primaryKey: true, classification: public}"
SOON = "  - {property: freshness, value: 1, unit: s}\n"
OVER = "  - {property: endOfLife, value: '2026-01-31'}\n"
EVENTS = a_setting("events", "[warehouse]")
NAMES = ("shop.orders", "desk.copy")


def orders(levels="", **more: str):
    extra = f"slaProperties:\n{levels}" if levels else ""
    return a_product(
        {"orders": a_contract("orders", [ID], extra=extra)},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select id::bigint as id from csv", "o.csv": "id\n1\n"},
        **more,
    )


def a_mesh(tmp_path, levels="", lines=""):
    copy = a_product(
        {"copy": a_contract("copy", [ID], extra=f"slaProperties:\n{SOON}")},
        inputs=[an_input("shop.orders")],
        files={"copy.sql": "select id from shop.orders"},
    )
    made = {"shop": {"orders": orders(levels, settings=EVENTS)}, "desk": {"copy": copy}}
    settings = write_workspace(tmp_path, made, settings=lines)
    for name in NAMES:
        assert run(settings, name).published
    return settings


def incidents(settings, *names: str):
    found = look([product(settings, name) for name in names], environment(settings), {})
    return {(one.trouble.product, one.trouble.kind): one.trouble.why for one in found}


def withdraw(settings):
    place = environment(settings)
    withdraw_product(taking("shop.orders", place, ()), place, "not ours")


def test_who_reads_what_was_withdrawn_has_one_incident_that_ends_with_it(tmp_path):
    settings = a_mesh(tmp_path, SOON)
    time.sleep(1.1)
    assert set(incidents(settings, *NAMES)) == {(name, "late") for name in NAMES}
    withdraw(settings)
    found = incidents(settings, *NAMES)
    assert set(found) == {("desk.copy", "withdrawn")}
    assert "it reads shop.orders, which was withdrawn by ana on" in found["desk.copy", "withdrawn"]
    kept = slos([product(settings, name) for name in NAMES], environment(settings))
    assert {one.runs for one in kept.values()} <= {"", "held"}
    lift(settings, "shop.orders")
    assert set(incidents(settings, *NAMES)) == {("desk.copy", "withdrawn")}
    assert run(settings, "shop.orders").published
    assert ("desk.copy", "withdrawn") not in incidents(settings, *NAMES)


def test_what_has_ended_and_is_read_is_an_incident_of_both_owners(tmp_path):
    settings = a_mesh(tmp_path, OVER)
    found = incidents(settings, *NAMES)
    ours = found["shop.orders", "ended"]
    assert "is past its endOfLife, 2026-01-31, and desk.copy still reads it" in ours
    assert "it reads shop.orders, which is past its endOfLife" in found["desk.copy", "ended"]
    # Each domain's sensor knows its own products only.
    assert ("shop.orders", "ended") in incidents(settings, "shop.orders")
    assert ("desk.copy", "ended") in incidents(settings, "desk.copy")
    withdraw(settings)
    assert {kind for _, kind in incidents(settings, *NAMES)} <= {"withdrawn", "late"}


def test_services_are_told_of_a_withdrawal_once(tmp_path):
    settings = a_mesh(tmp_path, lines='alerts_file = "alerts.toml"\n')
    with webhook() as hook:
        (tmp_path / "alerts.toml").write_text(f'[channels]\nwarehouse = "{hook.url}"\n', "utf-8")
        withdraw(settings)
        for _ in range(2):
            deliver([product(settings, "shop.orders")], environment(settings))
        bodies = [body for _, _, body in hook]
    assert [body["type"] for body in bodies] == [
        "dataops_mesh.publication",
        "dataops_mesh.withdrawal",
    ]
    told = bodies[1]["data"]
    assert (told["address"], told["kind"], told["publication"]) == ("shop.orders", "withdrawal", 3)
    assert told["previous"] == bodies[0]["data"]["fingerprint"]
    assert (told["candidate"], told["fingerprint"], told["rows"]) == (None, None, 0)


def test_services_hear_of_the_end_of_a_deleted_product_and_its_incidents_close(tmp_path):
    settings = a_mesh(tmp_path, lines='alerts_file = "alerts.toml"\n')
    place = environment(settings)
    (tmp_path / "domains/shop/orders/o.csv").write_text("id\n1\n1\n", "utf-8")
    assert not run(settings, "shop.orders").published
    assert set(incidents(settings, "shop.orders")) == {("shop.orders", "caught")}
    withdraw(settings)
    shutil.rmtree(tmp_path / "domains" / "shop" / "orders")
    (domain,) = [d for d in load_mesh(settings.root, settings.domains).domains if d.name == "shop"]
    with webhook() as hook:
        (tmp_path / "alerts.toml").write_text(f'[channels]\nwarehouse = "{hook.url}"\n', "utf-8")
        for _ in range(2):
            former = former_products(domain, place)
            assert [one.qualified_name for one in former] == ["shop.orders"]
            assert look(former, place, {}) == ()
            deliver(former, place)
        told = [body["type"] for _, _, body in hook]
    assert told == ["dataops_mesh.publication", "dataops_mesh.withdrawal"]
    with open_record(place) as ledger:
        assert all(one.closed for one in incidents_of(ledger, ["shop.orders"]))


def test_nothing_is_late_or_broken_that_ended_by_itself(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(SOON + OVER)}})
    assert run(settings, "shop.orders").published
    mesh = load_mesh(settings.root, settings.domains)
    assert len(end_by_itself(mesh.domains[0], environment(settings))) == 1
    time.sleep(1.1)
    assert incidents(load_settings(tmp_path), "shop.orders") == {}
