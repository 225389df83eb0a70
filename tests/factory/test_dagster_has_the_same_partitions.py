"""Dagster knows exactly the partitions that the contract has by now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    write_workspace,
)

from dataops_mesh.factory.partitions import partitions_of
from dataops_mesh.run.due import due_partitions
from dataops_mesh.spec.partition import partitions_until
from dataops_mesh.store.log import Entry, Part

DAY = "{name: day, logicalType: date, primaryKey: true, partitioned: true}"
TODAY = datetime.now(UTC).date()


def sales(root, cadence, start, end):
    until = f", end: '{end}'" if end else ""
    setting = a_setting("partitions", f"{{cadence: {cadence}, start: '{start}'{until}}}")
    contract = a_contract("sales", [DAY]) + "customProperties:\n" + setting
    made = a_product(
        {"sales": contract},
        inputs=[a_source("csv", "s.csv")],
        files={"sales.sql": "select day::date as day from csv", "s.csv": "day\n"},
    )
    return write_workspace(root, {"shop": {"sales": made}})


@pytest.mark.parametrize("cadence", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize(
    "end",
    [None, TODAY + timedelta(days=400), TODAY + timedelta(days=1), TODAY,
     TODAY - timedelta(days=11), TODAY - timedelta(days=40)],
)  # fmt: skip
@pytest.mark.parametrize("back", [100, 46, 3])
def test_on_the_clock_of_the_wall(tmp_path, cadence, end, back):
    start = TODAY - timedelta(days=back)
    if end is not None and end <= start:
        end = start + timedelta(days=1)
    settings = sales(tmp_path, cadence, start, end)
    found = product(settings, "shop.sales")
    cut = partitions_of(found, settings)
    assert cut is not None
    assert found.partitioning is not None
    keys = [piece.key for piece in partitions_until(found.partitioning, datetime.now(UTC))]
    assert list(cut.get_partition_keys()) == keys
    assert keys


def test_a_product_whose_end_is_past_is_done(tmp_path, monkeypatch):
    settings = sales(tmp_path, "monthly", date(2020, 1, 1), date(2020, 3, 10))
    found, env = product(settings, "shop.sales"), environment(settings)
    # The last month is not over on 10 March, and is published as it was then.
    assert due_partitions(found, env)[-1] == "2020-03-01"
    monkeypatch.setattr("dataops_mesh.run.due._entry", lambda *_: _all(found))
    assert due_partitions(found, env) == ()


def _all(found) -> Entry:
    pieces = partitions_until(found.partitioning, datetime.now(UTC))
    parts = tuple(Part(piece.key, "c", 1, "f", 1, (), "x") for piece in pieces)
    return Entry("shop.sales", "c", 1, "f", 1, parts=parts)
