"""Nobody is told that something is late which a person holds, nor what is built from it."""

from __future__ import annotations

import time

from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    lift,
    product,
    run,
    slos,
    write_workspace,
)

from dataops_mesh.run.word.hold import hold_product
from dataops_mesh.watch.trouble import look

SOON = "slaProperties:\n  - {property: freshness, value: 1, unit: s}\n"
COLUMN = "{name: id, logicalType: integer, primaryKey: true, classification: public}"


def reader(source: str, port: str) -> dict[str, str | bytes]:
    return a_product(
        {port: a_contract(port, [COLUMN], extra=SOON)},
        inputs=[an_input(source)],
        files={f"{port}.sql": f"select id from {source}"},
    )


def test_what_is_held_and_what_reads_it_is_not_late(tmp_path):
    first = a_product(
        {"orders": a_contract("orders", [COLUMN], extra=SOON)},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select id::bigint as id from csv", "o.csv": "id\n1\n"},
    )
    names = ["shop.orders", "shop.near", "shop.far", "shop.other"]
    products = {"orders": first, "near": reader("shop.orders", "near")}
    products |= {"far": reader("shop.near", "far")}
    products["other"] = {
        name.replace("orders", "other"): text.replace("orders", "other")
        if name != "o.csv"
        else text
        for name, text in first.items()
    }
    settings = write_workspace(tmp_path, {"shop": products})
    for name in names:
        assert run(settings, name).published
    place, found = environment(settings), [product(settings, name) for name in names]
    time.sleep(1.1)
    assert {slo.runs for slo in slos(found, place).values()} == {"late"}
    hold_product(found[0], place, "look first")
    runs = {name: slo.runs for name, slo in slos(found, place).items()}
    assert runs == dict.fromkeys(names, "held") | {"shop.other": "late"}
    assert [item.trouble.product for item in look(found, place, {})] == ["shop.other"]
    lift(settings, "shop.orders")
    assert {slo.runs for slo in slos(found, place).values()} == {"late"}


def test_a_run_that_a_hold_stopped_is_no_incident_once_it_is_lifted(tmp_path):
    made = a_product({"orders": [COLUMN]}, files={"orders.sql": "select 1 as id"})
    settings = write_workspace(tmp_path, {"shop": {"orders": made}})
    assert run(settings, "shop.orders").published
    place, found = environment(settings), [product(settings, "shop.orders")]
    hold_product(found[0], place, "look first")
    assert not run(settings, "shop.orders").published
    (stopped,) = look(found, place, {})
    assert "is held by ana" in stopped.trouble.why
    lift(settings, "shop.orders")
    assert look(found, place, {}) == ()
