"""`mesh store gc` says before it deletes, and leaves what a product can be rolled back to."""

from __future__ import annotations

import pytest
from cli_cases import orders
from helpers import a_setting, write_product

SETTING = "customProperties:\n  " + a_setting("keepPublications", "2")


def deliver(mesh, workspace, *numbers: int) -> None:
    for number in numbers:
        files = orders(f"id\n{number}\n")
        files["product.odps.yaml"] += SETTING
        write_product(workspace.root, "shop", "orders", files)
        assert mesh("run", "shop.orders").code == 0


@pytest.fixture
def grown(mesh, workspace, monkeypatch):
    """Four publications, of which two are to be kept, and no time to wait."""
    monkeypatch.setenv("DATAOPS_MESH_GRACE", "0")
    deliver(mesh, workspace, 1, 2, 3, 4)
    return workspace.store_folder


def test_nothing_goes_unless_it_was_asked_for_twice(mesh, grown):
    before = sorted(grown.rglob("*.parquet"))
    said = mesh("gc")
    assert said.code == 0
    assert len(said.out.splitlines()) == 5  # each with its delivery
    assert "to delete: 2, " in said.err
    assert "kept: 1, " in said.err
    assert "consumers read it" in said.err
    assert "`mesh store gc --yes` does it" in said.err
    assert sorted(grown.rglob("*.parquet")) == before
    planned = mesh("gc", "--format", "json").json
    done = mesh("gc", "--yes", "--format", "json").json
    assert done == planned
    assert {row["why"] for row in done if row["action"] == "keep"} == {
        "consumers read it",
        "publication 3 is kept for a rollback",
    }
    assert len(list(grown.rglob("*.parquet"))) == 2
    again = mesh("gc", "--delete")
    assert (again.code, again.out) == (0, "")
    assert again.err.startswith("nothing to delete\n")


def test_after_a_collection_a_rollback_goes_where_the_setting_says(mesh, grown):
    assert mesh("gc", "--yes").code == 0
    gone = mesh("rollback", "shop.orders", "--to", "2", "--reason", "x")
    assert gone.code == 2
    assert gone.err.splitlines()[:2] == [
        "error: shop.orders is not kept of release 2",
        "  valid: 3, 4",
    ]
    assert "keepPublications" in gone.err
    assert mesh("rollback", "shop.orders", "--to", "3", "--reason", "x").code == 0
    assert mesh("query", "from shop.orders", "--format", "json").json == [{"id": 3}]
    events = mesh("history", "shop.orders", "--format", "json").json
    assert [event["publication"] for event in events] == [5, 4, 3, 2, 1]


def test_within_the_grace_period_nothing_goes(mesh, workspace):
    deliver(mesh, workspace, 1, 2, 3, 4)
    said = mesh("gc", "--yes")
    assert (said.code, said.out) == (0, "")
    assert "is still whole" in said.err


def test_what_the_ledger_cannot_record_is_not_deleted(mesh, grown, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_LEDGER", "sqlite:////proc/nowhere/ledger.sqlite")
    said = mesh("gc", "--yes")
    assert (said.code, said.out) == (1, "")
    assert "note: no release was collected: the ledger cannot be used" in said.err
    assert len(list(grown.rglob("*.parquet"))) == 4


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "true"])
def test_a_number_of_publications_that_makes_no_sense_has_its_line(mesh, workspace, value):
    files = orders()
    files["product.odps.yaml"] += "customProperties:\n  " + a_setting("keepPublications", value)
    write_product(workspace.root, "shop", "orders", files)
    said = mesh("check")
    assert said.code == 1
    assert "product.odps.yaml:" in said.out + said.err
    assert "keepPublications" in said.out + said.err or "customProperties[0].value" in (
        said.out + said.err
    )
