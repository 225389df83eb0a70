"""A sensor rests while the mark of the ledger is the same: so every row must change it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Integer, create_engine, select, update
from sqlalchemy.types import String, Text

from dataops_mesh.ledger import open_ledger, schema
from dataops_mesh.ledger.database import transaction
from dataops_mesh.ledger.mark import _newest, mark_of
from dataops_mesh.ledger.write import add

NAMES = ("shop.orders", "shop.other")
TABLES = ("candidates", "attempts", "audits", "incidents", "operations", "declarations")
EARLY, LATE = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"


def a_row(table, number: int, at: str) -> dict[str, Any]:
    """Return a row of a product; its times are `at`."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.name == "product":
            row[column.name] = NAMES[0]
        elif column.name in {"at", "finished", "started", "opened", "ended", "registered"}:
            row[column.name] = at
        elif column.nullable:
            row[column.name] = None
        elif isinstance(column.type, String | Text):
            row[column.name] = f"x{number}"
        else:
            row[column.name] = number if isinstance(column.type, Integer) else 0.5
    return row


def insert(url: str, name: str, number: int, at: str) -> None:
    ledger = open_ledger(url)
    table = schema.metadata.tables[name]
    with transaction(ledger) as connection:
        add(connection, table, [a_row(table, number, at)])
    ledger.close()


def asked(url: str) -> Any:
    """Ask a database that is not SQLite's file, on one that is."""
    with create_engine(url).connect() as connection:
        return tuple(connection.execute(_newest(NAMES)).one())


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("ask", [lambda url: mark_of(url, NAMES), asked])
def test_every_row_changes_the_mark(tmp_path, name, ask):
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    open_ledger(url).close()
    marks = [ask(url)]
    # The second is older than the first: another host's clock may be behind.
    for number, at in ((1, LATE), (2, EARLY)):
        insert(url, name, number, at)
        marks.append(ask(url))
    assert len(set(marks)) == 3


def test_an_incident_that_somebody_closes_changes_the_mark(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    insert(url, "incidents", 1, EARLY)
    before = asked(url)
    ledger = open_ledger(url)
    with transaction(ledger) as connection:
        connection.execute(update(schema.incidents).values(closed=LATE))
    assert asked(url) != before


def test_who_only_reads_leaves_the_mark_alone(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    insert(url, "candidates", 1, EARLY)
    before = mark_of(url, NAMES)
    for _ in range(2):
        ledger = open_ledger(url)
        with transaction(ledger) as connection:
            connection.execute(select(schema.candidates)).all()
            assert mark_of(url, NAMES) == before, "its log is empty"
            add(connection, schema.operations, [])
        ledger.close()
        assert mark_of(url, NAMES) == before


def test_what_is_written_changes_the_mark_before_the_writer_is_done(tmp_path):
    """A process that keeps the ledger open leaves its rows in the log beside it."""
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    ledger = open_ledger(url)
    marks = [mark_of(url, NAMES)]
    for number in (1, 2):
        with transaction(ledger) as connection:
            add(connection, schema.audits, [a_row(schema.audits, number, f"{EARLY}{number}")])
        marks.append(mark_of(url, NAMES))
    ledger.close()
    assert len(set(marks)) == 3
