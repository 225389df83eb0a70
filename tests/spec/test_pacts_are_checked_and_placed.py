"""A pact is a file like any other: every mistake in it has a line, and it becomes checks."""

from __future__ import annotations

import pytest
from helpers import a_contract, a_product, a_setting, a_source, an_input, mesh, write_workspace

from dataops_mesh.errors import DeclarationError
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.checks.check import Stage, checks_of
from dataops_mesh.spec.model import Severity
from dataops_mesh.spec.read.pact import moved_on

COLUMNS = (
    "{name: id, logicalType: integer, primaryKey: true}",
    "{name: kind, logicalType: string}",
)
ENOUGH = "{name: enough, metric: rowCount, mustBeGreaterOrEqualTo: 2}"
KINDS = "{name: kinds, column: kind, metric: nullValues, mustBe: 0, severity: warning}"
PACT = f"consumer: desk.totals\nexpectations:\n  shop.orders:\n    - {ENOUGH}\n    - {KINDS}\n"


def declared(root, pact=PACT, file="desk.totals.yaml", expects=(ENOUGH, KINDS), extra=""):
    orders = a_product(
        ports={"orders": a_contract("orders", COLUMNS) + extra},
        inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select id from csv", "o.csv": "id\n1\n", f"accepted/{file}": pact},
    )
    totals = a_product(
        ports={"totals": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders", *expects)],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )
    return mesh(write_workspace(root, {"desk": {"totals": totals}, "shop": {"orders": orders}}))


def checks(found, product="shop.orders"):
    (wanted,) = (p for p in found.products if p.qualified_name == product)
    return {check.name: check for check in checks_of(wanted)}


def test_an_accepted_expectation_is_a_check_of_the_port_under_the_consumers_name(tmp_path):
    found = checks(declared(tmp_path))
    enough, kinds = found["for_desk_totals_enough"], found["for_desk_totals_kinds"]
    assert (str(enough.port), enough.stage, enough.severity) == (
        "shop.orders", Stage.OUTPUT, Severity.ERROR,
    )  # fmt: skip
    assert kinds.severity is Severity.WARNING
    assert "desk.totals relies on it" in enough.description
    assert str(enough.where) == "domains/shop/orders/accepted/desk.totals.yaml:4"


def test_a_pact_that_may_only_warn_never_refuses(tmp_path):
    found = checks(declared(tmp_path, f"severity: warning\n{PACT}"))
    assert found["for_desk_totals_enough"].severity is Severity.WARNING


def test_a_consumer_reads_every_partition_and_so_does_its_pact(tmp_path):
    cut = "customProperties:\n" + a_setting("partitions", "{values: [a, b]}")
    pact = (
        "consumer: desk.totals\nexpectations:\n  shop.orders:\n"
        f"    - {ENOUGH}\n"
        "    - {name: once, metric: duplicateValues, arguments: {properties: [id, kind]}, mustBe: 0}\n"
    )
    columns = COLUMNS[0], "{name: kind, logicalType: string, partitioned: true}"
    orders = a_product(
        ports={"orders": a_contract("orders", columns) + cut},
        files={"orders.sql": "select 1 as id, 'a' as kind", "accepted/desk.totals.yaml": pact},
    )
    found = checks(mesh(write_workspace(tmp_path, {"shop": {"orders": orders}})))
    assert found["for_desk_totals_enough"].table_wide
    assert not found["for_desk_totals_once"].table_wide  # nothing elsewhere can repeat it


@pytest.mark.parametrize(
    ("pact", "line", "said"),
    [
        (PACT.replace("shop.orders", "shop.order"), 3, 'did you mean "shop.orders"?'),
        (PACT.replace("column: kind", "column: kid"), 5, 'no column "kid"'),
        (PACT.replace("rowCount", "rowCont"), 4, "rowCount"),
        (PACT.replace("desk.totals", "desk.total"), 1, "contradicts the name of the file"),
        (f"{PACT}severity: info\n", 6, "is not one of the valid values"),
        (f"{PACT}sevrity: error\n", 6, 'did you mean "severity"?'),
        ("consumer: desk.totals\n", 1, "is missing"),
        ("consumer: [\n", 2, "is not YAML"),
        (PACT + "  shop.others: []\n", 6, "at least 1"),
    ],
)
def test_every_mistake_of_a_pact_has_its_line(tmp_path, pact, line, said):
    with pytest.raises(DeclarationError) as caught:
        declared(tmp_path, pact)
    text = str(caught.value)
    assert f"domains/shop/orders/accepted/desk.totals.yaml:{line}" in text
    assert said in text


def test_a_pact_in_a_file_that_nobody_reads_is_not_passed_over(tmp_path):
    with pytest.raises(DeclarationError, match=r"desk\.totals\.yml:1: is not read under this name"):
        declared(tmp_path, file="desk.totals.yml")


def test_two_rules_of_one_check_name_are_a_mistake(tmp_path):
    with pytest.raises(DeclarationError, match="two rules are named"):
        declared(tmp_path, PACT + f"    - {ENOUGH}\n")


def test_only_a_consumer_that_moved_on_is_told_of(tmp_path):
    (tmp_path / "a").mkdir()
    same = declared(tmp_path / "a")
    assert moved_on(same, same.products) == ()
    (tmp_path / "b").mkdir()
    moved = declared(tmp_path / "b", expects=(ENOUGH.replace("2", "5"), KINDS))
    (problem,) = moved_on(moved, moved.products)
    assert "desk.totals expects something else of shop.orders by now" in problem.what
    assert "mesh accept desk.totals --for shop.orders" in problem.next
    (tmp_path / "c").mkdir()
    gone = declared(tmp_path / "c", PACT.replace("totals", "gone"), "desk.gone.yaml")
    (problem,) = moved_on(gone, gone.products)
    assert "there is no consumer desk.gone" in problem.what


def test_a_pact_is_no_change_of_the_contract(tmp_path):
    (tmp_path / "a").mkdir()
    with_pact = next(p for p in declared(tmp_path / "a").products if p.name == "orders")
    (tmp_path / "a/domains/shop/orders/accepted/desk.totals.yaml").unlink()
    without = next(p for p in mesh(load_settings(tmp_path / "a")).products if p.name == "orders")
    assert with_pact.outputs[0].contract.fingerprint == without.outputs[0].contract.fingerprint
    assert with_pact.fingerprint != without.fingerprint
    from dataops_mesh.plan.compare import compare
    from dataops_mesh.plan.publication import change_reasons

    assert {one.kind for one in compare(without, with_pact)} == {"pact"}
    assert change_reasons(without, with_pact) == ()
