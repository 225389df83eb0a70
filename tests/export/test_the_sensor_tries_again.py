"""Where nobody types, a sensor follows the log and waits longer after each failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from export_cases import export, publish, shop, to_folder, to_postgres
from helpers import environment, mesh, roll_back

from dataops_mesh.factory.domain import load_domain
from dataops_mesh.factory.exports import exports_sensor
from dataops_mesh.ledger.trouble.incidents import incidents_of
from dataops_mesh.run.exporting import known_exports
from dataops_mesh.run.record import open_record
from dataops_mesh.watch.copies import exports_due, retry_at
from dataops_mesh.watch.trouble import look
from dataops_mesh.web.facts.commands import commands_of, first_command


@pytest.fixture
def settings(tmp_path):
    return shop(tmp_path, [to_folder()])


def due(settings, now=None):
    found = exports_due(mesh(settings).products, environment(settings), now or datetime.now(UTC))
    return [product.qualified_name for product in found]


def test_only_what_is_behind_is_due(settings):
    assert due(settings) == [], "nothing is published yet"
    publish(settings, 1)
    assert due(settings) == ["shop.sales"]
    export(settings)
    assert due(settings) == []
    publish(settings, 2)
    export(settings)
    roll_back(settings, "shop.sales")
    assert due(settings) == ["shop.sales"]


def test_a_failure_is_an_incident_until_it_is_over_and_waits(settings, monkeypatch):
    publish(settings, 1)
    blocked = settings.root / "exports"
    blocked.write_text("a file where a folder should be", "utf-8")
    products, there = mesh(settings).products, environment(settings)
    for tries in (1, 2, 3):
        (found,) = export(settings)
        assert found.outcome == "failed"
        last = known_exports(["shop.sales"], there)["shop.sales", "folder exports"]
        assert last.failures == tries
        assert retry_at(last) - last.at == timedelta(seconds=30 * 2 ** (tries - 1))
        assert due(settings, last.at + timedelta(seconds=1)) == []
        assert due(settings, retry_at(last)) == ["shop.sales"]
    (incident,) = look(products, there)
    assert (incident.trouble.kind, incident.trouble.subject) == ("export", "folder exports")
    first = first_command("export", products[0])
    typed = commands_of(incident, first, seen=False)
    assert typed[0] == "mesh export shop.sales"
    assert "mesh run shop.sales" not in typed, "nothing is built again for a copy"
    blocked.unlink()
    export(settings)
    assert look(products, there) == ()
    with open_record(there) as ledger:
        (over,) = incidents_of(ledger, ["shop.sales"])
    assert over.closed is not None


def test_the_sensor_asks_for_a_run_when_something_is_behind(settings):
    sensor = exports_sensor("shop", mesh(settings).products, settings)
    with dg.instance_for_test() as instance, dg.build_sensor_context(instance) as context:
        publish(settings, 1)
        asked = sensor.evaluate_tick(context)
        assert len(asked.run_requests) == 1
        export(settings)
        assert not sensor.evaluate_tick(context).run_requests


def test_only_a_domain_with_exports_has_the_sensor(settings):
    assert "shop_exports" in sensors(settings)
    shop(settings.root, [])
    assert "shop_exports" not in sensors(settings)


def sensors(settings):
    found = load_domain(settings.domains_folder / "shop")
    return {sensor.name for sensor in found.sensors}


def test_no_password_is_on_record(tmp_path, monkeypatch):
    settings = shop(tmp_path, [to_postgres()])
    url = "postgresql://u:s3cr3t-word@127.0.0.1:1/x?bad option=s3cr3t-word"
    monkeypatch.setenv("MESH_CONNECTION_WAREHOUSE", url)
    publish(settings, 1)
    (found,) = export(settings)
    assert found.outcome == "failed"
    assert "s3cr3t" not in found.why
    look(mesh(settings).products, environment(settings))
    for file in (settings.root / ".mesh").rglob("*"):
        if file.is_file():
            assert b"s3cr3t" not in file.read_bytes(), file
