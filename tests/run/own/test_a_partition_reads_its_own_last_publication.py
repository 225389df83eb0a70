"""Of a product in partitions, `self` is the partition that is built, and no other."""

from __future__ import annotations

import pytest
from own_cases import SELF, run_full
from partition_cases import COLUMNS, MONTHS, build, contract, csv

from dataops_mesh.errors import UnknownNameError
from dataops_mesh.run.due import due_partitions
from dataops_mesh.run.rebuild import rebuild_product
from tests.helpers import (
    a_product,
    a_source,
    environment,
    product,
    read,
    write_product,
    write_workspace,
)

ALL = "select id, day::varchar, amount from shop.sales order by id"
SQL = """
select id, day, amount from self
union all
select id, day, amount from sales_csv where day >= partition_start() and day < partition_end()
"""
FIRST = ("1,2020-01-05,10", "2,2020-02-05,20")


def sales(rows, sql=SQL, columns=COLUMNS):
    return a_product(
        {"sales": contract(columns)},
        inputs=[a_source("sales_csv", "sales.csv"), SELF],
        files={"sales.sql": sql, "sales.csv": csv(*rows)},
    )


@pytest.fixture
def settings(tmp_path):
    found = write_workspace(
        tmp_path, {"shop": {"sales": sales(FIRST)}}, settings='now = "2020-03-20T00:00:00Z"\n'
    )
    for month in MONTHS[:2]:
        assert build(found, month).published
    return found


def deliver(settings, *rows: str):
    (settings.domains_folder / "shop" / "sales" / "sales.csv").write_text(csv(*rows))


def test_a_partition_adds_to_its_own_rows_and_no_other_is_touched(settings):
    deliver(settings, "3,2020-01-06,30")
    assert build(settings, MONTHS[0]).published
    assert read(settings, ALL) == [
        (1, "2020-01-05", 10),
        (2, "2020-02-05", 20),
        (3, "2020-01-06", 30),
    ]


def test_full_is_about_one_partition(settings):
    deliver(settings, "3,2020-01-06,30")
    assert run_full(settings, "shop.sales", MONTHS[0]).published
    assert read(settings, "select id from shop.sales order by id") == [(2,), (3,)]


def test_what_was_added_makes_no_partition_due_again(settings):
    found = product(settings, "shop.sales")
    before = due_partitions(found, environment(settings))
    assert build(settings, MONTHS[0]).published is False  # the key repeats
    deliver(settings, "9,2019-01-01,1")  # of no partition that is built
    assert build(settings, MONTHS[0]).published
    assert due_partitions(found, environment(settings)) == before


def test_a_rebuild_has_to_be_told_that_it_begins_from_nothing(settings):
    found, place = product(settings, "shop.sales"), environment(settings)
    with pytest.raises(UnknownNameError, match="--rebuild --full"):
        rebuild_product(found, place, run_id="a")
    deliver(settings, *(f"{number},2020-0{number}-06,30" for number in (1, 2, 3)))
    assert all(one.published for one in rebuild_product(found, place, run_id="b", full=True))
    assert read(settings, "select sum(amount) from shop.sales") == [(90,)]


def test_a_new_column_is_null_in_a_partition_of_before(settings):
    more = [*COLUMNS, "{name: note, logicalType: string, classification: public}"]
    sql = SQL.replace("amount from", "amount, note from", 1).replace(
        "amount from sales", "amount, 'new' as note from sales"
    )
    deliver_all = sales(("3,2020-01-06,30",), sql, more)
    write_product(settings.root, "shop", "sales", deliver_all)
    assert build(settings, MONTHS[0]).published
    assert read(settings, "select id, note from shop.sales order by id") == [
        (1, None),
        (2, None),
        (3, "new"),
    ]
