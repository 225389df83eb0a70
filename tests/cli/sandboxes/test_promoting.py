"""What was built in a sandbox becomes production's as it is, or not at all."""

from __future__ import annotations

import subprocess

import pytest

from dataops_mesh.run.environment import open_environment
from dataops_mesh.store.log import latest, latest_number

NEW = "select id::bigint + 100 as id from orders_csv"
ALL = "select * from shop.orders order by id"


@pytest.fixture
def edited(mesh, workspace):
    """Everything is published; in a sandbox, an edit was built and what reads it."""
    assert mesh("run").code == 0
    assert mesh("sandbox", "up", "late").code == 0
    (workspace.root / "domains/shop/orders/orders.sql").write_text(NEW, "utf-8")
    assert mesh("sandbox", "run", "late").code == 0
    return workspace


def ids(mesh, *options: str) -> list[int]:
    return [row["id"] for row in mesh("query", ALL, "--format", "json", *options).json]


def test_what_was_tried_is_published_without_being_built_again(edited, mesh):
    here = open_environment(edited.model_copy(update={"sandbox": "late"})).store
    built = {a: e.candidate for a, e in latest(here).ports.items()}
    said = mesh("sandbox", "promote", "late", "--reason", "agreed", "--format", "json")
    assert said.code == 0, said.err
    assert ids(mesh) == [101, 102]
    store = open_environment(edited).store
    release = latest(store)
    assert release.number == 3  # both at once
    assert {a: e.candidate for a, e in release.ports.items()} == built
    assert release.promoted == f"{here.line}:5"
    totals = next(e for a, e in release.ports.items() if a.port == "totals")
    assert totals.inputs == (("shop.orders", 3),)  # by production's numbers
    history = mesh("show", "shop.orders", "--history", "--format", "json").json
    assert history[0]["publication"] == 3
    assert history[0]["candidate"] == built[next(a for a in built if a.port == "orders")]
    assert mesh("show", "3").code == 0
    # Nothing more is to be done: production would build it just so.
    assert mesh("run", "--changed", "--format", "json").json == []
    assert mesh("rollback", "shop.orders", "--reason", "after all not").code == 0
    assert ids(mesh) == [1, 2]
    again = mesh("sandbox", "promote", "late")
    assert again.code == 2  # a rollback holds what it took back


def test_one_product_goes_only_with_what_it_was_built_from(edited, mesh):
    said = mesh("sandbox", "promote", "late", "desk.totals")
    assert said.code == 2
    assert "another state of shop.orders" in said.err
    assert mesh("sandbox", "promote", "late", "shop.orders").code == 0
    assert mesh("sandbox", "promote", "late").code == 0
    assert mesh("sandbox", "promote", "late").code == 2


@pytest.mark.parametrize("stale", ["published", "edited", "policy", "withdrawn", "held", "owned"])
def test_what_went_stale_is_said_and_nothing_is_published(edited, mesh, stale):
    sql = edited.root / "domains/shop/orders/orders.sql"
    match stale:
        case "published":
            (edited.root / "domains/shop/orders/orders.csv").write_text("id\n7\n", "utf-8")
            assert mesh("run", "shop.orders").code == 0
            words = "was published there after late was opened"
        case "edited":
            sql.write_text(NEW.replace("100", "200"), "utf-8")
            words = "has changed since"
        case "policy":
            (edited.root / "policies.yaml").write_text("default: warning\n", "utf-8")
            words = "the policies have changed"
        case "withdrawn":
            assert mesh("withdraw", "desk.totals", "--reason", "wrong", "--yes").code == 0
            words = "desk.totals was published there after"
        case "held":
            assert mesh("hold", "add", "shop.orders", "--reason", "audit").code == 0
            words = "is held"
        case "owned":
            assert mesh("domain", "assign", "shop", "git.example/others/shop").code == 0
            words = "belongs to"
    number = latest_number(open_environment(edited).store)
    said = mesh("sandbox", "promote", "late")
    assert said.code == 2
    assert words in said.err
    assert latest_number(open_environment(edited).store) == number


def test_a_breaking_change_needs_its_approval_when_it_is_promoted(mesh, workspace):
    assert mesh("run").code == 0
    assert mesh("sandbox", "up", "wide").code == 0
    folder = workspace.root / "domains/shop/orders"
    contract = folder / "orders.odcs.yaml"
    contract.write_text(contract.read_text("utf-8").replace("name: id", "name: order_id"), "utf-8")
    (folder / "orders.sql").write_text("select id::bigint as order_id from orders_csv", "utf-8")
    assert mesh("sandbox", "run", "wide", "shop.orders").code == 0
    said = mesh("sandbox", "promote", "wide")
    assert said.code == 2
    assert "approvals/" in said.err


def test_what_is_in_no_commit_is_not_promoted(mesh, workspace):
    def git(*words: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.example")
        subprocess.run(["git", *identity, *words], cwd=workspace.root, check=True)

    (workspace.root / ".gitignore").write_text(".mesh\n", "utf-8")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    assert mesh("run").code == 0
    assert mesh("sandbox", "up", "late").code == 0
    (workspace.root / "domains/shop/orders/orders.sql").write_text(NEW, "utf-8")
    assert mesh("sandbox", "run", "late").code == 0
    said = mesh("sandbox", "promote", "late")
    assert said.code == 2
    assert "in no commit" in said.err
    git("commit", "-qam", "second")
    assert mesh("sandbox", "run", "late").code == 0
    assert mesh("sandbox", "promote", "late").code == 0


def test_from_one_sandbox_to_the_next_and_to_production(edited, mesh):
    assert mesh("sandbox", "up", "staging").code == 0
    assert mesh("sandbox", "up", "dev", "--from", "staging").code == 0
    assert mesh("sandbox", "run", "dev").code == 0
    assert mesh("sandbox", "promote", "dev").code == 0
    assert ids(mesh, "--sandbox", "staging") == [101, 102]
    assert ids(mesh) == [1, 2]
    assert mesh("sandbox", "promote", "staging").code == 0
    assert ids(mesh) == [101, 102]


def test_what_read_a_private_port_is_not_promoted(mesh, workspace):
    """In a sandbox anybody may build it as a public one; its owner has published no such word."""
    contract = workspace.root / "domains/shop/orders/orders.odcs.yaml"
    shown = contract.read_text("utf-8")
    said = "customProperties:\n  - {property: visibility, vendor: dataops_mesh, value: domain}\n"
    contract.write_text(shown.replace("schema:", f"{said}schema:"), "utf-8")
    assert mesh("run", "shop.orders").code == 0
    assert mesh("sandbox", "up", "late", "--reason", "x").code == 0
    contract.write_text(shown, "utf-8")
    assert mesh("sandbox", "run", "late").code == 1  # production is asked there too
    assert mesh("sandbox", "promote", "late", "desk.totals", "--reason", "x").code != 0
    assert mesh("query", "from desk.totals").code != 0


def test_what_lowered_a_class_in_a_sandbox_is_not_promoted(mesh, workspace):
    """There an edit of the owner's contract counts; production shows what its owner published."""
    orders, desk = (workspace.root / "domains" / one for one in ("shop/orders", "desk/totals"))
    contract = orders / "orders.odcs.yaml"
    open_ = contract.read_text("utf-8").replace("primaryKey: true", "classification: public")
    closed = open_.replace("public", "restricted")
    assert open_ != closed
    contract.write_text(closed, "utf-8")
    copied = (desk / "totals.odcs.yaml").read_text("utf-8")
    (desk / "totals.odcs.yaml").write_text(
        copied.replace("logicalType: integer", "logicalType: integer, classification: public"),
        "utf-8",
    )
    (desk / "totals.sql").write_text("select id as n from shop.orders", "utf-8")
    assert mesh("run", "shop.orders").code == 0
    assert mesh("sandbox", "up", "prom").code == 0
    contract.write_text(open_, "utf-8")
    assert mesh("sandbox", "run", "prom", "shop.orders", "desk.totals").code == 0
    contract.write_text(closed, "utf-8")
    number = latest_number(open_environment(workspace).store)
    told = mesh("sandbox", "promote", "prom", "desk.totals", "--reason", "x")
    assert told.code == 2
    assert "shop.orders.id is restricted" in told.err
    assert "classification_lineage" in told.err
    assert "domains/desk/totals/totals.odcs.yaml:" in told.err
    assert "classify it restricted" in told.err
    assert latest_number(open_environment(workspace).store) == number
    assert mesh("query", "from desk.totals").code != 0
