"""`ref('shop', 'orders')` where shop lives in another repository: what it published, and no more."""

from __future__ import annotations

import pytest
from dbt_cases import PORTS, PROJECT, write_project
from helpers import (
    a_product,
    a_setting,
    an_input,
    environment,
    mesh,
    read,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.cli.examine import examine_all
from dataops_mesh.errors import MeshError
from dataops_mesh.run.registry.register import register
from dataops_mesh.settings import Settings
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.release import latest

FAR = "select id, amount, note from {{ ref('shop', 'orders') }}\n"
ORDERS = (
    "{name: id, logicalType: integer, primaryKey: true}",
    "{name: amount, logicalType: integer}",
    "{name: note, logicalType: string}",
)
ROWS = "select 1 as id, {} as amount, 'a' as note"


def orders(amount: int) -> dict:
    return a_product({"orders": ORDERS}, files={"orders.sql": ROWS.format(amount)})


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    """Repositories of the seller and of the buyer, with one store."""
    root = tmp_path_factory.mktemp("two")
    store = f'store = "{root / "store"}"\n'
    made = []
    for name, domains in (("shop", {"shop": {"orders": orders(10)}}), ("books", {})):
        (root / name).mkdir()
        made.append(write_workspace(root / name, domains, settings=store))
    seller, buyer = made
    write_project(buyer.root, {name: t for name, t in PROJECT.items() if "sources" not in name})
    write_project(buyer.root, {"models/staged.sql": FAR})
    dbt = a_setting("transform", "{dbt: {project: ../../../project}}")
    books = a_product(PORTS, inputs=[an_input("shop.orders")], settings=dbt, files={})
    write_product(buyer.root, "books", "both", books)
    return seller, buyer


def test_it_waits_for_the_publication_and_then_reads_it(two: tuple[Settings, Settings]) -> None:
    seller, buyer = two
    with pytest.raises(MeshError, match="has never been published"):
        run(buyer, "books.both")
    assert run(seller, "shop.orders").published
    register(mesh(seller).domains[0], environment(seller), {})
    assert examine_all(mesh(buyer), mesh(buyer).products, buyer)[0] == []
    assert run(buyer, "books.both").published
    assert read(buyer, "select orders, amount from books.totals") == [(1, 10)]
    (ref,) = {p.candidate for a, p in latest(environment(buyer).store).ports.items()
              if a.domain == "books"}  # fmt: skip
    (one,) = read_manifest(environment(buyer).store, ref).inputs
    assert (str(one.address), one.publication) == ("shop.orders", 1)
    write_product(seller.root, "shop", "orders", orders(20))
    assert run(seller, "shop.orders").published
    assert read(buyer, "select amount from books.totals") == [(10,)]
    assert run(buyer, "books.both").published
    assert read(buyer, "select amount from books.totals") == [(20,)]
