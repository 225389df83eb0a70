"""`mesh run PRODUCT --reproduce N`, through the gate, as somebody types it."""

from __future__ import annotations

from helpers import environment, write_product

from dataops_mesh.ledger import pieces_of
from dataops_mesh.run.record import open_record
from dataops_mesh.store.log import latest_number


def everything(settings) -> list:
    """What is on record of runs: attempts, operations, publications."""
    with open_record(environment(settings)) as ledger:
        pieces = [pieces_of(ledger, number) for number in range(1, 9)]
    return [pieces, latest_number(environment(settings).store)]


def test_an_old_publication_is_identical_though_its_file_is_overwritten(mesh, workspace):
    assert mesh("run").code == 0
    write_product(workspace.root, "shop", "orders", {"orders.csv": "id\n7\n"})
    assert mesh("run", "shop.orders").code == 0
    before, history = everything(workspace), mesh("show", "shop.orders", "--history").out
    said = mesh("run", "shop.orders", "--reproduce", "1")
    assert said.code == 0, said.err
    assert "publication 1 of shop.orders is identical" in said.err
    (row,) = mesh("run", "shop.orders", "--reproduce", "1", "--format", "json").json
    assert (row["found"], row["rows"], row["again"], row["gone"]) == ("identical", 2, 2, [])
    assert everything(workspace) == before
    assert mesh("show", "shop.orders", "--history").out == history


def test_what_differs_or_is_gone_is_told_with_exit_code_1(mesh, workspace):
    sql = "select (id * 1e9 + floor(random() * 1e8))::bigint as id from orders_csv"
    more = {"orders.sql": sql}
    write_product(workspace.root, "shop", "orders", more)
    assert mesh("run", "shop.orders").code == 0
    said = mesh("run", "shop.orders", "--reproduce", "1")
    assert said.code == 1
    assert "another one" in said.err
    assert "different" in said.out
    write_product(
        workspace.root,
        "shop",
        "orders",
        {"orders.sql": "select (id + 1)::bigint as id from orders_csv"},
    )
    said = mesh("run", "shop.orders", "--reproduce", "1")
    assert said.code == 1
    assert "cannot be built again: it was built from no commit" in said.err


def test_what_makes_no_sense_together_is_said(mesh, workspace):
    assert workspace
    assert mesh("run", "--reproduce", "1").code == 2
    assert mesh("run", "shop.orders", "--reproduce", "1", "--full").code == 2
    assert mesh("run", "shop.orders", "--reproduce", "7").code not in {0, 1}
