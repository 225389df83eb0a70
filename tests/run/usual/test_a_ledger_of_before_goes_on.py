"""A ledger that was written before different values were counted is read, and goes on."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers import environment, run, write_product
from history import orders, remembered
from sqlalchemy import create_engine, inspect, select, text

sys.path.insert(0, str(Path(__file__).parents[2] / "production"))

from postgres import postgres

from dataops_mesh.ledger import Ledger, open_ledger, record_candidate, schema
from dataops_mesh.ledger.database import transaction
from dataops_mesh.ledger.usual import last_builds
from dataops_mesh.run.record import open_record
from dataops_mesh.run.usual.remarks import remarks

TABLE = "distinct_counts"
NOW = datetime(2026, 6, 1, 6, tzinfo=UTC)


def manifest(day: int, **column: object) -> dict[str, object]:
    """Return of a manifest what the ledger keeps; without `distinct` it is one of before."""
    at = (NOW + timedelta(days=day)).isoformat()
    same = ("product_version", "transform_fingerprint", "code_version", "git_commit", "run_id")
    return dict.fromkeys((*same, "person"), "x") | {
        "candidate": f"shop/orders/{day:04d}",
        "product": "shop.orders",
        "verdict": "publish",
        "started": at,
        "finished": at,
        "now": at,
        "base": 0,
        "reasons": [],
        "inputs": [],
        "results": [],
        "checks_declared": 0,
        "coverage": None,
        "ports": [{"address": "shop.orders", "rows": 100, "bytes": 1}],
        "profile": [{"port": "shop.orders", "column": "c", "nulls": 0, "mean": None} | column],
    }


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.sqlite"
        return
    with postgres() as found:
        yield found


def as_before(url: str, write: Callable[[Ledger], None]) -> None:
    """Write a ledger with the tables of before: the only difference is one that was not there."""
    ledger = open_ledger(url)
    write(ledger)
    with transaction(ledger) as connection:
        connection.execute(text(f"DROP TABLE {TABLE}"))
    ledger.close()


def test_old_builds_stay_and_new_ones_are_added(url):
    def write(ledger: Ledger) -> None:
        for day in range(40):
            record_candidate(ledger, manifest(day))

    as_before(url, write)
    ledger = open_ledger(url)
    for day in range(40, 80):
        record_candidate(ledger, manifest(day, distinct=30))
    record_candidate(ledger, manifest(80, distinct=3))
    builds = last_builds(ledger, "shop.orders", 365)["shop.orders"]
    assert [one.columns["c"].distinct for one in builds] == [None] * 40 + [30] * 40 + [3]
    found = remarks(ledger, "shop.orders", NOW)
    assert [(one.kind, one.column) for one in found] == [("distinct", "c")]
    record_candidate(ledger, manifest(80, distinct=3))  # again makes no difference
    with transaction(ledger) as connection:
        assert len(connection.execute(select(schema.distinct_counts)).all()) == 41
    ledger.close()


def test_who_opens_it_changes_no_table_that_an_older_version_reads(url):
    def columns() -> dict[str, list[str]]:
        engine = create_engine(url)
        seen = inspect(engine)
        found = {name: [one["name"] for one in seen.get_columns(name)]
                 for name in seen.get_table_names()}  # fmt: skip
        engine.dispose()
        return found

    as_before(url, lambda ledger: record_candidate(ledger, manifest(1)) and None)
    before = columns()
    open_ledger(url).close()
    assert columns() == before | {TABLE: ["candidate", "address", "column", "count"]}


def test_a_store_of_before_tells_what_it_knew(tmp_path):
    settings = remembered(tmp_path)
    file = environment(settings).store.ledger_file
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(f"drop table {TABLE}")
    write_product(settings.root, "shop", "orders", orders([(1, 11, 7777, "x")] * 100))
    assert run(settings, "shop.orders").publication is not None
    with open_record(environment(settings)) as ledger:
        found = {
            (one.kind, one.column) for one in remarks(ledger, "shop.orders", datetime.now(UTC))
        }
    assert ("mean", "id") in found
    assert not [one for one in found if one[0] == "distinct"], "nobody counted them before"


def test_one_that_may_only_be_read_is_read(tmp_path):
    file = tmp_path / "ledger.sqlite"
    as_before(f"sqlite:///{file}", lambda ledger: record_candidate(ledger, manifest(1)) and None)
    sealed = create_engine(f"sqlite:///file:{file}?mode=ro&immutable=1&uri=true")
    builds = last_builds(Ledger(sealed, writable=False), "shop.orders", 10)["shop.orders"]
    assert [one.columns["c"].distinct for one in builds] == [None]
    sealed.dispose()
