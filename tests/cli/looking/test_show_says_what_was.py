"""One command answers what publication N is, from what, by whom; and what was built from it."""

from __future__ import annotations

import hashlib

import pytest
from cli_cases import on_record, orders
from helpers import a_product, a_setting, a_source, an_input, write_product

WIDE = 100
CLASSIFIED = (
    "{name: id, logicalType: integer, primaryKey: true, classification: public}",
    "{name: ssn, logicalType: string, classification: restricted}",
    "{name: note, logicalType: string}",
)


@pytest.fixture
def ran(mesh):
    said = mesh("run")
    assert said.code == 0, said.err
    return said


def test_a_publication_is_told_with_inputs_code_checks_and_person(ran, mesh, workspace):
    shown = mesh("show", "2", "--format", "json").json
    assert (shown["publication"], shown["kind"], shown["person"]) == (2, "publication", "ana")
    (one,) = shown["candidates"]
    assert (one["product"], one["verdict"], one["publications"]) == ("desk.totals", "publish", [2])
    (read,) = one["inputs"]
    assert (read["address"], read["publication"]) == ("shop.orders", 1)
    (file,) = one["code"]["files"]
    text = (workspace.root / file).read_bytes()
    assert one["code"]["files"][file] == hashlib.sha256(text).hexdigest()
    assert {check["outcome"] for check in one["checks"]} == {"passed"}
    assert all(check["expected"] for check in one["checks"])
    assert "settings.json" in one["judged"]["texts"]
    source = mesh("show", "1", "--format", "json").json["candidates"][0]["inputs"][0]
    assert source["publication"] is None
    assert source["fingerprint"]


def test_what_was_built_from_a_publication_is_told_to_the_end(ran, mesh, workspace):
    far = a_product(
        ports={"report": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("desk.totals")],
        files={"report.sql": "select n from desk.totals"},
    )
    write_product(workspace.root, "desk", "report", far)
    assert mesh("run", "desk.report").code == 0
    rows = mesh("show", "1", "--down", "--format", "json").json
    assert [(r["step"], r["product"], r["publications"]) for r in rows] == [
        (1, "desk.totals", [2]),
        (2, "desk.report", [3]),
    ]
    write_product(workspace.root, "shop", "orders", orders("id\n1\n2\n3\n"))
    assert mesh("run", "shop.orders").code == 0
    assert mesh("show", "4", "--down", "--format", "json").json == []
    assert mesh("run", "desk.totals").code == 0
    assert len(mesh("show", "1", "--down", "--format", "json").json) == 2


def test_a_partition_is_read_until_it_is_published_again(mesh, workspace):
    cut = a_setting("partitions", "{values: [a, b]}")
    contract = "{name: day, logicalType: string, partitioned: true}"
    files = a_product(
        ports={"days": [contract, "{name: id, logicalType: integer}"]},
        inputs=[a_source("src", "'{partition}.csv'")],
        files={
            "days.sql": "select day, id::bigint as id from src",
            "a.csv": "day,id\na,1\n",
            "b.csv": "day,id\nb,1\n",
        },
    )
    port = str(files["days.odcs.yaml"])
    files["days.odcs.yaml"] = port + "customProperties:\n" + cut
    write_product(workspace.root, "shop", "days", files)
    total = a_product(
        ports={"both": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.days")],
        files={"both.sql": "select count(*) as n from shop.days"},
    )
    write_product(workspace.root, "desk", "both", total)
    assert mesh("run", "shop.days", "desk.both").code == 0  # 1 is a, 2 is b, 3 is both
    write_product(workspace.root, "shop", "days", {"b.csv": "day,id\nb,2\n"})
    assert mesh("run", "shop.days", "--partition", "b").code == 0  # 4
    assert mesh("run", "desk.both").code == 0  # 5

    def built(number) -> list[list[int]]:
        rows = mesh("show", str(number), "--down", "--format", "json").json
        return [row["publications"] for row in rows]

    assert built(1) == [[3], [5]]
    assert built(2) == [[3]]
    assert built(4) == [[5]]


def test_every_word_for_a_thing_finds_it_and_no_table_is_wider_than_a_page(ran, mesh, workspace):
    write_product(workspace.root, "shop", "orders", orders("id\n1\n1\n"))
    assert mesh("run", "shop.orders").code == 1
    refused = mesh("history", "shop.orders", "--format", "json").json[0]
    (incident,) = mesh("status", "--wrong", "--format", "json").json
    assert mesh("incidents", "--format", "json").json == [incident], "its older name"
    assert incident["incident"] in mesh("status", "--wrong").out
    assert mesh("status", "--all").code == 2
    for word in ("1", "shop.orders", refused["candidate"], incident["incident"]):
        said = mesh("show", word)
        assert said.code == 0, said.err
        assert "shop.orders" in said.out
        assert max(map(len, said.out.splitlines())) <= WIDE, said.out
    short = refused["candidate"].rpartition("/")[2]
    one = mesh("show", short, "--format", "json").json
    assert (one["verdict"], one["publications"]) == ("refuse", [])
    failed = [check for check in one["checks"] if check["outcome"] == "failed"]
    assert [(c["check"], c["observed"], c["rows"]) for c in failed] == [("primary_key", 1, 2)]
    for command in (("history", "shop.orders"), ("show", "shop.orders", "--history")):
        said = mesh(*command)
        assert max(map(len, said.out.splitlines())) <= WIDE, said.out
    for wrong in ("99", "shop.nothing", "shop/orders/none", "feedfeedfeed"):
        assert mesh("show", wrong).code == 2


def test_what_was_collected_is_still_told_from_the_record(ran, mesh, workspace, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_GRACE", "0")
    monkeypatch.setenv("DATAOPS_MESH_KEEP_PUBLICATIONS", "1")
    write_product(workspace.root, "shop", "orders", orders("id\n5\n"))
    assert mesh("run").code == 0
    assert mesh("store", "gc", "--yes").code == 0
    (one,) = mesh("show", "1", "--format", "json").json["candidates"]
    assert one["complete"] is False
    assert {check["outcome"] for check in one["checks"]} == {"passed"}
    assert [row["product"] for row in mesh("show", "1", "--down", "--format", "json").json] == [
        "desk.totals"
    ]


@pytest.fixture
def refused(mesh, workspace):
    """A refused candidate with classified columns."""
    files = a_product(
        ports={"people": CLASSIFIED},
        inputs=[a_source("src", "people.csv")],
        files={
            "people.sql": "select id::bigint as id, ssn, note from src",
            "people.csv": "id,ssn,note\n1,078-05-1120,MARKED\n1,219-09-9999,\n",
        },
    )
    write_product(workspace.root, "shop", "people", files)
    assert mesh("run", "shop.people").code == 1
    return mesh("history", "shop.people", "--format", "json").json[0]["candidate"]


def test_an_owner_sees_refused_rows_masked_and_on_record(refused, mesh):
    said = mesh(
        "query", "from shop.people order by note nulls last", "--candidate", refused,
        "--format", "json",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json == [
        {"id": 1, "ssn": "***", "note": "***"},
        {"id": 1, "ssn": "***", "note": None},
    ]
    from dataops_mesh.settings import load_settings

    (row,) = on_record(load_settings())
    assert (row[0], row[1], row[2]) == ("look", f'["{refused}"]', "ana")


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_parquet('{file}')",
        "select count(*) from shop.people where ssn = '078-05-1120'",
        "select ssn::int from shop.people",
        "copy shop.people to '{file}'",
    ],
)
def test_no_way_of_asking_says_a_masked_value(refused, mesh, workspace, sql):
    (file,) = (workspace.store_folder / "candidates" / refused).rglob("*.parquet")
    said = mesh("query", sql.format(file=file), "--candidate", refused)
    assert "078-05" not in said.out + said.err
    assert "MARKED" not in said.out + said.err
    assert said.code == 2 or said.out.split()[-1] == "0"


def test_a_release_that_only_decides_is_shown_with_who_and_why(mesh, workspace):
    assert mesh("run", "shop.orders").code == 0
    for number, words in (
        (2, ("hold", "add", "shop.orders")),
        (3, ("hold", "lift", "shop.orders")),
        (4, ("withdraw", "shop.orders", "--yes")),
    ):
        assert mesh(*words, "--reason", f"because of {number}").code == 0
        said = mesh("show", str(number))
        assert said.code == 0
        for word in ("shop.orders", "ana", f"because of {number}"):
            assert word in said.out
        kind = mesh("show", str(number), "--format", "json").json["kind"]
        assert kind == {2: "hold", 3: "lift", 4: "withdrawal"}[number]
    assert mesh("show", "5").code == 2
