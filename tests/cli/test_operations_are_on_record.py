"""What a person does is on record before it takes effect; what cannot be recorded is not done."""

from __future__ import annotations

import json
import sqlite3

import pytest
from cli_cases import orders
from helpers import a_product, an_input, write_product

RULE = "{name: enough, metric: rowCount, mustBeGreaterOrEqualTo: 2}"
PACT = "domains/shop/orders/accepted/desk.totals.yaml"


@pytest.fixture
def lived_in(workspace, mesh):
    """Two publications, and a consumer that expects something."""
    consumer = a_product(
        ports={"totals": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders", RULE)],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )
    write_product(workspace.root, "desk", "totals", consumer)
    assert mesh("run").code == 0
    write_product(workspace.root, "shop", "orders", orders("id\n1\n2\n3\n"))
    assert mesh("run", "shop.orders").code == 0
    return workspace


def on_record(settings) -> list[tuple]:
    """Read the table with nothing of ours."""
    with sqlite3.connect(settings.store_folder / "ledger.sqlite") as connection:
        return connection.execute(
            "select operation, subjects, person, repository, reason, release, details"
            " from operations order by number"
        ).fetchall()


def test_every_operation_has_a_row_with_its_person(lived_in, mesh, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_PERSON", "lea")
    monkeypatch.setenv("DATAOPS_MESH_GRACE", "0")
    monkeypatch.setenv("DATAOPS_MESH_KEEP_PUBLICATIONS", "1")
    monkeypatch.setenv("DATAOPS_MESH_REPOSITORY", "git.example/shop")
    for command in (
        ("rollback", "shop.orders", "--reason", "a bad day"),
        ("accept", "desk.totals", "--for", "shop.orders"),
        ("domain", "register"),
        ("domain", "assign", "desk", "."),
        ("store", "catalog", "rebuild"),
        ("store", "gc"),
        ("store", "gc", "--yes"),
    ):
        said = mesh(*command)
        assert said.code == 0, said.err
    (lived_in.store_folder / "releases" / "00000004.json").write_text("{}", "utf-8")
    mesh("store", "verify", "--repair")
    rows = on_record(lived_in)
    assert [row[0] for row in rows] == [
        "rollback", "accept", "register", "register", "assign", "catalog", "collect", "repair",
    ]  # fmt: skip
    assert {row[2] for row in rows} == {"lea"}
    assert {row[3] for row in rows} == {"git.example/shop"}
    named = {row[0]: json.loads(row[1]) for row in rows}
    assert named["rollback"] == ["shop.orders"]
    assert named["accept"] == ["desk.totals", "shop.orders"]
    assert named["assign"] == ["desk"]
    assert named["repair"] == ["release 4"]
    assert all(ref.startswith("shop/orders/") for ref in named["collect"])
    assert (rows[0][4], rows[0][5]) == ("a bad day", 3)
    assert json.loads(rows[6][6])["releases"] == [1, 3]  # 2 is what desk.totals reads


def test_what_cannot_be_recorded_is_not_done(lived_in, mesh, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_LEDGER", "sqlite:////proc/nowhere/ledger.sqlite")
    catalog = lived_in.store_folder / "catalog.duckdb"
    before = catalog.read_bytes()
    for command in (
        ("rollback", "shop.orders", "--reason", "x"),
        ("accept", "desk.totals", "--for", "shop.orders"),
        ("domain", "assign", "desk", "git.example/desk"),
        ("store", "catalog", "rebuild"),
    ):
        said = mesh(*command)
        assert said.code == 2, command
        assert "the ledger cannot be used" in said.err
    monkeypatch.delenv("DATAOPS_MESH_LEDGER")
    assert len(list((lived_in.store_folder / "releases").glob("*.json"))) == 3
    assert not (lived_in.root / PACT).exists()
    assert "git.example/desk" not in mesh("domain", "list", "--format", "json").out
    assert catalog.read_bytes() == before
    assert on_record(lived_in) == []
