"""On PostgreSQL too, a fact is told once and a channel by one of those who look."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from helpers import a_contract, a_product, a_source, environment, run, write_workspace
from postgres import binaries, postgres

from dataops_mesh.ledger import open_ledger, record_candidate
from dataops_mesh.ledger.measured import measured
from dataops_mesh.ledger.trouble.claims import LEASE_SECONDS, Claim, give_up, take
from dataops_mesh.ledger.trouble.deliveries import delivered, record_delivery
from dataops_mesh.ledger.trouble.faults import audits_after, refusals_after
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.record import plain

pytestmark = pytest.mark.needs_postgres
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = a_product(
    {"orders": a_contract("orders", ["{name: id, logicalType: integer, primaryKey: true}"])},
    inputs=[a_source("s", "s.csv")],
    files={"orders.sql": "select id from s", "s.csv": "id\n1\n2\n"},
)


@pytest.fixture
def url():
    assert binaries()
    with postgres() as found:
        yield found


def test_one_of_many_takes_a_claim_and_a_dead_holder_loses_it(url):
    claim = Claim("incident", "oncall", "opened")
    ledgers = [open_ledger(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        took = list(pool.map(lambda n: take(ledgers[n], claim, f"d{n}", NOW), range(4)))
    assert sum(took) == 1
    later = NOW + timedelta(seconds=LEASE_SECONDS + 1)
    assert take(ledgers[0], claim, "next", later)
    record_delivery(ledgers[0], "incident", "oncall", "opened", later)
    give_up(ledgers[0], claim, "next")
    assert not take(ledgers[1], claim, "again", later)
    assert "opened" in delivered(ledgers[2], ["incident"])["incident", "oncall"]
    for ledger in ledgers:
        ledger.close()


def test_a_candidate_is_new_once_and_its_numbers_are_known(url, tmp_path):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": ORDERS}}, settings=f'ledger = "{url}"\n'
    )
    place = environment(settings)
    report = run(settings, "shop.orders")
    manifest = plain(read_manifest(place.store, report.candidate))
    told: list[str] = []
    ledger = open_ledger(url, lambda facts: told.extend(str(fact["event"]) for fact in facts))
    assert not record_candidate(ledger, manifest)
    assert told == []
    other = {**manifest, "candidate": f"{manifest['candidate']}x"}
    assert [record_candidate(ledger, other) for _ in range(3)] == [True, False, False]
    assert told.count("built") == 1
    numbers = measured(ledger, "shop.orders")
    assert numbers is not None
    assert (numbers.rows, numbers.before, numbers.refusals) == (2, None, 0)
    assert refusals_after(ledger, "shop.orders", "", NOW) == frozenset()
    assert audits_after(ledger, "shop.orders", None) == frozenset()
    ledger.close()
