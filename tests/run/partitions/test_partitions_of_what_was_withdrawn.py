"""A withdrawn partition is built again where input is left, and not asked for where none is."""

from __future__ import annotations

import pytest
from helpers import a_product, a_setting, a_source, an_input, environment, product
from test_due import DAY, WITHIN, Mesh, cut

from dataops_mesh.run.due import due_partitions, woken_partitions
from dataops_mesh.run.word.orphans import orphans
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.store.release import latest

DAYS = "day\n2020-01-01\n2020-01-02\n2020-01-03\n"
EVERY = ("2020-01-01", "2020-01-02", "2020-01-03")


def withdraw(settings, name, key):
    place = environment(settings)
    withdraw_product(taking(name, place, ()), place, "wrong", key)


def lost(settings, name):
    place = environment(settings)
    found = orphans(product(settings, name), latest(place.store), settings.clock())
    return [(one.partition, one.reads, one.hold.person) for one in found]


@pytest.fixture
def days(tmp_path, monkeypatch):
    """Three days, and the same days and their month built from them; all of it published."""
    select = f"select day::date as day from csv where {WITHIN}"
    products = {
        "days": cut("days", "daily", select, a_source("csv", "d.csv"), **{"d.csv": DAYS}),
        "copies": cut("copies", "daily", f"from shop.days where {WITHIN}", an_input("shop.days")),
        "months": cut("months", "monthly", f"from shop.days where {WITHIN}", an_input("shop.days")),
    }
    mesh = Mesh(tmp_path, monkeypatch, products)
    mesh.at("2020-02-03")
    for name in ("shop.days", "shop.copies"):
        for key in EVERY:
            assert mesh.build(name, key).published
    assert mesh.build("shop.months", "2020-01-01").published
    return mesh


def test_where_input_is_left_it_is_due_and_where_none_is_a_person_is_asked(days):
    assert "2020-01-01" not in days.ask(due_partitions, "shop.months")
    withdraw(days.settings, "shop.days", "2020-01-02")
    assert "2020-01-01" in days.ask(due_partitions, "shop.months")
    assert "2020-01-01" in days.ask(woken_partitions, "shop.months")
    assert not {"2020-01-02"} & set(days.ask(due_partitions, "shop.copies"))
    assert not {"2020-01-02"} & set(days.ask(woken_partitions, "shop.copies"))
    assert lost(days.settings, "shop.copies") == [("2020-01-02", "shop.days", "ana")]
    assert lost(days.settings, "shop.months") == []
    assert days.build("shop.months", "2020-01-01").published
    assert "2020-01-01" not in days.ask(due_partitions, "shop.months")
    withdraw(days.settings, "shop.copies", "2020-01-02")
    assert lost(days.settings, "shop.copies") == []


def test_a_month_that_has_lost_all_its_days_is_not_asked_for(days):
    for key in EVERY[:2]:
        withdraw(days.settings, "shop.days", key)
    assert "2020-01-01" in days.ask(due_partitions, "shop.months")
    withdraw(days.settings, "shop.days", EVERY[2])
    assert "shop.days" not in {str(a) for a in latest(environment(days.settings).store).ports}
    assert days.ask(woken_partitions, "shop.months") == {}


def listed(port, sql, *inputs: str, **files: str):
    column = "{name: land, logicalType: string, partitioned: true}"
    made = cut(port, "daily", sql, *inputs, **files)
    contract = made[f"{port}.odcs.yaml"].replace(DAY, column)
    values = a_setting("partitions", "{values: [east, west]}")
    contract = contract.partition("customProperties:\n")[0] + "customProperties:\n" + values
    return a_product({port: contract}, inputs=inputs, files={f"{port}.sql": sql, **files})


def test_a_listed_partition_whose_input_was_withdrawn_is_not_due(tmp_path, monkeypatch):
    where = "where land = partition_key()"
    lands = listed(
        "lands", f"from csv {where}", a_source("csv", "l.csv"), **{"l.csv": "land\neast\nwest\n"}
    )
    copies = listed("copies", f"from shop.lands {where}", an_input("shop.lands"))
    mesh = Mesh(tmp_path, monkeypatch, {"lands": lands, "copies": copies})
    mesh.at("2020-01-03")
    for name in ("shop.lands", "shop.copies"):
        for key in ("east", "west"):
            assert mesh.build(name, key).published
    withdraw(mesh.settings, "shop.lands", "west")
    assert mesh.ask(due_partitions, "shop.copies") == ("east",)
    assert lost(mesh.settings, "shop.copies") == [("west", "shop.lands", "ana")]
