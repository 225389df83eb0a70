"""Several products go back to one moment: the plan is seen first, then all is done at once."""

from __future__ import annotations

import pytest
from helpers import run

from dataops_mesh.run.environment import open_environment
from dataops_mesh.store.log import as_it_was, latest, latest_number

ORDERS = "select id from shop.orders order by id"


@pytest.fixture
def twice(workspace):
    """Everything was published from two rows, then from three with one more column."""
    for name in ("shop.orders", "desk.totals"):
        assert run(workspace, name).published
    folder = workspace.root / "domains/shop/orders"
    (folder / "orders.csv").write_text("id\n1\n2\n3\n", "utf-8")
    (folder / "orders.sql").write_text("select id::bigint as id, true as late from orders_csv")
    contract = folder / "orders.odcs.yaml"
    more = "    properties:\n      - {name: late, logicalType: boolean}\n"
    text = contract.read_text("utf-8").replace("    properties:\n", more)
    contract.write_text(text.replace("version: 1.0.0", "version: 1.1.0"), "utf-8")
    for name in ("shop.orders", "desk.totals"):
        report = run(workspace, name)
        assert report.published, report
    return workspace


def moment_of(workspace, number: int) -> str:
    return as_it_was(open_environment(workspace).store, number).at.isoformat()


def read(mesh) -> tuple[list[int], int]:
    ids = [row["id"] for row in mesh("query", ORDERS, "--format", "json").json]
    (row,) = mesh("query", "from desk.totals", "--format", "json").json
    return ids, row["n"]


def test_all_goes_back_to_a_time_in_one_release_and_is_held(twice, mesh):
    assert read(mesh) == ([1, 2, 3], 3)
    at = moment_of(twice, 2)
    said = mesh("rollback", "--all", "--at", at, "--reason", "wrong")
    assert said.code == 1  # nobody said yes
    assert "late BOOLEAN goes" in said.out
    assert "3 -> 1" in said.out
    assert read(mesh) == ([1, 2, 3], 3)
    said = mesh("rollback", "--all", "--at", at, "--reason", "wrong", "--yes")
    assert said.code == 0, said.err
    assert read(mesh) == ([1, 2], 2)
    release = latest(open_environment(twice).store)
    assert release.number == 5
    assert [str(address) for address in release.changed] == ["desk.totals", "shop.orders"]
    held = mesh("hold", "list", "--format", "json").json
    assert sorted(one["product"] for one in held) == ["desk.totals", "shop.orders"]
    # Once more changes nothing, and says so.
    said = mesh("rollback", "--all", "--at", at, "--reason", "wrong", "--yes")
    assert (said.code, latest_number(open_environment(twice).store)) == (0, 5)
    assert "nothing is read otherwise" in said.out + said.err


def test_a_domain_alone_says_who_reads_it_and_what_no_longer_fits(twice, mesh):
    said = mesh("rollback", "shop", "--to", "2", "--reason", "wrong", "--yes", "--format", "json")
    assert said.code == 0, said.err
    assert [row["readers"] for row in said.json] == ["desk.totals"]
    assert read(mesh) == ([1, 2], 3)
    said = mesh("rollback", "desk", "--to", "1", "--reason", "wrong", "--yes")
    assert said.code == 0
    assert "desk.totals was not published yet; it stays" in said.err


def test_what_was_built_from_what_stays_is_said(twice, mesh):
    said = mesh("rollback", "desk", "--to", "2", "--reason", "wrong", "--yes")
    assert said.code == 0, said.err
    assert "desk.totals was built from shop.orders 1, and 3 is read now" in said.err


def test_nothing_is_switched_when_one_of_them_may_not_be(twice, mesh):
    assert mesh("domain", "assign", "shop", "git.example/others/shop").code == 0
    number = latest_number(open_environment(twice).store)
    said = mesh("rollback", "--all", "--to", "2", "--reason", "wrong", "--yes")
    assert said.code != 0
    assert "belongs to" in said.err
    assert latest_number(open_environment(twice).store) == number


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "name products or domains"),
        ("--all", "say --at TIME"),
        ("shop desk", "say --at TIME"),
        ("--all --at 2013-01-01 --to 1", "--at or --to"),
        ("shop.orders --all --to 1", "name products or domains"),
        ("shop --to 1 --partition a", "--partition belongs to one product"),
        ("shop --at yesterday", "is no time"),
        ("shop --at 1999-01-01", "nothing was published yet"),
        ("shop --to 99", "no release 99"),
        ("nobody --to 1", "no domain or product"),
    ],
)
def test_what_cannot_be_meant_is_said(twice, mesh, words, told):
    said = mesh("rollback", *words.split(), "--reason", "x")
    assert said.code == 2
    assert told in " ".join(said.err.split())
