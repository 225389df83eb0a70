"""A source's contract says how often it is delivered; what does not come is told by itself."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    run,
    write_workspace,
)
from receivers import webhook

from dataops_mesh.fetch import note as notes
from dataops_mesh.fetch.fetch import Asked
from dataops_mesh.run.inputs.fetching import Fetching
from dataops_mesh.store.log import latest
from dataops_mesh.watch.alerts import deliver
from dataops_mesh.watch.deadlines import next_alert
from dataops_mesh.watch.deliveries import missing_deliveries
from dataops_mesh.watch.trouble import look
from dataops_mesh.watch.words import TITLES
from dataops_mesh.web.facts.wrong import BROKEN, ORDER

sys.path.insert(0, str(Path(__file__).parents[1] / "fetch"))
from web_server import serving

HOUR = timedelta(hours=1)
ID = "{name: id, logicalType: integer, primaryKey: true, classification: public}"
DAILY = "slaProperties: [{property: frequency, value: 1, unit: d}]\n"
PATIENT = (
    "slaProperties: [{property: frequency, value: 1, unit: d},"
    " {property: latency, value: 2, unit: h}]\n"
)
SUPPORT = "support: [{channel: shop, url: 'https://chat.mesh.example/shop'}]\n"


def orders(source: str = "", promised: str = DAILY, own: str = ""):
    return a_product(
        {"orders": a_contract("orders", [ID], extra=own)},
        inputs=[source or a_source("csv", "o.csv")],
        files={
            "orders.sql": "select id::bigint as id from csv",
            "o.csv": "id\n1\n",
            "inputs/csv.odcs.yaml": a_contract("csv", [ID], extra=promised),
        },
        extra=SUPPORT,
    )


def made(root, **more: str):
    return write_workspace(
        root, {"shop": {"orders": orders(**more)}}, settings='alerts_file = "alerts.toml"\n'
    )


def missing(settings, now: datetime | None = None):
    place, now = environment(settings), now or datetime.now(UTC)
    found = [product(settings, "shop.orders")]
    return list(missing_deliveries(found, place, latest(place.store), now))


def age(settings, hours: float) -> None:
    at = time.time() - 3600 * hours
    os.utime(settings.domains_folder / "shop/orders/o.csv", (at, at))


@pytest.mark.parametrize(
    ("promised", "hours", "late"),
    [
        (DAILY, 29.9, False),
        (DAILY, 30.1, True),
        (PATIENT, 25.9, False),
        (PATIENT, 26.1, True),
        ("slaProperties: [{property: freshness, value: 3, unit: h}]\n", 3.1, True),
        ("", 999.0, False),
    ],
)
def test_a_delivery_is_late_by_what_its_contract_says(tmp_path, promised, hours, late):
    settings = made(tmp_path, promised=promised)
    age(settings, hours)
    found = missing(settings)
    assert bool(found) is late
    for one in found:
        assert (one.product, one.kind, one.subject) == ("shop.orders", "delivery", "csv")
        assert 'of the source "csv" is' in one.why
        assert "domains/shop/orders/inputs/csv.odcs.yaml:" in one.why


def test_no_file_and_a_file_of_tomorrow(tmp_path):
    settings = made(tmp_path)
    age(settings, -24)
    assert missing(settings) == []
    (settings.domains_folder / "shop/orders/o.csv").unlink()
    (one,) = missing(settings)
    assert 'nothing is delivered for the source "csv"' in one.why


def test_it_is_told_once_and_ends_with_the_delivery(tmp_path):
    settings = made(tmp_path, own=DAILY)
    assert run(settings, "shop.orders").published
    place, found = environment(settings), [product(settings, "shop.orders")]
    moment = next_alert(found, place, datetime.now(UTC))
    assert moment <= datetime.now(UTC) + 1.1 * HOUR
    age(settings, 29.5)
    due = next_alert(found, place, datetime.now(UTC)) - datetime.now(UTC)
    assert timedelta(minutes=29) < due < timedelta(minutes=31)
    with webhook() as heard:
        (tmp_path / "alerts.toml").write_text(f'[channels]\nshop = "{heard.url}"\n', "utf-8")
        age(settings, 31)
        (incident,) = look(found, place)
        deliver(found, place)
        deliver(found, place)
        assert [body["text"] for _, _, body in heard] == ["not delivered: shop.orders (csv)"]
        assert "31.0 hours old" in incident.trouble.why
        age(settings, 0)
        assert look(found, place) == ()
        deliver(found, place)
        assert [body["text"] for _, _, body in heard][1:] == [
            "all clear: not delivered: shop.orders (csv)"
        ]


@pytest.mark.parametrize(
    "promised",
    [
        PATIENT,
        "slaProperties: [{property: latency, value: 2, unit: h}]\n",
        "slaProperties: [{property: freshness, value: 2, unit: h}]\n",
        "slaProperties: [{property: frequency, value: 8, unit: h}]\n",
    ],
)
def test_of_a_partition_that_is_over_its_own_file_is_missed(tmp_path, promised):
    cut = a_setting("partitions", "{cadence: daily, start: '2026-01-01'}")
    columns = [ID, "{name: day, logicalType: date, primaryKey: true, partitioned: true}"]
    files = {
        "orders.sql": "select id, day from csv",
        "inputs/csv.odcs.yaml": a_contract(
            "csv", [ID, "{name: day, logicalType: date}"], extra=promised
        ),
    }
    for day in (1, 3):
        files[f"o-2026-01-0{day}.csv"] = f"id,day\n1,2026-01-0{day}\n"
    contract = a_contract("orders", columns) + "customProperties:\n" + cut
    content = a_product(
        {"orders": contract}, inputs=[a_source("csv", "'o-{partition}.csv'")], files=files
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": content}})

    def at(text: str) -> str:
        return " ".join(one.why for one in missing(settings, datetime.fromisoformat(text)))

    assert not at("2026-01-03T01:59:00+00:00"), "the second of January may still come"
    assert "of 2026-01-02;" in at("2026-01-03T02:01:00+00:00")
    assert "of 2026-01-02;" in at("2026-01-05T01:59:00+00:00"), "the third is there"
    assert "of 2026-01-02, 2026-01-04;" in at("2026-01-05T02:01:00+00:00")
    assert "and 1 more" in at("2026-01-09T03:00:00+00:00")


@pytest.mark.parametrize("who", ["nobody", "a run", "a look"])
def test_what_is_elsewhere_is_judged_by_what_was_seen_of_it(tmp_path, monkeypatch, who):
    with serving() as web:
        monkeypatch.setenv("MESH_CONNECTION_WEB", web.url("/"))
        web.files["/a.csv"] = b"id\n1\n"
        url = f"{{url: '{web.url('/a.csv')}', connection: web}}"
        source = f"- name: csv\n  customProperties:\n    {a_setting('source', url)}"
        settings = made(tmp_path, source=source)
        place, found = environment(settings), product(settings, "shop.orders")
        (port,) = found.inputs
        asked, tomorrow = Asked.of(place.store, found, port, ""), datetime.now(UTC) + 31 * HOUR
        if who == "nobody":
            assert missing(settings, tomorrow) == [], "nobody can say what lies there"
            return
        assert run(settings, "shop.orders").published
        assert missing(settings) == []
        assert len(missing(settings, tomorrow)) == 1
        if who == "a run":  # of the same content: nothing has come
            old = notes.read(asked.folder)
            notes.write(asked.folder, replace(old, since=old.since - 31 * 3600, looked=0.0))
            assert run(settings, "shop.orders").published
            assert len(missing(settings)) == 1
            web.files["/a.csv"] = b"id\n1\n2\n"
            assert run(settings, "shop.orders").published
            assert missing(settings) == []
            return
        for content, missed in ((b"id\n3\n", False), (None, True)):
            web.files = {"/a.csv": content} if content else {}
            old = notes.read(asked.folder)
            notes.write(asked.folder, replace(old, since=old.since - 31 * 3600, looked=0.0))
            Fetching.of(place).look(found, port, "")
            assert bool(missing(settings)) is missed


def test_every_kind_of_incident_has_words_in_an_alert_and_on_a_page():
    assert set(TITLES) == set(ORDER) - {BROKEN}
