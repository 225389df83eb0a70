"""`mesh history` says what each publication changed, and still does after a collection."""

from __future__ import annotations

import pytest
from helpers import a_contract, a_product, a_source, run, write_product

CSV = "id,name\n1,a\n2,b\n"
ID = "{name: id, logicalType: integer, primaryKey: true}"
NAME = "{name: name, logicalType: string, required: true}"
RULE = "{name: some, metric: rowCount, mustBeGreaterThan: %s}"


def declare(workspace, columns, *rules: str, sql: str, csv: str = CSV, version: str = "1.0.0"):
    files = a_product(
        ports={"orders": a_contract("orders", columns, *rules)},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": sql, "orders.csv": csv},
        extra=f"version: {version}\n",
    )
    write_product(workspace.root, "shop", "orders", files)


@pytest.fixture
def changed(mesh, workspace, monkeypatch):
    """A first publication, then one in which everything is another, then one that is the same."""
    monkeypatch.setenv("DATAOPS_MESH_GRACE", "0")
    declare(workspace, [ID], RULE % 0, sql="select id::bigint as id from orders_csv")
    assert run(workspace, "shop.orders").published
    declare(
        workspace,
        [ID, NAME],
        RULE % 1,
        sql="select id::bigint as id, name from orders_csv",
        csv=CSV + "3,c\n",
        version="1.1.0",
    )
    assert run(workspace, "shop.orders").published
    assert run(workspace, "shop.orders").published


def of(mesh) -> dict[int, dict[str, list[str]]]:
    events = mesh("history", "shop.orders", "--format", "json").json
    found: dict[int, dict[str, list[str]]] = {}
    for event in events:
        by_kind = found.setdefault(event["publication"], {})
        for change in event["changes"]:
            by_kind.setdefault(change["kind"], []).append(change["what"])
    return found


def test_each_kind_of_change_is_told(changed, mesh):
    found = of(mesh)
    assert found[1] == {"first": ["the first publication"]}
    assert found[2]["rows"] == ["shop.orders: 2 -> 3 rows (+1)"]
    assert found[2]["columns"] == ["shop.orders: +name VARCHAR"]
    assert found[2]["version"] == ["version 1.0.0 -> 1.1.0"]
    (checks,) = found[2]["checks"]
    assert "+shop.orders name_required" in checks
    assert "shop.orders some changed" in checks
    assert found[2]["transform"][0].startswith("transform ")
    assert found[2]["inputs"] == ["orders_csv: other content"]
    assert found[3] == {"content": ["the same content"]}


def test_it_is_still_told_when_the_data_is_gone(changed, mesh, monkeypatch):
    before = of(mesh)
    monkeypatch.setenv("DATAOPS_MESH_KEEP_PUBLICATIONS", "1")
    assert mesh("gc", "--yes").code == 0
    assert of(mesh) == before


def test_a_rollback_tells_what_it_takes_back(changed, mesh):
    assert mesh("rollback", "shop.orders", "--to", "1", "--reason", "x").code == 0
    found = of(mesh)[4]
    assert found["rows"] == ["shop.orders: 3 -> 2 rows (-1)"]
    assert found["columns"] == ["shop.orders: -name"]
    assert "changed" in mesh("history", "shop.orders").out
