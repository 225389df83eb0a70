"""Which partitions a run builds: none is forgotten, none is built for nothing."""

import uuid

import pytest

from dataops_mesh.errors import DeclarationError, SourceError, UnknownNameError
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


def cut(port, cadence, sql, *inputs: str, column=DAY, **files: str):
    setting = a_setting("partitions", f"{{cadence: {cadence}, start: '2020-01-01'}}")
    contract = a_contract(port, [column]) + "customProperties:\n" + setting
    return a_product({port: contract}, inputs=inputs, files={f"{port}.sql": sql, **files})


class Mesh:
    def __init__(self, root, monkeypatch, products) -> None:
        write_workspace(root, {"shop": products})
        self.root, self.monkeypatch = root, monkeypatch

    def at(self, day, hour="12:00:00Z"):
        self.monkeypatch.setenv("DATAOPS_MESH_NOW", f"{day}T{hour}")
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


WEEK = "day\n2020-01-28\n2020-02-01\n"


def test_a_corrected_week_makes_every_month_due_that_has_a_day_of_it(tmp_path, monkeypatch):
    week = cut("weeks", "weekly", f"select day::date as day from csv where {WITHIN}",
               a_source("csv", "s.csv"), **{"s.csv": WEEK})  # fmt: skip
    months = cut("months", "monthly", f"from shop.weeks where {WITHIN}", an_input("shop.weeks"))
    mesh = Mesh(tmp_path, monkeypatch, {"weeks": week, "months": months})
    mesh.at("2020-03-01")
    assert mesh.build("shop.weeks", "2020-01-27").published
    for key in ("2020-01-01", "2020-02-01"):
        assert mesh.build("shop.months", key).published
    assert mesh.ask(due_partitions, "shop.months") == ()
    write_product(tmp_path, "shop", "weeks", {"s.csv": WEEK + "2020-01-29\n2020-02-02\n"})
    assert mesh.build("shop.weeks", "2020-01-27").published
    assert mesh.ask(due_partitions, "shop.months") == ("2020-01-01", "2020-02-01")
    assert sorted(mesh.ask(woken_partitions, "shop.months")) == ["2020-01-01", "2020-02-01"]


def test_a_corrected_month_makes_each_of_its_days_due_from_the_first_month_on(
    tmp_path, monkeypatch
):
    sales = cut("sales", "monthly", SALES, a_source("csv", "s.csv"),
                **{"s.csv": "day\n2020-01-02\n2020-01-03\n"})  # fmt: skip
    days = cut("days", "daily", f"from shop.sales where {WITHIN}", an_input("shop.sales"))
    mesh = Mesh(tmp_path, monkeypatch, {"sales": sales, "days": days})
    mesh.at("2020-02-02")
    assert mesh.build("shop.sales", "2020-01-01").published  # one partition says its cadence
    for key in ("2020-01-02", "2020-01-03"):
        assert mesh.build("shop.days", key).published
    assert not {"2020-01-02", "2020-01-03"} & {*mesh.ask(due_partitions, "shop.days")}
    write_product(tmp_path, "shop", "sales", {"s.csv": "day\n2020-01-02\n2020-01-03\n2020-01-04\n"})
    assert mesh.build("shop.sales", "2020-01-01").published
    due = mesh.ask(due_partitions, "shop.days")
    assert {"2020-01-02", "2020-01-03", "2020-01-04"} <= {*due}
    assert {"2020-01-02", "2020-01-03"} <= {*mesh.ask(woken_partitions, "shop.days")}


def in_new_york(port, column, sql, source, **files: str):
    made = cut(port, "daily", sql, source, column=column, **files)
    name, start = f"{port}.odcs.yaml", "start: '2020-01-01'"
    return {**made, name: made[name].replace(start, f"{start}, timezone: America/New_York")}


def test_a_day_is_over_when_it_is_over_where_it_is_lived(tmp_path, monkeypatch):
    calls = in_new_york("calls", DAY, "select day::date as day from csv",
                        a_source("csv", "'{partition}.csv'"),
                        **{"2020-01-10.csv": "day\n2020-01-10\n"})  # fmt: skip
    mesh = Mesh(tmp_path, monkeypatch, {"calls": calls})
    mesh.at("2020-01-10", "20:30:00-05:00")  # in UTC it is tomorrow
    assert mesh.ask(due_partitions, "shop.calls") == ("2020-01-10",)
    assert mesh.build("shop.calls", "2020-01-10").published
    mesh.at("2020-01-10", "23:30:00-05:00")
    assert mesh.ask(due_partitions, "shop.calls") == ("2020-01-10",)
    with pytest.raises(UnknownNameError, match="2020-01-11"):
        mesh.build("shop.calls", "2020-01-11")
    mesh.at("2020-01-11", "00:30:00-05:00")
    assert mesh.ask(due_partitions, "shop.calls") == ()  # over, and it has read its own files


MOMENTS = (
    "ts\n2020-03-08T04:30:00Z\n2020-03-08T05:10:00Z\n2020-03-09T03:30:00Z\n2020-03-09T04:00:00Z\n"
)


@pytest.mark.parametrize("zoned", ["true", "false"])
def test_hours_and_days_of_timestamps(tmp_path, monkeypatch, zoned):
    ts = (
        "{name: ts, logicalType: timestamp, primaryKey: true, partitioned: true, "
        f"logicalTypeOptions: {{timezone: {zoned}}}}}"
    )
    kind = "timestamptz" if zoned == "true" else "timestamp"
    within = "ts >= partition_start() and ts < partition_end()"
    sql = f"select ts from (select cast(ts as {kind}) as ts from csv) where {within}"
    events = cut("events", "hourly", sql, a_source("csv", "s.csv"), column=ts, **{"s.csv": MOMENTS})
    days = in_new_york("days", ts, f"from shop.events where {within}", an_input("shop.events"))
    mesh = Mesh(tmp_path, monkeypatch, {"events": events, "days": days})
    mesh.at("2020-03-09", "05:00:00Z")
    for key in ("2020-03-08T04", "2020-03-08T05", "2020-03-09T03", "2020-03-09T04"):
        assert mesh.build("shop.events", key).published
    # The eighth of March has 23 hours there, from 05:00 to 04:00 in UTC.
    report = mesh.build("shop.days", "2020-03-08")
    assert report.published, report.decision
    assert [port.rows for port in report.ports] == [2]
    assert mesh.ask(due_partitions, "shop.days") == ("2020-03-07", "2020-03-09")
    assert not mesh.build("shop.events", "2020-03-08T06").published  # no row


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
