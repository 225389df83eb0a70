"""A command for one product reads what matters to it, and refuses for what it refused before."""

from __future__ import annotations

import json

import pytest
from cli_cases import orders
from helpers import write_product

from dataops_mesh.spec import loader

READS = {"run": ("run", "desk.totals"), "status": ("status", "desk.totals")}


@pytest.fixture
def loaded(monkeypatch):
    """The products that are parsed."""
    found = []
    real = loader.read_product
    monkeypatch.setattr(loader, "read_product", lambda *a: found.append(a[0].name) or real(*a))
    return found


def add(workspace, domain, name, port=""):
    """Write another product, with a port that is called as itself or otherwise."""
    called = port or name
    files = {
        file.replace("orders", called): text.replace("orders", called)
        for file, text in orders().items()
    }
    return write_product(workspace.root, domain, name, files)


def totals(workspace):
    return workspace.root / "domains" / "desk" / "totals"


@pytest.mark.parametrize("command", READS.values(), ids=READS)
def test_products_that_it_does_not_read_are_not_parsed(mesh, workspace, loaded, command):
    assert mesh("run").code == 0
    add(workspace, "shop", "others")
    loaded.clear()
    said = mesh(*command, "--format", "json")
    assert said.code == 0, said
    assert "others" not in loaded
    assert {"totals", "orders"} <= set(loaded)
    assert len(json.loads(said.out)) == 1


ALONE = {
    "history": ("history", "desk.totals"),
    "show": ("show", "desk.totals"),
    "hold": ("hold", "add", "desk.totals", "--reason", "wait"),
    "rollback": ("rollback", "desk.totals", "--reason", "the first", "--to", "2"),
}


@pytest.mark.parametrize("command", ALONE.values(), ids=ALONE)
def test_what_is_done_at_night_to_one_product_reads_no_others(mesh, workspace, loaded, command):
    assert mesh("run").code == 0  # publications 1 and 2
    assert mesh("run", "desk.totals").code == 0
    add(workspace, "shop", "others")
    loaded.clear()
    said = mesh(*command)
    assert said.code == 0, said
    assert "totals" in loaded
    assert "others" not in loaded


def edit(file, old, new):
    text = file.read_text("utf-8")
    assert old in text, text
    file.write_text(text.replace(old, new), "utf-8")


def test_an_input_that_nobody_publishes_is_refused_with_all_choices(mesh, workspace):
    add(workspace, "shop", "others")
    edit(totals(workspace) / "product.odps.yaml", "shop.orders", "shop.ordres")
    said = mesh("run", "desk.totals")
    assert said.code == 2
    assert "no product publishes shop.ordres" in said.err
    assert "shop.others" in said.err


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_an_id_that_is_used_far_away_is_refused(mesh, workspace, quote):
    other = add(workspace, "shop", "others") / "product.odps.yaml"
    own = (totals(workspace) / "product.odps.yaml").read_text("utf-8")
    (mine,) = [line for line in own.splitlines() if line.startswith("id:")]
    known = [line for line in other.read_text("utf-8").splitlines() if line.startswith("id:")]
    value = mine.partition(":")[2].strip()
    edit(other, known[0], f"id: {quote}{value}{quote}")
    said = mesh("run", "desk.totals")
    assert said.code == 2
    assert "is also used at" in said.err
    assert mesh("check").code == 1
    assert mesh("status", "desk.totals").code == 0, "a look shows what is published"


def test_an_id_that_is_spelled_otherwise_is_found_too(mesh, workspace):
    other = add(workspace, "shop", "others") / "product.odps.yaml"
    own = (totals(workspace) / "product.odps.yaml").read_text("utf-8")
    (mine,) = [line for line in own.splitlines() if line.startswith("id:")]
    known = [line for line in other.read_text("utf-8").splitlines() if line.startswith("id:")]
    value = mine.partition(":")[2].strip()
    edit(other, known[0], f'id: "\\x{ord(value[0]):02x}{value[1:]}"')
    said = mesh("run", "desk.totals")
    assert said.code == 2
    assert "is also used at" in said.err


def test_a_port_that_another_product_has_too_is_refused(mesh, workspace):
    add(workspace, "desk", "others", port="totals")
    said = mesh("run", "desk.totals")
    assert said.code == 2, said
    assert "desk.totals is also a port of desk." in said.err


def test_what_is_called_as_nobody_is_told_with_all_names(mesh, workspace):
    add(workspace, "shop", "others")
    said = mesh("run", "desk.total")
    assert said.code == 2
    assert 'no domain or product "desk.total", did you mean "desk.totals"' in said.err.replace(
        " (did you mean", ", did you mean"
    )
    assert "shop.others" in said.err


def test_who_reads_what_has_ended_is_told_though_it_was_not_named(mesh, workspace):
    assert mesh("run").code == 0
    file = workspace.root / "domains" / "shop" / "orders" / "product.odps.yaml"
    edit(file, "status: active", "status: retired") if "status: active" in file.read_text(
        "utf-8"
    ) else file.write_text(file.read_text("utf-8") + "status: retired\n", "utf-8")
    said = mesh("status", "shop.orders")
    assert said.code == 0
    assert "desk.totals still reads it" in said.err


def test_status_of_everything_parses_what_has_changed_and_nothing_else(mesh, workspace, loaded):
    assert mesh("run").code == 0
    assert mesh("status").code == 0
    loaded.clear()
    before = json.loads(mesh("status", "--format", "json").out)
    assert mesh("status", "--wrong").code == 0
    assert loaded == []
    edit(
        totals(workspace) / "product.odps.yaml",
        "kind: DataProduct\n",
        "kind: DataProduct\nstatus: deprecated\n",
    )
    after = json.loads(mesh("status", "--format", "json").out)
    assert loaded == ["totals"]
    told = {row["port"]: row["status"] for row in after}
    assert told == {row["port"]: row["status"] for row in before} | {"desk.totals": "deprecated"}
