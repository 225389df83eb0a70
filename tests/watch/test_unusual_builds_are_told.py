"""What the gate remembers of a build, and what is said of one that is not like those before."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

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

from dataops_mesh.run.record import open_record
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.watch.usual.remarks import remarks
from dataops_mesh.web.facts.unusual import unusual_lines

COLUMNS = (
    "{name: id, logicalType: integer, classification: public}",
    "{name: amount, logicalType: number, classification: public}",
    "{name: salary, logicalType: number, classification: confidential}",
    "{name: note, logicalType: string}",
)
DAYS = 40


def orders(rows: list[tuple[object, ...]]) -> dict:
    text = "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)
    names = "id, amount, salary, note"
    return a_product(
        {"orders": a_contract("orders", list(COLUMNS))},
        inputs=[a_source("s", "s.csv")],
        files={
            "orders.sql": f"select {names} from s",
            "s.csv": f"{names.replace(' ', '')}\n{text}\n",
        },
    )


def usual(count: int) -> list[tuple[object, ...]]:
    return [(n, 10 + n % 3, 7777 + n % 3, "x") for n in range(count)]


@pytest.fixture
def settings(tmp_path):
    """A product that was published, and whose ledger says that it was so on forty days."""
    found = write_workspace(tmp_path, {"shop": {"orders": orders(usual(100))}})
    ref = run(found, "shop.orders").candidate
    tables = ("candidates", "ports", "profiles")
    with sqlite3.connect(environment(found).store.ledger_file) as db:
        for day in range(1, DAYS + 1):
            at = (datetime.now(UTC) - timedelta(days=day)).isoformat()
            for table in tables:
                names = [row[1] for row in db.execute(f"pragma table_info({table})")]
                said = {"candidate": "?", "finished": "?"}
                asked = ", ".join(said.get(name, f'"{name}"') for name in names)
                given = [f"{ref}-{day}"] + ([at] if "finished" in names else [])
                db.execute(
                    f"insert into {table} select {asked} from {table} where candidate = ?",
                    [*given, ref],
                )
    return found


def told(settings) -> dict[tuple[str, str], str]:
    with open_record(environment(settings)) as ledger:
        found = remarks(ledger, "shop.orders")
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
        found = unusual_lines(ledger, product(settings, "shop.orders"))
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
