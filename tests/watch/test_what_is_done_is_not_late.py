"""A product whose last partition is published waits for nothing, whatever it promised (B47)."""

from __future__ import annotations

import time

import pytest
from helpers import a_contract, a_product, a_setting, a_source, environment, product, slos
from helpers import write_workspace as write

from dataops_mesh.factory.freshness import unexpected
from dataops_mesh.run.due import due_partitions
from dataops_mesh.run.product import run_product
from dataops_mesh.run.record import open_record
from dataops_mesh.store.log import latest
from dataops_mesh.watch.states import states
from dataops_mesh.watch.trouble import look

CUTS = {
    "daily": ("date", "2020-01-01", "2020-01-03", ["2020-01-01", "2020-01-02"]),
    "weekly": ("date", "2020-01-01", "2020-01-08", ["2019-12-30", "2020-01-06"]),
    "monthly": ("date", "2020-01-15", "2020-02-02", ["2020-01-01", "2020-02-01"]),
    "hourly": ("timestamp", "2020-01-01", "2020-01-02", [f"2020-01-01T{n:02}" for n in range(24)]),
}
ORDERS = "shop.orders"


@pytest.mark.parametrize("cadence", CUTS)
def test_a_product_past_its_end_is_late_for_ever(tmp_path, cadence):
    kind, start, end, keys = CUTS[cadence]
    column = f"{{name: at, logicalType: {kind}, primaryKey: true, partitioned: true}}"
    cut = a_setting("partitions", f"{{cadence: {cadence}, start: '{start}', end: '{end}'}}")
    promise = "slaProperties:\n  - {property: frequency, value: 1, unit: s}\n"
    contract = a_contract("orders", [column], extra=promise) + "customProperties:\n" + cut
    made = a_product(
        {"orders": contract},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": f"select partition_start()::{kind} as at from csv", "o.csv": "n\n1\n"},
    )
    settings = write(tmp_path, {"shop": {"orders": made}})
    orders, place = product(settings, ORDERS), environment(settings)

    def build(several) -> None:
        for key in several:
            assert run_product(orders, place, run_id=key, partition=key).published

    build(keys[:1])
    time.sleep(1.6)
    assert slos([orders], place)[ORDERS].runs == "late", "the last one is still to come"
    assert unexpected([orders], settings) == frozenset()
    assert [one.trouble.kind for one in look([orders], place, {})] == ["late"]
    build(keys[1:])
    time.sleep(1.6)
    assert due_partitions(orders, place) == ()
    assert slos([orders], place)[ORDERS].runs == ""
    assert look([orders], place, {}) == ()
    assert unexpected([orders], settings) == {ORDERS}
    with open_record(place) as ledger:
        now = settings.clock()
        state = states({ORDERS: orders}, ledger, latest(place.store), now)[ORDERS]
    assert state.word == "well"
