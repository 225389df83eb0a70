"""`mesh hold`: what a person decided stands, is seen, and ends when somebody says so."""

from __future__ import annotations

import sqlite3

from cli_cases import orders
from helpers import write_product


def on_record(settings):
    """Read the table with nothing of ours."""
    with sqlite3.connect(settings.store_folder / "ledger.sqlite") as connection:
        return connection.execute(
            "select operation, subjects, person, reason from operations"
        ).fetchall()


def test_a_rollback_holds_says_so_and_a_lift_ends_it(mesh, workspace):
    assert mesh("run").code == 0
    write_product(workspace.root, "shop", "orders", orders("id\n1\n2\n3\n"))
    assert mesh("run").code == 0
    said = mesh("rollback", "shop.orders", "--reason", "wrong prices")
    assert "held from now on: shop.orders is held by a rollback by ana since" in said.err
    assert 'to lift it: mesh hold lift shop.orders --reason "..."' in said.err
    said = mesh("run", "--format", "json")
    assert said.code == 1
    ended = {row["product"]: row["ended"] for row in said.json}
    assert ended == {"shop.orders": "refused", "desk.totals": "published"}, "its consumer goes on"
    (refused,) = (row for row in said.json if row["product"] == "shop.orders")
    assert "wrong prices; to lift it: mesh hold lift shop.orders" in refused["reasons"][0]
    (held,) = mesh("hold", "list", "--format", "json").json
    assert (held["product"], held["by"], held["person"], held["reason"]) == (
        "shop.orders", "rollback", "ana", "wrong prices",
    )  # fmt: skip
    assert held["ends"] == "when lifted, or when other code brings other rows"
    by_port = {row["port"]: row["held"] for row in mesh("status", "--format", "json").json}
    assert by_port["shop.orders"].startswith("held by a rollback by ana since")
    assert by_port["desk.totals"] == "reads shop.orders"
    assert "wrong prices" in mesh("status").out
    said = mesh("hold", "lift", "shop.orders", "--reason", "it was right after all")
    assert said.code == 0
    assert "shop.orders is free since release" in said.err
    assert mesh("run").code == 0
    assert mesh("hold", "list").err.strip() == "nothing is held"
    assert mesh("hold", "lift", "shop.orders", "--reason", "again").code == 2
    what = [row["what"] for row in mesh("history", "shop.orders", "--format", "json").json]
    assert what == ["published", "lift", "refused", "rollback", "published", "published"]


def test_a_hold_needs_a_product_and_a_reason(mesh, workspace):
    assert mesh("hold", "add", "shop.orders").code == 2
    assert mesh("hold", "add", "shop.nothing", "--reason", "x").code == 2
    assert mesh("hold", "add", "shop.orders", "--partition", "x", "--reason", "x").code == 2
    assert mesh("hold", "add", "shop.orders", "--reason", "audit").code == 0
    assert mesh("run", "shop.orders").code == 1
    (operation,) = (row for row in on_record(workspace) if row[0] == "hold")
    assert operation[1:] == ('["shop.orders"]', "ana", "audit")
