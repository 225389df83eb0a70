"""Rows that break a rule are set aside, no row is lost, and nobody but the owner reads them."""

from __future__ import annotations

from typing import Any

import pytest
from aside_cases import CSV, KEY, amount, aside, orders, rows_aside, shop
from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    product,
    read,
    roll_back,
    run,
    write_product,
    write_workspace,
)
from markers import places

from dataops_mesh.engine.read import connect
from dataops_mesh.errors import CorruptError, MeshError
from dataops_mesh.gate import Refuse
from dataops_mesh.run.peek import open_candidate
from dataops_mesh.run.report import Report
from dataops_mesh.run.word.erase import Forgot, erase
from dataops_mesh.run.word.withdraw import Taking
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.verify import verify
from dataops_mesh.watch.monitor import audit_published

PYTHON = "def transform(orders_csv):\n    return orders_csv\n"
BROKEN = [(2, None, ["amount_required"]), (3, -5, ["amount_range"])]


@pytest.mark.parametrize("python", ["", PYTHON], ids=["sql", "python"])
def test_what_remains_is_published_and_the_rest_is_kept_beside_it(tmp_path, python):
    settings = shop(tmp_path, python=python)
    report = run(settings, "shop.orders")
    assert report.published
    assert (report.rows, report.set_aside) == (2, 2)
    assert read(settings, "from shop.orders order by id") == [(1, 10), (4, 40)]
    assert rows_aside(settings, report) == BROKEN
    (one,) = read_manifest(environment(settings).store, report.candidate).quarantines
    assert dict(one.rules) == {"amount_required": 1, "amount_range": 1}
    assert (one.rows, str(one.address)) == (2, "shop.orders")


@pytest.mark.parametrize(
    ("most", "published"),
    [
        ("2 rows", True),
        ("1 row", False),
        ("50%", True),
        ("49.999999999999%", False),
        ("50 %", True),
    ],
)
def test_the_bound_holds_at_its_very_edge(tmp_path, most, published):
    settings = shop(tmp_path, most)
    report = run(settings, "shop.orders")
    assert report.published is published
    if not published:
        assert isinstance(report.decision, Refuse)
        (why,) = report.decision.reasons
        assert "quarantine_amount" in why
        assert "2 rows were set aside by amount_required, amount_range" in why
        assert rows_aside(settings, report) == BROKEN


def test_where_no_row_breaks_a_rule_nothing_is_set_aside(tmp_path):
    settings = shop(tmp_path, csv="id,amount\n1,10\n2,0\n")
    report = run(settings, "shop.orders")
    assert report.published
    (one,) = read_manifest(environment(settings).store, report.candidate).quarantines
    assert (one.rows, one.files, dict(one.rules)) == (
        0,
        (),
        {"amount_required": 0, "amount_range": 0},
    )


def test_where_no_row_remains_the_gate_refuses_as_ever(tmp_path):
    settings = shop(tmp_path, "100%", csv="id,amount\n1,\n2,-1\n")
    report = run(settings, "shop.orders")
    assert not report.published
    assert "not_empty" in str(report.decision)
    assert report.set_aside == 2


def test_rows_that_break_another_rule_refuse_as_ever(tmp_path):
    settings = shop(tmp_path, csv="id,amount\n1,10\n1,20\n2,\n")
    report = run(settings, "shop.orders")
    assert not report.published
    assert "primary_key" in str(report.decision)


def test_a_key_that_only_a_row_set_aside_repeats_is_unique(tmp_path):
    settings = shop(tmp_path, csv="id,amount\n1,10\n1,\n2,20\n")
    assert run(settings, "shop.orders").published
    assert read(settings, "from shop.orders order by id") == [(1, 10), (2, 20)]


def test_a_rule_that_cannot_be_told_of_rows_sets_none_aside_and_refuses(tmp_path):
    rule = f"{{name: odd, type: sql, query: 'select count(*) from {{object}} where cast(amount::varchar || chr(120) as integer) is null', mustBe: 0, {aside('50%')}}}"
    made = orders()
    made["orders.odcs.yaml"] = a_contract(
        "orders", [KEY, "{name: amount, logicalType: integer}"], rule
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": made}})
    report = run(settings, "shop.orders")
    assert isinstance(report.decision, Refuse)
    assert any("quarantine_odd: could not run" in why for why in report.decision.reasons)
    assert not report.quarantines
    assert "-5" not in str(report.decision)


def test_a_rule_may_call_its_relation_by_any_name(tmp_path):
    queries = (
        "select count(*) from orders as o where o.amount > 30",
        "select count(*) from shop.orders where orders.amount = 10 and amount > 5",
        "select count(*) as n from ${table} WHERE ({object}.amount) < 0 -- too little",
    )
    rules = [
        f'{{name: r{n}, type: sql, query: "{query}", mustBe: 0, {aside("3 rows")}}}'
        for n, query in enumerate(queries)
    ]
    made = orders()
    made["orders.odcs.yaml"] = a_contract(
        "orders", [KEY, "{name: amount, logicalType: integer}"], *rules
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": made}})
    report = run(settings, "shop.orders")
    assert report.published
    assert [row[2] for row in rows_aside(settings, report)] == [["r1"], ["r2"], ["r0"]]


def test_what_is_demanded_inside_a_column_of_any_name_sets_rows_aside_too(tmp_path):
    tags = (
        "{name: 'the tags', logicalType: array, items: {logicalType: string, "
        f"logicalTypeOptions: {{maxLength: 2}}}}, {aside('1 row')}}}"
    )
    who = (
        "{name: who, logicalType: object, properties: [{name: age, logicalType: integer, "
        f"required: true}}], {aside('1 row')}}}"
    )
    values = "(1, ['a'], {'age': 1}), (2, ['abc'], {'age': 1}), (3, null, {'age': null})"
    sql = f'select * from (values {values}, (4, null, null)) as t(id, "the tags", who)'
    made = a_product({"orders": a_contract("orders", [KEY, tags, who])}, files={"orders.sql": sql})
    settings = write_workspace(tmp_path, {"shop": {"orders": made}})
    report = run(settings, "shop.orders")
    assert report.published, report.decision
    assert [(row[0], row[-1]) for row in rows_aside(settings, report)] == [
        (2, ["the_tags__item_length"]),
        (3, ["who__age_required"]),
    ]
    assert read(settings, "select id from shop.orders order by id") == [(1,), (4,)]


# Who reads what was set aside


def test_consumers_have_no_way_to_what_was_set_aside(tmp_path):
    settings = shop(tmp_path)
    report = run(settings, "shop.orders")
    store = environment(settings).store
    (file,) = (store.candidates / report.candidate / "orders.quarantine").iterdir()
    for query in (
        "from shop__quarantine.orders",
        f"from '{file}'",
        f"from read_parquet('{file}')",
        f"from read_parquet('{file.parent.parent}/*/*.parquet')",
        f"from glob('{file.parent}/*')",
    ):
        with connect(settings.store_folder) as published, pytest.raises(Exception, match=r"."):
            published.execute(query).fetchall()
    catalog = (settings.store_folder / "catalogs" / "shop.duckdb").read_bytes()
    assert b"quarantine" not in catalog


@pytest.mark.parametrize("kind", ["sql", "python"])
def test_a_transform_that_reads_the_port_cannot_read_beside_it(tmp_path, kind):
    settings = shop(tmp_path)
    report = run(settings, "shop.orders")
    folder = environment(settings).store.candidates / report.candidate
    (file,) = (folder / "orders.quarantine").iterdir()
    files = {
        "sql": {"thief.sql": f"select id from shop.orders union all select id from read_parquet('{file}')"},
        "python": {
            "transform.py": "import duckdb\n\ndef transform(shop_orders):\n"
            f"    open({str(file)!r}, 'rb').read()\n    return shop_orders.select('id')\n"
        },
    }[kind]  # fmt: skip
    thief = a_product(
        {"thief": ["{name: id, logicalType: integer}"]},
        inputs=[an_input("shop.orders")],
        files=files,
    )
    write_product(tmp_path, "shop", "thief", thief)
    with pytest.raises(MeshError) as caught:
        run(settings, "shop.thief")
    assert {"sql": "read_parquet()", "python": "PermissionError"}[kind] in str(caught.value)


def looked_at(settings: Settings, report: Report) -> list[tuple[Any, ...]]:
    place, found = environment(settings), product(settings, "shop.orders")
    manifest = read_manifest(place.store, report.candidate)
    with open_candidate(found, manifest, place) as looking:
        return looking.execute("from shop__quarantine.orders order by id").fetchall()


def test_its_owner_looks_at_it_with_what_is_classified_masked(tmp_path):
    settings = shop(tmp_path)
    assert looked_at(settings, run(settings, "shop.orders")) == [
        (2, None, "***"),
        (3, "***", "***"),
    ]


def test_its_owner_sees_which_rules_about_open_columns_a_row_breaks(tmp_path):
    made = orders()
    open_amount = amount("2 rows", ", classification: public")
    made["orders.odcs.yaml"] = a_contract("orders", [KEY, open_amount])
    settings = write_workspace(tmp_path, {"shop": {"orders": made}})
    assert looked_at(settings, run(settings, "shop.orders")) == BROKEN


BITS = [
    f"{{name: b{n}, type: sql, query: 'select count(*) from {{object}} where (pin >> {n}) & 1 = 1', "
    f"mustBe: 0, {aside('9 rows')}}}"
    for n in range(8)
]
PIN = "{name: pin, logicalType: integer, classification: restricted}"
_PIN = PIN.removesuffix("}")
WAYS = {
    "rules in SQL": ([PIN], BITS),
    "the column's own rules": (
        [(f"{_PIN}, quality: [{{metric: invalidValues, arguments: {{validValues: [7]}}, mustBe: 0, "
         f"{aside('9 rows')}}}]}}")], []
    ),
    "a range": ([f"{_PIN}, logicalTypeOptions: {{maximum: 3}}, {aside('9 rows')}}}"], []),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_names_of_rules_say_a_value_that_is_masked(tmp_path, way):
    columns, rules = WAYS[way]
    files = a_product(
        {"orders": a_contract("orders", [KEY, *columns], *rules)},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.csv": "id,pin\n1,201\n2,77\n3,0\n", "orders.sql": "from orders_csv"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": files}})
    report = run(settings, "shop.orders")
    # To change what the rules are about afterwards tells no more of the rows that are there.
    write_product(tmp_path, "shop", "orders", {
        "orders.odcs.yaml": a_contract(
            "orders", [KEY, PIN], *(rule.replace("pin", "id") for rule in rules)
        )
    })  # fmt: skip
    rows = looked_at(settings, report)
    assert len(rows) >= 2
    assert {(pin, why) for _, pin, why in rows} == {("***", "***")}


# It is part of the candidate


def test_a_rollback_and_a_monitor_do_not_mind_it(tmp_path):
    settings = shop(tmp_path)
    first = run(settings, "shop.orders")
    write_product(tmp_path, "shop", "orders", {"orders.csv": CSV + "5,50\n"})
    assert run(settings, "shop.orders").published
    roll_back(settings, "shop.orders")
    assert read(settings, "select count(*) from shop.orders") == [(2,)]
    audit = audit_published(product(settings, "shop.orders"), environment(settings))
    assert audit.outcome == "passed"
    entry = latest(environment(settings).store).ports[first.ports[0].address]
    assert entry.candidate == first.candidate


def test_damage_of_it_is_found(tmp_path):
    settings = shop(tmp_path)
    report = run(settings, "shop.orders")
    store = environment(settings).store
    verify(store, report.candidate)
    (file,) = (store.candidates / report.candidate / "orders.quarantine").iterdir()
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(CorruptError):
        verify(store, report.candidate)


def forget(_):
    return Forgot()


def test_erasing_takes_it_too_and_of_one_port_only_its_own(tmp_path):
    mark, other = "mark-of-a-person", "mark-that-stays!"
    names = f"{{name: who, logicalType: string, logicalTypeOptions: {{maxLength: 3}}, {aside('9 rows')}}}"
    made = a_product(
        {port: a_contract(port, [KEY, names]) for port in ("orders", "more")},
        inputs=[a_source("people", "people.csv")],
        files={
            "orders.sql": "select id, one as who from people",
            "more.sql": "select id, two as who from people",
            "people.csv": f"id,one,two\n1,ana,bob\n2,{mark},{other}\n",
        },
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": made}})
    report = run(settings, "shop.orders")
    place = environment(settings)
    folder = place.store.candidates / report.candidate
    assert len(places(place.store.captures, mark)) == 1, "what was delivered, once"
    assert {p.split("/")[-2] for p in places(place.store.candidates, mark)} == {"orders.quarantine"}
    one = Taking("shop.orders", (Address("shop", "orders"),), ())
    erase(one, place, "asked to", "", whole=False, wait=True, forget=forget, tell=str)
    assert places(place.store.root, mark) == set()
    assert {p.split("/")[-2] for p in places(place.store.root, other)} == {"more.quarantine"}
    left = read_manifest(place.store, report.candidate)
    found = {one.address.port: (one.rows, bool(one.files)) for one in left.quarantines}
    assert found == {"orders": (1, False), "more": (1, True)}
    rest = Taking("shop.orders", (Address("shop", "more"),), ())
    erase(rest, place, "asked to", "", whole=True, wait=True, forget=forget, tell=str)
    assert places(place.store.root, other) == set()
    assert not folder.exists()
