"""Two repositories, one store: what each knows of the other is what was registered."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import dataclass

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.cli.main import main
from dataops_mesh.run.registry.declared import registered, repository_of

ORDERS = (
    "{name: id, logicalType: integer, primaryKey: true}",
    "{name: amount, logicalType: integer}",
    "{name: note, logicalType: string}",
)


FAMILY = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def orders(*columns: str, query="select id, amount, note from orders_csv", version="1.0.0"):
    extra = "roles:\n  - {role: reader, firstLevelApprovers: lea}\n"
    contract = a_contract("orders", columns or ORDERS, extra=extra)
    return a_product(
        ports={"orders": contract.replace("version: 1.0.0", f"version: {version}")},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "orders.sql": query,
            "orders.csv": "id,amount,note\n1,10,a\n2,20,b\n",
        },
    )


def totals(source="shop.orders", query="select sum(amount)::bigint as total from shop.orders"):
    return a_product(
        ports={"totals": ["{name: total, logicalType: integer}"]},
        inputs=[an_input(source)],
        files={"totals.sql": query},
    )


class Repository:
    """A workspace of its own and what somebody types in it."""

    def __init__(self, root, type_, **domains: dict) -> None:
        root.mkdir()
        shared = root.parent / "store"
        self.root, self._type = root, type_
        self.settings = write_workspace(root, domains, settings=f'store = "{shared}"\n')
        for domain in domains:
            (root / "domains" / domain / "definitions.py").write_text(FAMILY, "utf-8")

    def mesh(self, *arguments: str) -> Said:
        return self._type(self.root, *arguments)

    def write(self, domain, product, files):
        write_product(self.root, domain, product, files)


@pytest.fixture
def type_(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))

    def typed(root, *arguments: str) -> Said:
        monkeypatch.chdir(root)
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["mesh", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        assert "Traceback" not in said.out + said.err
        return Said(int(ended.value.code or 0), said.out, said.err)

    return typed


@pytest.fixture
def seller(tmp_path, type_):
    return Repository(tmp_path / "seller", type_, shop={"orders": orders()})


@pytest.fixture
def reader(tmp_path, type_):
    return Repository(tmp_path / "reader", type_, desk={"totals": totals()})


def test_an_input_of_another_repository_is_known_once_it_is_registered(seller, reader):
    unknown = reader.mesh("check")
    assert unknown.code == 1
    assert "no product publishes shop.orders" in unknown.err
    assert seller.mesh("register").code == 0
    assert reader.mesh("check").code == 0
    reader.write("desk", "totals", totals("shop.order", "select 1 as total from shop.order"))
    wrong = reader.mesh("check")
    assert wrong.code == 1
    assert 'did you mean "shop.orders"?' in wrong.err


def test_an_input_of_another_repository_is_known_once_it_is_published(seller, reader):
    assert run(seller.settings, "shop.orders").published
    assert reader.mesh("check").code == 0
    assert run(reader.settings, "desk.totals").published


def test_a_plan_names_the_reader_in_the_other_repository_and_the_column(seller, reader):
    run(seller.settings, "shop.orders")
    run(reader.settings, "desk.totals")
    assert seller.mesh("register").code == reader.mesh("register").code == 0
    assert seller.mesh("plan").out.splitlines()[-1] == "Nothing changed."
    assert reader.mesh("plan").out.splitlines()[-1] == "Nothing changed."
    without_note = (*ORDERS[:2],)
    seller.write("shop", "orders", orders(*without_note, query="select id, amount from orders_csv"))
    assert "desk" not in seller.mesh("plan").out.partition("will be rebuilt")[0]
    other = (ORDERS[0], "{name: price, logicalType: integer}", ORDERS[2])
    query = "select id, amount as price, note from orders_csv"
    seller.write("shop", "orders", orders(*other, query=query))
    plan = seller.mesh("plan", "--format", "json").json
    (consumer,) = plan["products"][0]["consumers"]
    assert (consumer["reader"], consumer["columns"]) == ("desk.totals", ["amount"])
    assert (consumer["uses"], consumer["repository"]) == ("uses", str(reader.root))
    assert plan["rebuild"] == ["shop.orders", "desk.totals"]
    assert f"desk.totals (in {reader.root}) uses amount of" in seller.mesh("plan").out


def remove_the_port(seller):
    """Publish another port instead of orders, as a new major version that somebody approved."""
    folder = seller.root / "domains" / "shop" / "orders"
    for file in ("orders.odcs.yaml", "orders.sql"):
        (folder / file).unlink()
    sales = orders()
    files = {
        "sales.odcs.yaml": str(sales["orders.odcs.yaml"]).replace("orders", "sales"),
        "sales.sql": sales["orders.sql"],
    }
    write_product(seller.root, "shop", "orders", files)
    plan = seller.mesh("plan", "--format", "json").json
    digest = plan["products"][0]["approval"]
    approval = f"digest: {digest}\napprover: lea\nreason: agreed\ndate: 2026-11-03\n"
    seller.write("shop", "orders", {f"approvals/{digest}.yaml": approval})


def test_a_port_is_not_retired_while_another_repository_reads_it(seller, reader):
    run(seller.settings, "shop.orders")
    reader.mesh("register")
    remove_the_port(seller)
    why = "desk.totals still reads it"
    assert why in seller.mesh("plan").out
    assert why in seller.mesh("check").err
    refused = run(seller.settings, "shop.orders")
    assert not refused.published
    assert any(why in reason for reason in refused.decision.reasons)
    # The reader goes another way, and says so.
    folder = reader.root / "domains" / "desk" / "totals"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    by_itself = a_product(
        ports={"totals": ["{name: total, logicalType: integer}"]},
        inputs=[a_source("x_csv", "x.csv")],
        files={"totals.sql": "select x as total from x_csv", "x.csv": "x\n1\n"},
    )
    reader.write("desk", "totals", by_itself)
    assert reader.mesh("register").code == 0
    assert why not in seller.mesh("check").err
    assert why not in seller.mesh("plan").out


def test_a_product_that_left_its_folder_is_marked_as_removed(seller, reader):
    second = {k: str(v).replace("orders", "refunds") for k, v in orders().items()}
    renamed = {k.replace("orders", "refunds"): v for k, v in second.items()}
    seller.write("shop", "refunds", renamed)
    first = seller.mesh("register", "--format", "json").json
    assert [row["product"] for row in first] == ["shop.orders", "shop.refunds"]
    folder = seller.root / "domains" / "shop" / "refunds"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    (gone,) = seller.mesh("register", "--format", "json").json
    assert (gone["product"], gone["status"]) == ("shop.refunds", "removed")
    assert "shop.refunds" not in reader.mesh("register", "--list").out
    assert seller.mesh("register", "--format", "json").json == []
    seller.write("shop", "refunds", renamed)
    (back,) = seller.mesh("register", "--format", "json").json
    assert (back["product"], back["status"]) == ("shop.refunds", "active")


def test_a_domain_belongs_to_one_repository_until_it_moves(seller, tmp_path, type_):
    assert seller.mesh("register").code == 0
    other = Repository(tmp_path / "other", type_, shop={"orders": orders()})
    refused = other.mesh("register")
    assert refused.code == 2
    assert str(seller.root) in refused.err
    assert "--move" in refused.err
    assert other.mesh("register", "--move").code == 0
    assert seller.mesh("register").code == 2


def test_what_is_wrong_is_not_registered(reader):
    refused = reader.mesh("register")
    assert refused.code == 2
    assert "no product publishes shop.orders" in refused.err
    assert registered(environment(reader.settings)) == ()
    assert reader.mesh("register", "dsek").code == 2
    assert "registered as a whole" in reader.mesh("register", "desk.totals").err


def test_a_circle_through_another_repository_is_found(seller, reader):
    seller.mesh("register")
    reader.mesh("register")
    circular = a_product(
        ports={"orders": ORDERS},
        inputs=[an_input("desk.totals")],
        files={"orders.sql": "select 1 as id, 2 as amount, '' as note from desk.totals"},
    )
    seller.write("shop", "orders", circular)
    found = seller.mesh("check")
    assert found.code == 1
    assert "read each other in a circle" in found.err


def test_a_laptop_that_loads_writes_nothing_and_production_registers(
    seller, type_, monkeypatch, caplog
):
    from dataops_mesh import load_domain

    folder = seller.root / "domains" / "shop"
    load_domain(folder)
    assert not (seller.root.parent / "store").exists()
    monkeypatch.setenv("DATAOPS_MESH_AUTOMATION", "true")
    load_domain(folder)
    load_domain(folder)
    ledger = environment(seller.settings)
    (one,) = registered(ledger)
    assert one.product == "shop.orders"
    assert one.person == "ana"
    assert [offer.address for offer in one.outputs] == ["shop.orders"]
    assert count(ledger) == 1
    seller.write("shop", "orders", orders(*ORDERS[:2], query="select id, amount from orders_csv"))
    load_domain(folder)
    assert count(ledger) == 2
    monkeypatch.setenv("DATAOPS_MESH_LEDGER", "sqlite:////nowhere/at/all.sqlite")
    with caplog.at_level(logging.WARNING):
        load_domain(folder)
    assert "shop is not registered" in caplog.text


def count(where):
    import sqlite3

    with sqlite3.connect(where.store.ledger_file) as connection:
        return connection.execute("select count(*) from declarations").fetchone()[0]


def test_the_name_of_a_repository_never_holds_a_password(seller):
    git = ["git", "-C", str(seller.root)]
    subprocess.run([*git, "init", "-q"], check=True)
    remote = "https://ana:secret@git.example/shop.git"
    subprocess.run([*git, "remote", "add", "origin", remote], check=True)
    assert repository_of(seller.settings) == "git.example/shop"
    seller.mesh("register")
    assert "secret" not in json.dumps(seller.mesh("register", "--list", "--format", "json").json)


def test_a_registered_text_that_is_lost_is_said_with_the_way_out(seller, reader):
    seller.mesh("register")
    (file,) = (seller.root.parent / "store" / "declarations").iterdir()
    file.unlink()
    lost = reader.mesh("check")
    assert lost.code == 2
    assert "mesh domain register shop" in lost.err
    assert seller.mesh("register").code == 0
    assert reader.mesh("check").code == 0
