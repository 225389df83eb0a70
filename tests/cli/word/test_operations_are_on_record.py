"""What a person does is on record before it takes effect; what cannot be recorded is not done."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import UTC, datetime

import pytest
from cli_cases import on_record, orders
from helpers import a_contract, a_product, a_setting, a_source, an_input, write_product

RULE = "{name: enough, metric: rowCount, mustBeGreaterOrEqualTo: 2}"
PACT = "domains/shop/orders/accepted/desk.totals.yaml"


@pytest.fixture
def lived_in(workspace, mesh):
    """Two publications, and a consumer that expects something."""
    consumer = a_product(
        ports={"totals": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders", RULE)],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )
    write_product(workspace.root, "desk", "totals", consumer)
    assert mesh("run").code == 0
    write_product(workspace.root, "shop", "orders", orders("id\n1\n2\n3\n"))
    assert mesh("run", "shop.orders").code == 0
    return workspace


def test_every_operation_has_a_row_with_its_person(lived_in, mesh, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_PERSON", "lea")
    monkeypatch.setenv("DATAOPS_MESH_GRACE", "0")
    monkeypatch.setenv("DATAOPS_MESH_KEEP_PUBLICATIONS", "1")
    monkeypatch.setenv("DATAOPS_MESH_REPOSITORY", "git.example/shop")
    captures = {path.name for path in (lived_in.store_folder / "captures").glob("*/*")}
    for command in (
        ("rollback", "shop.orders", "--reason", "a bad day"),
        ("accept", "desk.totals", "--for", "shop.orders"),
        ("domain", "register"),
        ("domain", "assign", "desk", "."),
        ("store", "catalog", "rebuild"),
        ("store", "gc"),
        ("store", "gc", "--yes"),
    ):
        said = mesh(*command)
        assert said.code == 0, said.err
    (lived_in.store_folder / "heads" / "production" / "00000004.json").write_text("{}", "utf-8")
    mesh("store", "verify", "--repair")
    rows = on_record(lived_in)
    assert [row[0] for row in rows] == [
        "rollback", "accept", "register", "register", "assign", "catalog", "collect", "repair",
    ]  # fmt: skip
    assert {row[2] for row in rows} == {"lea"}
    assert {row[3] for row in rows} == {"git.example/shop"}
    named = {row[0]: json.loads(row[1]) for row in rows}
    assert named["rollback"] == ["shop.orders"]
    assert named["accept"] == ["desk.totals", "shop.orders"]
    assert named["assign"] == ["desk"]
    assert named["repair"] == ["release 4"]
    assert {ref for ref in named["collect"] if ref not in captures}
    assert all(ref.startswith("shop/orders/") for ref in named["collect"] if ref not in captures)
    assert (rows[0][4], rows[0][5]) == ("a bad day", 3)
    assert json.loads(rows[6][6])["releases"] == [1, 2, 3]


def test_what_cannot_be_recorded_is_not_done(lived_in, mesh, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_LEDGER", "sqlite:////proc/nowhere/ledger.sqlite")
    catalog = lived_in.store_folder / "catalogs" / "shop.duckdb"
    before = catalog.read_bytes()
    for command in (
        ("rollback", "shop.orders", "--reason", "x"),
        ("accept", "desk.totals", "--for", "shop.orders"),
        ("domain", "assign", "desk", "git.example/desk"),
        ("store", "catalog", "rebuild"),
    ):
        said = mesh(*command)
        assert said.code == 2, command
        assert "the ledger cannot be used" in said.err
    monkeypatch.delenv("DATAOPS_MESH_LEDGER")
    assert len(list((lived_in.store_folder / "heads" / "production").glob("*.json"))) == 3
    assert not (lived_in.root / PACT).exists()
    assert "git.example/desk" not in mesh("domain", "list", "--format", "json").out
    assert catalog.read_bytes() == before
    assert on_record(lived_in) == []


def test_the_less_usual_operations_are_on_record_and_in_the_evidence(lived_in, mesh, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_GRACE", "0")
    monkeypatch.setenv("DATAOPS_MESH_KEEP_PUBLICATIONS", "1")
    parts = "customProperties:\n" + a_setting("partitions", "{values: [north, south]}")
    columns = ["{name: region, logicalType: string, partitioned: true}"]
    found = a_product(
        ports={"regions": a_contract("regions", columns) + parts},
        inputs=[a_source("src", "'{partition}.csv'")],
        files={
            "regions.sql": "select region from src",
            **{f"{key}.csv": f"region\n{key}\n" for key in ("north", "south")},
        },
    )
    write_product(lived_in.root, "shop", "regions", found)
    write_product(lived_in.root, "shop", "orders", orders("id\n1\n1\n"))
    assert mesh("run", "shop.regions").code == 0
    assert mesh("run", "shop.orders").code == 1
    refused = mesh("show", "shop.orders", "--history", "--format", "json").json[0]["candidate"]
    said: list[tuple[str, str]] = []
    away = ("withdraw", "shop.regions", "--partition", "north", "--reason", "recalled", "--yes")
    for person, operation, *command in (
        ("ana", "register", "domain", "register", "shop"),
        ("bo", "look", "query", "from shop.orders", "--candidate", refused.rpartition("/")[2]),
        ("cleo", "withdrawal", *away),
        ("dan", "lift", "hold", "lift", "shop.regions", "--partition", "north", "--reason", "on"),
        ("eve", "hold", "hold", "add", "shop.orders", "--reason", "wait"),
        ("fay", "erase", "withdraw", "shop.regions", "--erase", "--reason", "law", "--yes"),
        ("gil", "assign", "domain", "assign", "desk", "git.example/desk"),
    ):
        monkeypatch.setenv("DATAOPS_MESH_PERSON", person)
        done = mesh(*command)
        assert done.code == 0, (command, done.err)
        said.append((person, operation))
    rows = on_record(lived_in)
    assert [(row[2], row[0]) for row in rows] == said
    assert json.loads(rows[1][1]) == [refused]
    assert json.loads(rows[2][6])["partition"] == "north"
    today = datetime.now(UTC).date()
    account = lived_in.root / "account"
    command = ("report", "evidence", "--from", str(today), "--output", str(account))
    assert mesh(*command).code == 0
    with (account / "operations.csv").open(encoding="utf-8", newline="") as stream:
        told = [(row["person"], row["operation"]) for row in csv.DictReader(stream)]
    assert told == said


def test_who_deletes_what_a_backup_brought_back_is_on_record(lived_in, mesh, monkeypatch):
    candidates = lived_in.store_folder / "candidates" / "desk"
    shutil.copytree(candidates, lived_in.root / "backup")
    assert mesh("withdraw", "desk.totals", "--erase", "--reason", "law", "--yes").code == 0
    (erased,) = [path.name for path in (lived_in.root / "backup" / "totals").iterdir()]
    shutil.copytree(lived_in.root / "backup", candidates, dirs_exist_ok=True)
    monkeypatch.setenv("DATAOPS_MESH_PERSON", "lea")
    said = mesh("store", "gc", "--yes")
    assert "1 candidates were deleted" in said.err
    row = on_record(lived_in)[-1]
    assert (row[0], row[2]) == ("collect", "lea")
    assert json.loads(row[1]) == [f"desk/totals/{erased}"]


def test_more_of_what_cannot_be_recorded_is_not_done(lived_in, mesh, monkeypatch):
    store = lived_in.store_folder
    monkeypatch.setenv("DATAOPS_MESH_GRACE", "0")
    monkeypatch.setenv("DATAOPS_MESH_KEEP_PUBLICATIONS", "1")
    write_product(lived_in.root, "shop", "orders", orders("id\n1\n1\n"))
    assert mesh("run", "shop.orders").code == 1  # a candidate that a collection takes
    last = max((store / "heads" / "production").glob("*.json"))
    kept = last.read_bytes()
    before = {path for path in store.rglob("*") if path.is_file()}
    monkeypatch.setenv("DATAOPS_MESH_LEDGER", "sqlite:////proc/nowhere/ledger.sqlite")
    for command in (
        ("withdraw", "shop.orders", "--reason", "x", "--yes"),
        ("withdraw", "shop.orders", "--erase", "--reason", "x", "--yes"),
        ("hold", "add", "shop.orders", "--reason", "x"),
        ("domain", "register"),
    ):
        said = mesh(*command)
        assert (said.code, "the ledger cannot be used" in said.err) == (2, True), command
    assert mesh("store", "gc", "--yes").code != 0
    last.write_text("{}", "utf-8")
    assert mesh("store", "verify", "--repair").code == 2
    assert last.read_text("utf-8") == "{}"
    last.write_bytes(kept)
    monkeypatch.delenv("DATAOPS_MESH_LEDGER")
    gone = before - {path for path in store.rglob("*") if path.is_file()}
    assert {path for path in gone if path.parent.name not in {"pins", "pending"}} == set()
    assert on_record(lived_in) == []
