"""`mesh publish` delivers and asks the gate: never around it, never half a file."""

from __future__ import annotations

import pytest
from helpers import a_contract, a_product, a_source, write_product

CSV = "id\n7\n"


@pytest.fixture
def landing(workspace):
    return workspace.root / "domains" / "shop" / "orders" / "orders.csv"


def published(mesh) -> list[dict]:
    said = mesh("query", "select id from shop.orders", "--format", "json")
    assert said.code == 0, said.err
    return said.json


def test_a_file_is_delivered_and_published(mesh, workspace, landing, tmp_path):
    (tmp_path / "made.csv").write_text(CSV, "utf-8")
    said = mesh("publish", "shop.orders", "--from", "made.csv")
    assert said.code == 0, said.err
    assert published(mesh) == [{"id": 7}]
    assert landing.read_text("utf-8") == CSV
    assert [f.name for f in landing.parent.iterdir() if f.name.startswith(".")] == []


def test_the_rows_of_a_query_are_delivered_and_published(mesh, tmp_path):
    (tmp_path / "made.csv").write_text(CSV, "utf-8")
    query = "select id + 1 as id from 'made.csv'"
    assert mesh("publish", "shop.orders", "--query", query).code == 0
    assert published(mesh) == [{"id": 8}]


TAKEN = {
    "another domain's": ("from '{root}/domains/other/own/own.csv'", "another domain's folder"),
    "another domain's, by a pattern": (
        "from read_csv('{root}/domains/*/own/*.csv')", "another domain's folder"),
    "by a quoted name": ('from "{root}/domains/other/own/own.csv"', "another domain's folder"),
    "by a link": ("from '{root}/linked.csv'", "another domain's folder"),
    "the store's": ("from read_text('{root}/.mesh/store/*.json')", "the store of this mesh"),
    "the system's": ("select 1 as id from read_text('/etc/passwd')", "a folder of the system"),
    "put together": (
        "from read_csv('{root}/domains/oth' || 'er/own/own.csv')", "PermissionException"),
    "by chr": (
        "from read_csv(replace('{root}/domains/_/own/own.csv', '_', 'other'))",
        "PermissionException"),
    "attached": ("attach '{root}/new.db' as a; select 1 as id", "PermissionException"),
}  # fmt: skip


@pytest.mark.parametrize("way", TAKEN)
def test_a_query_opens_nothing_that_no_source_may_be(mesh, tmp_path, way):
    assert mesh("run", "shop").code == 0
    own = tmp_path / "domains/other/own/own.csv"
    own.parent.mkdir(parents=True)
    own.write_text("id\n4711\n", "utf-8")
    (tmp_path / "linked.csv").symlink_to(own)
    query, said = TAKEN[way]
    refused = mesh("publish", "shop.orders", "--query", query.format(root=tmp_path))
    assert refused.code == 2, refused.out
    assert said in refused.err
    assert published(mesh) != [{"id": 4711}]


def test_a_query_opens_what_may_be_a_source_by_any_spelling(mesh, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/made[1].csv").write_text(CSV, "utf-8")
    for named in ("data/*.csv", str(tmp_path / "data/made*.csv"), "./data/made*.csv"):
        query = f"select id + 1 as id from read_csv('{named}')"
        assert mesh("publish", "shop.orders", "--query", query).code == 0
        assert published(mesh) == [{"id": 8}]


def test_what_the_gate_refuses_is_not_published(mesh, tmp_path):
    assert mesh("run", "shop").code == 0
    before = published(mesh)
    (tmp_path / "made.csv").write_text(CSV + "7\n", "utf-8")
    assert mesh("publish", "shop.orders", "--from", "made.csv").code == 1
    assert published(mesh) == before


WRONG = {
    ("shop.orders",): (2, "either --from FILE or --query SELECT"),
    ("shop.orders", "--from", "a.csv", "--query", "select 1"): (2, "either --from FILE or"),
    ("shop.orders", "--from", "nothing.csv"): (2, "there is no file nothing.csv"),
    ("shop.orders", "--query", "selct 1"): (2, "the query cannot be run"),
    ("shop.orders", "--query", "create table t as select 1"): (2, "returns no rows"),
    ("shop.orders", "--input", "other", "--query", "select 1"): (2, 'no source "other"'),
    ("desk.totals", "--query", "select 1"): (2, "reads no source"),
    ("shop.orders", "--query", "select 1", "--partition", "x"): (2, "published whole"),
    ("shop.nothing", "--query", "select 1"): (2, "shop.nothing"),
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_a_mistake_changes_nothing_and_is_said(mesh, landing, arguments):
    code, words = WRONG[arguments]
    before = landing.read_bytes()
    said = mesh("publish", *arguments)
    assert said.code == code
    assert words in said.err
    assert landing.read_bytes() == before


def test_of_several_sources_one_is_named(mesh, workspace):
    made = a_product(
        {"both": ["{name: k, logicalType: integer}"]},
        inputs=[a_source("a", "a.csv"), a_source("b", "b/*.csv")],
        files={"both.sql": "select k::bigint as k from a union all select k::bigint from b",
               "a.csv": "k\n1\n", "b/b.csv": "k\n2\n"},
    )  # fmt: skip
    write_product(workspace.root, "shop", "both", made)
    asked = mesh("publish", "shop.both", "--query", "select 3 as k")
    assert asked.code == 2
    assert "valid: a, b" in asked.err
    pattern = mesh("publish", "shop.both", "--input", "b", "--query", "select 3 as k")
    assert "a pattern of names" in pattern.err
    assert "mesh run shop.both" in pattern.err
    assert mesh("publish", "shop.both", "--input", "a", "--query", "select 3 as k").code == 0
    rows = mesh("query", "select k from shop.both order by k", "--format", "json").json
    assert rows == [{"k": 2}, {"k": 3}]


def test_a_partition_has_a_file_of_its_own(mesh, workspace):
    window = "{cadence: daily, start: '2026-11-01', end: '2026-11-03'}"
    extra = f"customProperties: [{{property: partitions, vendor: dataops_mesh, value: {window}}}]\n"
    made = a_product(
        {"days": _days(extra)}, inputs=[a_source("rows", "'in/{partition}.csv'")],
        files={"days.sql": "select day::date as day from rows"},
    )  # fmt: skip
    write_product(workspace.root, "shop", "days", made)
    query = "select date '2026-11-02' as day"
    for key in ("../../../../../escaped", "2026-12-24", "", " "):
        refused = mesh("publish", "shop.days", "--query", query, "--partition", key)
        assert refused.code == 2
    assert not list(workspace.root.parent.rglob("escaped*"))
    assert not (workspace.root / "domains/shop/days/in").exists()
    assert "add --partition" in mesh("publish", "shop.days", "--query", query).err
    done = mesh("publish", "shop.days", "--query", query, "--partition", "2026-11-02")
    assert done.code == 0, done.err
    assert (workspace.root / "domains/shop/days/in/2026-11-02.csv").is_file()


def _days(extra: str) -> str:
    column = "{name: day, logicalType: date, required: true, partitioned: true}"
    return a_contract("days", [column], extra=extra)


def test_a_source_that_a_dagster_asset_writes_has_no_second_writer(mesh, workspace, landing):
    before = landing.read_text("utf-8")
    files = a_product(
        {"orders": a_contract("orders", ["{name: id, logicalType: integer, primaryKey: true}"])},
        inputs=[a_source("orders_csv", "orders.csv", more="asset: raw/orders")],
        files={"orders.sql": "select id from orders_csv"},
    )
    write_product(workspace.root, "shop", "orders", files)
    said = mesh("publish", "shop.orders", "--query", "select 9 as id")
    assert said.code == 2
    assert "written by the Dagster asset raw/orders" in said.err
    assert "materialize raw/orders in Dagster" in said.err
    assert landing.read_text("utf-8") == before
