"""`mesh accept` writes what the consumer says, and `mesh check` says when it says something else."""

from __future__ import annotations

import pytest
from helpers import a_product, an_input, write_product

RULES = (
    "{name: enough, metric: rowCount, mustBeGreaterOrEqualTo: 2, description: 'Ein Tag: \"ä\"'}",
    "{name: after, type: sql, query: 'select count(*) from {object} where id < 0', mustBe: 0}",
    "{name: known, column: id, metric: invalidValues, arguments: {validValues: [1, 2]}, mustBe: 0}",
)
FILE = "domains/shop/orders/accepted/desk.totals.yaml"


def consumer(*rules: str):
    return a_product(
        ports={"totals": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders", *rules)],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )


@pytest.fixture
def expecting(workspace):
    write_product(workspace.root, "desk", "totals", consumer(*RULES))
    return workspace.root


def test_what_was_accepted_is_what_the_consumer_wrote(expecting, mesh):
    said = mesh("accept", "desk.totals", "--for", "shop.orders")
    assert said.code == 0, said.err
    assert f"{FILE}: 3 expectations of desk.totals; a failure refuses" in said.err
    checked = mesh("check")
    assert (checked.code, "expects something else" in checked.err) == (0, False), checked.err
    ran = mesh("run", "--format", "json")
    assert ran.code == 0, ran.err
    (orders, _) = ran.json
    assert orders["checks"] == 4 + 3  # those of the contract, and three for desk.totals


def test_check_tells_of_a_consumer_that_moved_on_and_closes_no_gate(expecting, mesh):
    mesh("accept", "desk.totals", "--for", "shop.orders", "--warn")
    write_product(expecting, "desk", "totals", consumer(RULES[0].replace("2", "3")))
    said = mesh("check")
    assert said.code == 0
    assert f"{FILE}:6" in said.err
    assert "desk.totals expects something else of shop.orders by now" in said.err
    assert mesh("run", "shop.orders").code == 0
    again = mesh("accept", "desk.totals", "--for", "shop.orders", "--warn")
    assert "1 expectations" in again.err
    assert "expects something else" not in mesh("check").err


def test_nothing_is_written_when_there_is_nothing_to_accept(workspace, mesh):
    said = mesh("accept", "desk.totals", "--for", "shop.orders")
    assert said.code == 2
    assert "desk.totals expects nothing of shop.orders" in said.err
    assert not (workspace.root / FILE).exists()


@pytest.mark.parametrize("names", [("desk.total", "shop.orders"), ("desk.totals", "shop.order")])
def test_a_name_that_is_none_is_answered(expecting, mesh, names):
    said = mesh("accept", names[0], "--for", names[1])
    assert said.code == 2
    assert "did you mean" in said.err


def test_a_pact_that_does_not_fit_the_port_is_not_left_behind(expecting, mesh):
    wrong = "{name: known, column: idd, metric: nullValues, mustBe: 0}"
    write_product(expecting, "desk", "totals", consumer(wrong))
    said = mesh("accept", "desk.totals", "--for", "shop.orders")
    assert said.code == 2
    assert 'no column "idd"' in said.err
    assert not (expecting / FILE).exists()
