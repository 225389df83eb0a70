"""Published data that breaks its contract later is found, and is an incident until it is mended."""

from __future__ import annotations

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    product,
    run,
    slos,
    write_workspace,
)

from dataops_mesh.errors import NotPublishedError
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.watch.monitor import audit_published
from dataops_mesh.watch.trouble import look

COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true, classification: public}",
    "{name: day, logicalType: date, classification: public}",
]
# A rule about the clock: true when it was published, false a month later.
YOUNG = (
    "{name: young, type: sql, mustBe: 0, query: "
    '"select count(*) from {object} where day < (mesh_now()::date - interval 20 days)"}'
)
FRESH = "slaProperties:\n  - {property: freshness, value: 10, unit: d, element: orders.day}\n"


@pytest.fixture
def shop(tmp_path):
    content = a_product(
        ports={"orders": a_contract("orders", COLUMNS, YOUNG, extra=FRESH)},
        inputs=[a_source("csv", "o.csv")],
        files={
            "orders.sql": "select id::bigint as id, day::date as day from csv",
            "o.csv": "id,day\n1,2026-03-01\n",
        },
    )
    return write_workspace(tmp_path, {"shop": {"orders": content}})


def at(settings, day):
    return environment(load_settings(settings.root, now=f"{day}T00:00:00+00:00"))


def published(settings):
    from dataops_mesh.run.product import run_product

    return run_product(product(settings, "shop.orders"), at(settings, "2026-03-02"), run_id="r1")


def test_the_same_checks_run_on_published_data_and_build_nothing(shop):
    report = published(shop)
    assert report.published
    before = sorted(shop.store_folder.rglob("*.parquet"))
    audit = audit_published(product(shop, "shop.orders"), at(shop, "2026-03-03"))
    assert audit.outcome is Outcome.PASSED
    assert audit.publication == report.publication
    assert {c.name for c in audit.checks} == {c.name for c in report.checks}
    assert sorted(shop.store_folder.rglob("*.parquet")) == before


def test_what_escaped_the_gate_is_an_incident_until_it_is_mended(shop):
    published(shop)
    found = product(shop, "shop.orders")
    later = at(shop, "2026-04-02")
    audit = audit_published(found, later)
    assert audit.outcome is Outcome.FAILED
    assert [result.check for result in audit.failures] == ["young"]
    kinds = {(i.trouble.kind, i.trouble.subject) for i in look([found], later, {})}
    assert kinds == {("escaped", ""), ("late", "data")}
    assert slos([found], later)["shop.orders"].data == "stale"
    audit_published(found, at(shop, "2026-03-03"))
    assert look([found], later, {}) == ()
    assert slos([found], later)["shop.orders"].data == "fresh"


def test_a_new_publication_ends_the_incident_of_the_old_one(shop):
    published(shop)
    found = product(shop, "shop.orders")
    later = at(shop, "2026-04-02")
    audit_published(found, later)
    (shop.root / "domains/shop/orders/o.csv").write_text("id,day\n1,2026-04-01\n")
    from dataops_mesh.run.product import run_product

    assert run_product(found, later, run_id="r2").published
    assert look([found], later, {}) == ()


def test_a_look_that_did_not_ask_dagster_keeps_its_incidents(shop):
    from dataops_mesh.watch.trouble import LostRun

    found, here = product(shop, "shop.orders"), environment(shop)
    assert len(look([found], here, {"shop.orders": LostRun("r", "killed")})) == 1
    assert len(look([found], here)) == 1
    assert look([found], here, {}) == ()


def test_nothing_published_is_said_with_the_command(shop):
    with pytest.raises(NotPublishedError, match=r"mesh run shop\.orders"):
        audit_published(product(shop, "shop.orders"), environment(shop))


def test_a_refused_run_leaves_the_audit_of_the_good_publication_alone(shop):
    published(shop)
    (shop.root / "domains/shop/orders/o.csv").write_text("id,day\n1,2026-03-01\n1,2026-03-01\n")
    assert not run(shop, "shop.orders").published
    found = product(shop, "shop.orders")
    assert audit_published(found, at(shop, "2026-03-03")).outcome is Outcome.PASSED
    assert {i.trouble.kind for i in look([found], at(shop, "2026-03-03"), {})} == {"caught"}
