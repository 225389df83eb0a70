"""`mesh test` and `try_product`: what goes in, what must come out, for SQL, Python and partitions."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from helpers import a_contract, a_product, a_setting, a_source, an_input, write_workspace

from dataops_mesh.errors import DeclarationError, TransformError, UnknownNameError
from dataops_mesh.testing import try_product
from dataops_mesh.testing.examples import examples_of, run_example

ORDERS = [
    "{name: id, logicalType: integer, primaryKey: true, required: true}",
    "{name: customer, logicalType: string, required: true}",
    "{name: amount, logicalType: number, physicalType: 'DECIMAL(9,2)'}",
    "{name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}",
]
TOTALS = [
    "{name: customer, logicalType: string, primaryKey: true, required: true}",
    "{name: total, logicalType: number, physicalType: 'DECIMAL(18,2)'}",
]
SUM = "select customer, sum(amount)::decimal(18,2) as total from shop.orders group by all"
PYTHON = "def transform(shop_orders):\n    return shop_orders.aggregate('customer, sum(amount)::decimal(18,2) as total')\n"


def orders() -> dict:
    return a_product(
        {
            "orders": a_contract(
                "orders", ORDERS, "{id: many, metric: rowCount, mustBeGreaterThan: 99}"
            )
        },
        inputs=[a_source("orders_csv", "orders.csv", more="options: {nullstr: NA}")],
        files={
            "orders.csv": "id,customer,amount,at\n",
            "orders.sql": "select id::bigint as id, customer, amount::decimal(9,2) as amount,"
            ' "at"::timestamptz as "at" from orders_csv',
        },
    )


def totals(files: dict) -> dict:
    return a_product({"totals": TOTALS}, inputs=[an_input("shop.orders")], files=files)


@pytest.fixture
def mesh(tmp_path):
    products = {"shop": {"orders": orders()}, "sales": {"totals": totals({"totals.sql": SUM})}}
    return write_workspace(tmp_path, products)


ROWS = [
    {"id": 1, "customer": "a", "amount": "0.10", "at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
    {"id": 2, "customer": "a", "amount": Decimal("0.20"), "at": None},
    {"id": 3, "customer": "b", "amount": None, "at": None},
]


@pytest.mark.parametrize("files", [{"totals.sql": SUM}, {"transform.py": PYTHON}])
def test_rows_of_a_published_port_go_in_and_exact_rows_come_out(tmp_path, files):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders()}, "sales": {"totals": totals(files)}}
    )
    tried = try_product(settings.domains_folder / "sales" / "totals", {"shop.orders": ROWS})
    assert tried.rows("totals") == [
        {"customer": "a", "total": Decimal("0.30")},
        {"customer": "b", "total": None},
    ]
    assert tried.published
    assert not settings.store_folder.exists()


def test_rows_of_a_source_are_read_as_the_source_is(mesh):
    tried = try_product(mesh.domains_folder / "shop" / "orders", {"orders_csv": ROWS})
    assert [row["amount"] for row in tried.rows("orders")] == [
        Decimal("0.10"),
        Decimal("0.20"),
        None,
    ]
    assert tried.failed == ("orders.many",)
    assert not tried.published


def test_an_input_that_is_not_given_has_no_rows(mesh):
    tried = try_product(mesh.domains_folder / "sales" / "totals", {})
    assert tried.rows("totals") == []
    assert "totals.not_empty" in tried.failed


def test_an_unknown_input_is_said(mesh):
    with pytest.raises(UnknownNameError, match="did you mean"):
        try_product(mesh.domains_folder / "sales" / "totals", {"shop.order": ROWS})


def example(mesh, given: dict[str, str], expected: dict[str, str]):
    folder = mesh.domains_folder / "sales" / "totals" / "examples" / "one"
    for part, content in (("given", given), ("expected", expected)):
        for name, text in content.items():
            file = folder / part / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    assert examples_of(folder.parent.parent) == (folder,)
    return run_example(folder)


GIVEN = {"shop.orders.csv": "id,customer,amount,at\n1,a,0.10,2026-01-01T00:00:00Z\n2,a,0.2,\n"}


@pytest.mark.parametrize(
    "expected",
    [
        {"totals.csv": "customer,total\na,0.30\n"},
        {"totals.csv": "total\n0.3\n"},
        {"totals.json": json.dumps([{"customer": "a", "total": 0.3}])},
    ],
)
def test_an_example_passes(mesh, expected):
    assert example(mesh, GIVEN, expected).wrong == ()


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (
            {"totals.csv": "customer,total\na,0.31\n"},
            "1 of the rows in totals.csv did not come out, 1 came",
        ),
        (
            {"totals.csv": "customer,total\n"},
            "0 of the rows in totals.csv did not come out, 1 came out",
        ),
        (
            {"totals.csv": "customer,total\na,0.30\na,0.30\n"},
            "1 of the rows in totals.csv did not come out",
        ),
        ({"totals.csv": "who\na\n"}, "totals has no column who"),
        ({"nothing.csv": "who\na\n"}, "nothing has no rows"),
        ({"refused.txt": "totals.primary_key\n"}, "totals.primary_key was to refuse, and passed"),
    ],
)
def test_an_example_that_fails_says_how(mesh, expected, said):
    (first, *_) = example(mesh, GIVEN, expected).wrong
    assert said in first


def test_an_example_that_fails_shows_the_rows_on_both_sides(mesh):
    wrong = example(mesh, GIVEN, {"totals.csv": "customer,total\na,0.31\n"}).wrong
    assert wrong[1:] == (
        "expected: customer='a', total=Decimal('0.31')",
        "came out: customer='a', total=Decimal('0.30')",
    )


def test_a_refusal_can_be_expected(mesh):
    given = {"shop.orders.csv": "id,customer,amount,at\n"}
    assert example(mesh, given, {"refused.txt": "totals.not_empty\n"}).wrong == ()


def test_an_example_that_expects_nothing_is_a_mistake(mesh):
    with pytest.raises(DeclarationError, match="expects nothing"):
        example(mesh, GIVEN, {})


def test_a_partition_is_tried_alone(tmp_path):
    contract = a_contract(
        "days",
        [
            "{name: id, logicalType: integer, primaryKey: true, required: true}",
            "{name: day, logicalType: date, required: true, partitioned: true}",
        ],
        extra="customProperties:\n  "
        + a_setting("partitions", "{cadence: daily, start: 2026-01-01}"),
    )
    made = a_product(
        {"days": contract},
        inputs=[a_source("days_csv", "'days-{partition}.csv'")],
        files={"days.sql": "select id, day from days_csv"},
    )
    settings = write_workspace(tmp_path, {"shop": {"days": made}})
    tried = try_product(
        settings.domains_folder / "shop" / "days",
        {"days_csv": [{"id": 1, "day": dt.date(2026, 1, 2)}]},
        partition="2026-01-02",
    )
    assert tried.rows("days") == [{"id": 1, "day": dt.date(2026, 1, 2)}]


def test_the_error_of_a_transform_is_said_whole_for_the_rows_are_the_testers(mesh):
    folder = mesh.domains_folder / "sales" / "totals"
    query = "select customer, cast(customer as decimal(18,2)) as total from shop.orders"
    (folder / "totals.sql").write_text(query, "utf-8")
    with pytest.raises(TransformError, match='Could not convert string "a"'):
        try_product(folder, {"shop.orders": ROWS})
