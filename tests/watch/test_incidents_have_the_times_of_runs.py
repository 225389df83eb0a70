"""An incident begins and ends when its runs did, not when somebody looked, and all pages agree."""

from __future__ import annotations

import json
import sqlite3
import sys
from datetime import datetime
from pathlib import Path

import pytest
from helpers import a_product, a_source, environment, product, run, write_product, write_workspace

from dataops_mesh.ledger.trouble.incidents import incidents_of
from dataops_mesh.run.record import open_record
from dataops_mesh.watch.trouble import look

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))
NAME = "shop.orders"
ID = "{name: id, logicalType: integer, primaryKey: true, classification: public}"


def orders(*rows: int):
    text = "id\n" + "".join(f"{row}\n" for row in rows)
    return a_product(
        {"orders": [ID]},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select id::bigint as id from csv", "o.csv": text},
    )


@pytest.fixture
def settings(tmp_path):
    found = write_workspace(tmp_path, {"shop": {"orders": orders(1)}})
    assert run(found, NAME).published
    return found


def build(settings, *rows: int) -> datetime:
    """Run it and return when the record says that this run ended."""
    write_product(settings.root, "shop", "orders", orders(*rows))
    run(settings, NAME)
    with sqlite3.connect(environment(settings).store.ledger_file) as ledger:
        (last,) = ledger.execute("select max(finished) from candidates").fetchone()
    return datetime.fromisoformat(last)


def told(settings):
    with open_record(environment(settings)) as ledger:
        return incidents_of(ledger, [NAME])


def see(settings):
    return look([product(settings, NAME)], environment(settings), {})


def test_it_begins_with_the_first_refusal_and_ends_with_the_next_publication(settings):
    refused = build(settings, 2, 2)
    build(settings, 3, 3)
    (found,) = see(settings)
    assert found.opened == refused
    mended = build(settings, 4)
    build(settings, 5)
    assert see(settings) == ()
    (closed,) = told(settings)
    assert (closed.opened, closed.closed) == (refused, mended)


def test_until_somebody_looks_the_pages_say_that_it_is_over(settings):
    from eventful import browser

    build(settings, 2, 2)
    (incident,) = see(settings)
    pages = browser(settings)
    assert json.loads(pages.get(f"/api/products/{NAME}").text)["incidents"][0]["over"] is False
    build(settings, 4)
    pages = browser(settings)
    facts = json.loads(pages.get(f"/api/products/{NAME}").text)
    assert facts["standing"]["level"] == "well"
    assert [(one["incident"], one["over"]) for one in facts["incidents"]] == [
        (incident.incident, True)
    ]
    assert "UTC, over</span>" in pages.get(f"/products/{NAME}").text
    assert json.loads(pages.get(f"/api/incidents/{incident.incident}").text)["line"]["over"] is True
