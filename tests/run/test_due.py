"""Which partitions a run builds: none is forgotten, none is built for nothing."""

import uuid

import pytest

from dataops_mesh.errors import DeclarationError, SourceError
from dataops_mesh.run.due import due_partitions, woken_partitions
from dataops_mesh.run.product import run_product
from dataops_mesh.settings import load_settings
from tests.helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    product,
    write_product,
    write_workspace,
)

DAY = "{name: day, logicalType: date, primaryKey: true, partitioned: true}"
WITHIN = "day >= partition_start() and day < partition_end()"


def cut(port, cadence, sql, *inputs: str, **files: str):
    setting = a_setting("partitions", f"{{cadence: {cadence}, start: '2020-01-01'}}")
    contract = a_contract(port, [DAY]) + "customProperties:\n" + setting
    return a_product({port: contract}, inputs=inputs, files={f"{port}.sql": sql, **files})


class Mesh:
    def __init__(self, root, monkeypatch, products) -> None:
        write_workspace(root, {"shop": products})
        self.root, self.monkeypatch = root, monkeypatch

    def at(self, day):
        self.monkeypatch.setenv("DATAOPS_MESH_NOW", f"{day}T12:00:00Z")
        self.settings = load_settings(self.root)

    def ask(self, choose, name):
        return choose(product(self.settings, name), environment(self.settings))

    def build(self, name, key):
        return run_product(
            product(self.settings, name),
            environment(self.settings),
            run_id=uuid.uuid4().hex[:8],
            partition=key,
        )


MONTHS = "day\n2020-01-05\n2020-02-05\n"
SALES = f"select day::date as day from csv where {WITHIN}"


def test_a_month_that_was_built_before_it_was_over_is_built_once_more(tmp_path, monkeypatch):
    sales = cut("sales", "monthly", SALES, a_source("csv", "s.csv"), **{"s.csv": MONTHS})
    mesh = Mesh(tmp_path, monkeypatch, {"sales": sales})
    mesh.at("2020-01-20")
    assert mesh.build("shop.sales", "2020-01-01").published
    assert mesh.ask(due_partitions, "shop.sales") == ("2020-01-01",)
    mesh.at("2020-02-10")
    assert mesh.ask(due_partitions, "shop.sales") == ("2020-01-01", "2020-02-01")
    for key in ("2020-01-01", "2020-02-01"):
        assert mesh.build("shop.sales", key).published
    assert mesh.ask(due_partitions, "shop.sales") == ("2020-02-01",)


def test_days_of_an_input_that_is_cut_by_month_are_not_waited_for(tmp_path, monkeypatch):
    sales = cut("sales", "monthly", SALES, a_source("csv", "s.csv"), **{"s.csv": MONTHS})
    days = cut("days", "daily", f"from shop.sales where {WITHIN}", an_input("shop.sales"))
    mesh = Mesh(tmp_path, monkeypatch, {"sales": sales, "days": days})
    mesh.at("2020-02-05")
    for key in ("2020-01-01", "2020-02-01"):
        assert mesh.build("shop.sales", key).published
    assert "2020-02-05" in mesh.ask(due_partitions, "shop.days")
    assert list(mesh.ask(woken_partitions, "shop.days")) == ["2020-02-05"]


def test_a_partition_has_files_of_its_own_and_reads_no_others(tmp_path, monkeypatch):
    days = cut("days", "daily", "select day::date as day from csv",
               a_source("csv", "'in/{partition}-*.csv'"),
               **{"in/2020-01-02-a.csv": "day\n2020-01-02\n"})  # fmt: skip
    mesh = Mesh(tmp_path, monkeypatch, {"days": days})
    mesh.at("2020-01-03")
    assert mesh.ask(due_partitions, "shop.days") == ("2020-01-02",)
    assert mesh.build("shop.days", "2020-01-02").published
    with pytest.raises(SourceError, match=r"in/2020-01-01-\*\.csv"):
        mesh.build("shop.days", "2020-01-01")
    write_product(tmp_path, "shop", "days", {"in/2020-01-02-b.csv": "day\n2020-01-02\n"})
    assert mesh.ask(due_partitions, "shop.days") == ("2020-01-02",)
    assert not mesh.build("shop.days", "2020-01-02").published  # the key is there twice now


@pytest.mark.parametrize(
    ("setting", "said"),
    [("", "the product is published whole"), ("{values: [a, ..]}", "leaves the")],
)
def test_a_path_by_partition_needs_partitions_that_stay_inside(tmp_path, setting, said):
    columns = ["{name: k, logicalType: string, partitioned: true, primaryKey: true}"]
    text = a_contract("p", columns)
    text += "customProperties:\n" + a_setting("partitions", setting) if setting else ""
    source = a_source("csv", f"'{'{partition}/' * 5}in.csv'")
    made = a_product({"p": text}, inputs=[source], files={"p.sql": "select k from csv"})
    settings = write_workspace(tmp_path, {"shop": {"p": made}})
    with pytest.raises(DeclarationError, match=said):
        product(settings, "shop.p")
