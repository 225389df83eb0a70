"""A published file that somebody changed is an incident after the next look of the monitor."""

from __future__ import annotations

import os

from helpers import a_product, a_source, environment, product, run, write_workspace

from dataops_mesh.engine.catalog.catalogs import path_of
from dataops_mesh.run.record import record_run
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import folder
from dataops_mesh.watch.health import examine
from dataops_mesh.watch.monitor import audit_published
from dataops_mesh.watch.trouble import look


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
    assert (incident.trouble.kind, incident.trouble.product) == ("escaped", "shop.orders")
    run(settings, "shop.orders")
    assert audit_published(found, place).outcome is Outcome.PASSED
    assert look([found], place) == ()


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
