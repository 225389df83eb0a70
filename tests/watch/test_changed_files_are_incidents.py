"""A published file that somebody changed is an incident after the next look of the monitor."""

from __future__ import annotations

import os
from datetime import timedelta

from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    mesh,
    product,
    run,
    write_workspace,
)

from dataops_mesh.cli.watching import _told
from dataops_mesh.engine.catalog.catalogs import path_of
from dataops_mesh.run.record import record_run
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import folder
from dataops_mesh.watch.health import examine
from dataops_mesh.watch.monitor import audit_published
from dataops_mesh.watch.trouble import look
from dataops_mesh.watch.words import message_of
from dataops_mesh.web.catalogue import catalogue_of
from dataops_mesh.web.metrics.families import exposition
from dataops_mesh.web.metrics.rules import ALERTS
from dataops_mesh.web.metrics.totals import Totals
from dataops_mesh.web.view import view_of


def test_a_changed_file_is_an_incident_and_a_new_run_closes_it(tmp_path):
    orders = a_product(
        {"orders": ["{name: id, logicalType: integer}"]},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id from orders_csv", "orders.csv": "id\n1\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": orders}})
    run(settings, "shop.orders")
    place, found = environment(settings), product(settings, "shop.orders")
    assert audit_published(found, place).outcome is Outcome.PASSED
    (entry,) = latest(place.store).ports.values()
    (file,) = folder(place.store, entry.candidate).rglob("*.parquet")
    before, data = file.stat(), bytearray(file.read_bytes())
    file.chmod(0o644)
    data[40] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    audit = audit_published(found, place)
    assert audit.outcome is Outcome.ERRORED
    assert all("another content" in result.reason for result in audit.failures)
    (incident,) = look([found], place)
    assert (incident.trouble.kind, incident.trouble.product) == ("damaged", "shop.orders")
    assert incident.trouble.why.count("another content") == 1, "once, and not for each check"
    run(settings, "shop.orders")
    assert audit_published(found, place).outcome is Outcome.PASSED
    assert look([found], place) == ()


def test_a_damaged_file_is_called_so_with_what_mends_it_wherever_it_is_told(tmp_path):
    """A rollback goes back to something, a run always mends; and who pages is still paged."""
    extra = "slaProperties:\n  - {property: freshness, value: 9, unit: y, element: orders.day}\n"
    day = "{name: day, logicalType: date, classification: public}"
    orders = a_product(
        {"orders": a_contract("orders", ["{name: id, logicalType: integer}", day], extra=extra)},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id, day from orders_csv",
               "orders.csv": "id,day\n1,2026-01-01\n"},
    )  # fmt: skip
    settings = write_workspace(tmp_path, {"shop": {"orders": orders}})
    run(settings, "shop.orders")
    place = environment(settings)
    (entry,) = latest(place.store).ports.values()
    (file,) = folder(place.store, entry.candidate).rglob("*.parquet")
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    audit = audit_published(product(settings, "shop.orders"), place)
    assert (audit.word, len(audit.damage)) == ("damaged", 1)
    *damage, then = _told(audit)
    assert damage == [*audit.damage]
    assert then.startswith("next: mesh run shop.orders, or ")
    (incident,) = look([product(settings, "shop.orders")], place)  # nobody calls it stale, too
    message = message_of(None, incident, "opened", settings, timedelta())
    assert message.title == "a published file is damaged: shop.orders"
    with view_of(place, catalogue_of(mesh(settings), settings)) as view:
        (wrong,) = view.wrong()
        told = exposition(view, Totals()).decode()
    assert (wrong.kind, wrong.next) == ("damaged", "mesh run shop.orders")
    open_now = 'mesh_incidents_open{domain="shop",kind="damaged",product="orders"} 1.0'
    assert open_now in told
    assert any('kind="damaged"' in rule for rule, *_ in ALERTS.values())


def test_a_changed_catalog_is_named_and_written_again(tmp_path):
    orders = a_product(
        {"orders": ["{name: id, logicalType: integer}"]},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id from orders_csv", "orders.csv": "id\n1\n"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": orders}})
    run(settings, "shop.orders")
    place = environment(settings)
    catalog = path_of(place.store, "shop")
    assert record_run(place) == ()
    catalog.chmod(0o644)
    catalog.write_bytes(catalog.read_bytes() + b"x")
    (damage,) = examine(place.store).damage
    assert (damage.kind, damage.next) == ("catalog", "mesh store catalog rebuild")
    (note,) = record_run(place)
    assert note.startswith("catalogs/shop.duckdb was not what was written")
    assert examine(place.store).damage == ()
