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
    done = mesh("rollback", "shop.orders", "--to", "1", "--reason", "x")
    assert done.code == 0
    assert "back to publication 1\n" in done.err
    found = of(mesh)[4]
    assert found["back"] == ["back to publication 1"]
    assert found["rows"] == ["shop.orders: 3 -> 2 rows (-1)"]
    assert found["columns"] == ["shop.orders: -name"]
    assert "changed" in mesh("history", "shop.orders").out


DAILY = (
    "customProperties:\n- {property: partitions, vendor: dataops_mesh, "
    "value: {cadence: daily, start: '2026-11-01', end: '2026-11-04'}}\n"
)
DAY = "{name: day, logicalType: date, required: true, partitioned: true}"


def test_a_new_partition_changes_no_check_and_one_that_is_rolled_back_says_to_what(mesh, workspace):
    query = "select partition_start() as day, v from src"
    for number, csv in enumerate(("v\n1\n", "v\n1\n2\n")):
        files = a_product(
            ports={
                "days": a_contract("days", [DAY, "{name: v, logicalType: integer}"], extra=DAILY)
            },
            inputs=[a_source("src", "src.csv")],
            files={"days.sql": query.replace("v from", "v::bigint as v from"), "src.csv": csv},
        )
        write_product(workspace.root, "shop", "days", files)
        days = ("2026-11-01", "2026-11-02") if number == 0 else ("2026-11-02",)
        for day in days:
            assert mesh("run", "shop.days", "--partition", day).code == 0
    undone = mesh("rollback", "shop.days", "--partition", "2026-11-02", "--reason", "wrong")
    assert undone.code == 0
    assert "back to publication 2" in undone.err
    events = mesh("history", "shop.days", "--format", "json").json
    assert not [c for e in events for c in e["changes"] if c["kind"] == "checks"]
    assert "back to publication 2" in events[0]["changed"]
