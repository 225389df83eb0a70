"""The commands on a small mesh that runs: what they say, and to whom."""

from __future__ import annotations

import json

import pytest
from cli_cases import orders
from helpers import a_contract, write_product

QUERIES_THAT_ARE_NONE = [
    "selct 1",
    "",
    "select 1; select 2",
    "from shop.oders",
    "select nothing from shop.orders",
    "create table x as select 1",
    "drop view shop.orders",
    "insert into shop.orders values (3)",
    "copy shop.orders to 'copy.csv'",
    "attach 'other.duckdb'",
    "install httpfs",
    "set memory_limit = '99GB'",
    "from read_csv('pyproject.toml')",
    "from 'domains/shop/orders/orders.csv'",
    "select * from read_text('pyproject.toml')",
    "from glob('*')",
    "select getenv('HOME')",
    "explain analyze delete from shop.orders",
]


@pytest.fixture
def ran(mesh):
    """The mesh after its first run."""
    said = mesh("run", "--format", "json")
    assert said.code == 0, said.err
    return said


def test_a_run_tells_machines_on_stdout_and_people_on_stderr(ran):
    rows = ran.json
    assert [(row["product"], row["ended"]) for row in rows] == [
        ("shop.orders", "published"),
        ("desk.totals", "published"),
    ]
    assert [row["publication"] for row in rows] == [1, 2]
    assert ran.err.split("\n") == [
        "  shop.orders  published as 1",
        "  desk.totals  published as 2",
        "",
        "",
    ]


def test_only_published_data_can_be_queried_and_only_read(ran, mesh, workspace):
    before = sorted(workspace.root.rglob("*.csv"))
    for sql in QUERIES_THAT_ARE_NONE:
        said = mesh("query", sql)
        assert (said.code, said.out) == (2, ""), sql
        assert said.err.startswith("error: "), sql
    assert sorted(workspace.root.rglob("*.csv")) == before
    assert mesh("query", "from shop.orders", "--format", "json").json == [{"id": 1}, {"id": 2}]


def test_an_answer_for_machines_is_json_even_where_json_has_no_word(ran, mesh):
    said = mesh(
        "query",
        "select 'inf'::double as endless, 1 as same, 2 as same, 'x'::blob as bytes,"
        " 1.50::decimal(5,2) as exact, [1, null] as listed, {'a': date '2013-01-02'} as pair,"
        " timestamptz '2013-01-02 03:04:05+00' as moment",
        "--format",
        "json",
    )
    strict = json.loads(said.out, parse_constant=pytest.fail)
    assert strict == [
        {
            "endless": None,
            "same": 1,
            "same_1": 2,
            "bytes": "78",
            "exact": "1.50",
            "listed": [1, None],
            "pair": {"a": "2013-01-02"},
            "moment": "2013-01-02T03:04:05+00:00",
        }
    ]


def test_an_answer_for_people_is_aligned_and_shows_values_as_they_are(ran, mesh):
    said = mesh(
        "query", "select 2004 as year, 'a[b]c' as name union all select null, 'x' order by 1"
    )
    assert said.out.splitlines() == ["year  name", "2004  a[b]c", "      x"]


def test_a_query_without_rows_says_so(ran, mesh):
    said = mesh("query", "from shop.orders where id > 9")
    assert (said.code, said.out, said.err) == (0, "", "no rows\n")
    assert mesh("query", "from shop.orders where id > 9", "--format", "json").json == []


def test_a_wide_answer_is_never_folded_into_columns_of_letters(ran, mesh):
    columns = ", ".join(f"'{'v' * 30}' as a_long_name_of_a_column_{n}" for n in range(12))
    head, row = mesh("query", f"select {columns}").out.splitlines()
    assert head.count("a_long_name") == 12
    assert row.count("v" * 30) == 12


def test_an_earlier_release_can_be_read(ran, mesh, workspace):
    write_product(workspace.root, "shop", "orders", orders("id\n7\n"))
    assert mesh("run", "shop").code == 0
    count = "select min(id) as id from shop.orders"
    assert mesh("query", count, "--format", "json").json == [{"id": 7}]
    assert mesh("query", "--release", "1", count, "--format", "json").json == [{"id": 1}]
    said = mesh("query", "--release", "99", count)
    assert said.code == 2
    assert "the store has no release 99" in said.err


def test_a_refusal_says_why_holds_its_consumers_and_exits_1(ran, mesh, workspace):
    write_product(workspace.root, "shop", "orders", orders("id\n1\n1\n"))
    said = mesh("run", "--format", "json")
    assert said.code == 1
    refused, held = said.json
    assert (refused["ended"], held["ended"]) == ("refused", "waiting")
    assert refused["reasons"] == [
        "shop.orders primary_key: 1 value of id repeats; the contract says mustBe 0"
    ]
    assert "its input shop.orders was not published" in held["why"]
    short = refused["candidate"].rpartition("/")[2]
    look = ["query", "from shop.orders", "--candidate", short]
    assert said.err.splitlines()[:5] == [
        "  shop.orders  refused",
        "    - shop.orders primary_key: 1 value of id repeats; the contract says mustBe 0",
        f'    to look at it: mesh query "from shop.orders" --candidate {short}',
        "  desk.totals  waiting",
        "    its input shop.orders was not published",
    ]
    assert mesh(*look).code == 0
    assert mesh("query", "from shop.orders", "--format", "json").json == [{"id": 1}, {"id": 2}]
    status = {row["port"]: row for row in mesh("status", "--format", "json").json}
    assert status["shop.orders"]["last_ended"] == "refused"
    assert status["shop.orders"]["publication"] == 1
    assert status["shop.orders"]["reasons"] == refused["reasons"]


def test_history_and_rollback_tell_the_same_story(ran, mesh, workspace):
    write_product(workspace.root, "shop", "orders", orders("id\n7\n"))
    assert mesh("run", "shop.orders").code == 0
    said = mesh("rollback", "shop.orders", "--reason", "wrong prices", "--format", "json")
    assert said.code == 0
    assert (said.json[0]["rows"], said.json[0]["publication"]) == (2, 4)
    events = mesh("history", "shop.orders", "--format", "json").json
    assert [event["what"] for event in events] == ["rollback", "published", "published"]
    assert events[0]["why"] == ["wrong prices"]
    assert {event["person"] for event in events} == {"ana"}
    assert mesh("query", "from shop.orders", "--format", "json").json == [{"id": 1}, {"id": 2}]


def test_status_for_people_is_one_line_per_port(ran, mesh):
    said = mesh("status")
    lines = said.out.splitlines()
    assert lines[0].split()[0] == "port"
    assert [line.split()[0] for line in lines[1:]] == ["desk.totals", "shop.orders"]
    assert all(line == line.rstrip() for line in lines)
    assert "release 2; times are UTC" in said.err


def test_the_workspace_file_names_every_domain(mesh, workspace):
    said = mesh("workspace")
    assert (said.code, said.err) == (0, "workspace.yaml: 2 code locations\n")
    text = (workspace.root / "workspace.yaml").read_text("utf-8")
    assert "relative_path: domains/shop/definitions.py" in text
    assert "location_name: desk" in text


def test_a_run_holds_to_the_contract_as_it_is_now(ran, mesh, workspace):
    """Also where one process runs a mesh again, as this test does."""
    files = orders()
    files["orders.odcs.yaml"] = str(files["orders.odcs.yaml"]).replace(
        "{name: id,", "{name: line, logicalType: integer, required: true}\n      - {name: id,"
    )
    files["orders.sql"] = "select id::bigint as id, 7::bigint as line from orders_csv"
    write_product(workspace.root, "shop", "orders", files)
    said = mesh("run", "shop.orders", "--format", "json")
    assert said.code == 0, said.err
    (row,) = said.json
    assert row["checks"] == ran.json[0]["checks"] + 1
    assert mesh("query", "select line from shop.orders limit 1", "--format", "json").json == [
        {"line": 7}
    ]


def test_rows_that_were_set_aside_are_told_and_shown_to_their_owner(mesh, workspace):
    setting = "{property: onFailure, vendor: dataops_mesh, value: {quarantine: 1 row}}"
    column = (
        "{name: id, logicalType: integer, primaryKey: true, classification: public, "
        f"logicalTypeOptions: {{maximum: 7}}, customProperties: [{setting}]}}"
    )
    files = {**orders("id\n1\n9\n"), "orders.odcs.yaml": a_contract("orders", [column])}
    write_product(workspace.root, "shop", "orders", files)
    (ran,) = mesh("run", "shop.orders", "--format", "json").json
    assert (ran["rows"], ran["set_aside"]) == (1, 1)
    (shown,) = mesh("status", "shop.orders", "--format", "json").json
    assert (shown["rows"], shown["set_aside"]) == (1, 1)
    found = mesh("show", ran["candidate"], "--format", "json").json
    rules = [{"rule": "id_required", "rows": 0}, {"rule": "id_range", "rows": 1}]
    assert found["quarantine"] == [{"port": "shop.orders", "set_aside": 1, "rules": rules}]
    assert "set_aside" in mesh("show", "shop.orders").out
    query = ("query", "from shop__quarantine.orders", "--format", "json")
    looked = mesh(*query, "--candidate", ran["candidate"])
    assert looked.json == [{"id": 9, "mesh_rules": ["id_range"]}]
    assert "rows set aside: 1, in shop__quarantine.orders" in looked.err
    assert mesh(*query).code != 0
