"""What the gate remembers of a build, and what is said of one that is not like those before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    product,
    run,
    write_product,
    write_workspace,
)
from history import orders, remembered, usual

from dataops_mesh.run.record import open_record
from dataops_mesh.run.usual.remarks import remarks
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.watch.states import State
from dataops_mesh.web.facts.unusual import unusual_lines

WELL = State("shop.orders", "well")


@pytest.fixture
def settings(tmp_path):
    return remembered(tmp_path)


def told(settings) -> dict[tuple[str, str], str]:
    with open_record(environment(settings)) as ledger:
        found = remarks(ledger, "shop.orders", datetime.now(UTC))
    return {(one.kind, one.column): one.sentence for one in found}


def test_the_gate_remembers_nulls_and_means_of_what_may_be_shown(settings):
    report = run(settings, "shop.orders")
    profile = read_manifest(environment(settings).store, report.candidate).profile
    assert {(one.column, one.nulls, one.mean) for one in profile} == {
        ("id", 0, 49.5), ("amount", 0, 10.99), ("salary", 0, None), ("note", 0, None),
    }  # fmt: skip
    assert told(settings) == {}


def test_half_of_the_rows_nulls_and_another_mean_are_told(settings):
    rows = [(n, 40, None if n % 2 else 7777, None if n % 3 else "x") for n in range(40)]
    write_product(settings.root, "shop", "orders", orders(rows))
    assert run(settings, "shop.orders").publication is not None  # a remark refuses nothing
    found = told(settings)
    assert found.keys() == {
        ("rows", ""), ("nulls", "salary"), ("nulls", "note"), ("mean", "amount"), ("mean", "id"),
    }  # fmt: skip
    assert found["rows", ""].startswith("40 rows; 56 to 178 would be usual")
    assert found["nulls", "salary"].startswith("salary is null in 50 % of the rows; 0 to 1 %")
    assert found["mean", "amount"].startswith("amount is 40 on average; 7.6")


def test_a_build_that_takes_much_longer_is_told(settings):
    ref = run(settings, "shop.orders").candidate
    file = environment(settings).store.ledger_file
    for seconds, expected in ((15, set()), (300, {("seconds", "")})):
        with closing(sqlite3.connect(file)) as db, db:
            said = "update candidates set seconds = ? where candidate = ?"
            db.execute(said, [seconds, ref])
        assert told(settings).keys() == expected
    assert told(settings)["seconds", ""].startswith("it took 300 s; 0 to ")


def test_of_few_rows_there_is_no_mean(settings):
    write_product(settings.root, "shop", "orders", orders(usual(9)))
    report = run(settings, "shop.orders")
    profile = read_manifest(environment(settings).store, report.candidate).profile
    assert {one.mean for one in profile} == {None}


def test_a_column_that_is_classified_today_shows_no_mean_of_yesterday(settings):
    rows = [(n, 40, 7777, "x") for n in range(100)]
    write_product(settings.root, "shop", "orders", orders(rows))
    run(settings, "shop.orders")
    assert ("mean", "amount") in told(settings)
    file = settings.root / "domains" / "shop" / "orders" / "orders.odcs.yaml"
    text = file.read_text("utf-8").replace(
        "{name: amount, logicalType: number, classification: public}",
        "{name: amount, logicalType: number, classification: confidential}",
    )
    file.write_text(text, "utf-8")
    with open_record(environment(settings)) as ledger:
        found = unusual_lines(ledger, product(settings, "shop.orders"), datetime.now(UTC), WELL)
    assert found == ()


@pytest.mark.parametrize("kind", ["integer", "number"])
def test_numbers_at_the_edge_of_their_type_end_no_run(tmp_path, kind):
    column = f"{{name: id, logicalType: {kind}, classification: public}}"
    found = write_workspace(
        tmp_path,
        {"shop": {"big": a_product(
            {"big": a_contract("big", [column])},
            inputs=[a_source("s", "s.csv")],
            files={
                "big.sql": "select 9223372036854775807 as id from range(20), s"
                if kind == "integer"
                else "select 'inf'::double as id from range(20), s",
                "s.csv": "id\n1\n",
            },
        )}},
    )  # fmt: skip
    assert run(found, "shop.big").candidate
