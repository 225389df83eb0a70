from __future__ import annotations

import pytest
from helpers import a_contract, a_product, a_setting, a_source, an_input, product, write_workspace

from dataops_mesh.cron import cron_problem
from dataops_mesh.errors import DeclarationError
from dataops_mesh.spec.read.automation import Automation, Cron, automation_of

DAILY = "slaProperties:\n  - {property: frequency, value: 1, unit: d, scheduler: cron, schedule: '0 5 * * *'}\n"
COLUMN = ["{name: n, logicalType: integer}"]


def declared(tmp_path, inputs, *, extra="", setting=""):
    shop = a_product(
        ports={"orders": COLUMN}, inputs=[a_source("csv", "o.csv")],
        files={"orders.sql": "select n from csv", "o.csv": "n\n1\n"},
    )  # fmt: skip
    desk = a_product(
        ports={"totals": a_contract("totals", COLUMN, extra=extra)},
        inputs=inputs,
        files={"totals.sql": "select 1 as n", "o.csv": "n\n1\n"},
        settings=a_setting("automation", setting) if setting else "",
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": shop}, "desk": {"totals": desk}})
    return product(settings, "desk.totals")


PORT, SOURCE = an_input("shop.orders"), a_source("csv", "o.csv")
CRON = (Cron("0 5 * * *", "UTC"),)


@pytest.mark.parametrize(
    ("inputs", "extra", "setting", "expected"),
    [
        ([PORT], "", "", Automation(True, ())),
        ([PORT], DAILY, "", Automation(True, ())),
        ([SOURCE], DAILY, "", Automation(False, CRON)),
        ([PORT, SOURCE], DAILY, "", Automation(True, CRON)),
        ([SOURCE], "", "", Automation(False, ())),
        ([PORT, SOURCE], DAILY, "manual", Automation(False, ())),
        ([PORT, SOURCE], DAILY, "onUpstream", Automation(True, ())),
        ([PORT], DAILY, "onSchedule", Automation(False, CRON)),
    ],
)
def test_what_wakes_a_product_follows_from_its_inputs_and_setting(
    tmp_path, inputs, extra, setting, expected
):
    assert automation_of(declared(tmp_path, inputs, extra=extra, setting=setting)) == expected


def test_a_cron_is_told_in_the_time_zone_of_its_contract(tmp_path):
    extra = DAILY + "customProperties:\n" + a_setting("timezone", "America/New_York")
    found = automation_of(declared(tmp_path, [SOURCE], extra=extra))
    assert found == Automation(False, (Cron("0 5 * * *", "America/New_York"),))


@pytest.mark.parametrize(
    ("inputs", "setting", "said"),
    [
        ([PORT], "onSchedule", "onSchedule needs a cron"),
        ([SOURCE], "onUpstream", "onUpstream needs an input port"),
        ([SOURCE], "onUpstraem", 'did you mean "onUpstream"?'),
    ],
)
def test_a_setting_that_could_never_wake_is_an_error_with_its_line(tmp_path, inputs, setting, said):
    with pytest.raises(DeclarationError) as raised:
        declared(tmp_path, inputs, setting=setting)
    (problem,) = raised.value.problems
    assert said in problem.what
    assert problem.where is not None
    assert problem.where.file.endswith("product.odps.yaml")


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("61 5 * * *", "minute"),
        ("0 24 * * *", "hour"),
        ("0 5 0 * *", "day"),
        ("0 5 * 13 *", "month"),
        ("0 5 * * 8", "weekday"),
        ("0 5 * *", "4 fields"),
        ("*/0 5 * * *", "steps by 0"),
        ("0 9-5 * * *", "ends before"),
        ("0 5 ? * *", "neither"),
        ("daily", "1 fields"),
    ],
)
def test_a_cron_that_would_never_tick_is_found_at_load(tmp_path, cron, said):
    extra = DAILY.replace("0 5 * * *", cron)
    with pytest.raises(DeclarationError) as raised:
        declared(tmp_path, [PORT], extra=extra)
    (problem,) = raised.value.problems
    assert "is not cron" in problem.what
    assert said in problem.what
    assert problem.where.line > 1


@pytest.mark.parametrize(
    "cron",
    ["* * * * *", "*/5 0-6 1,15 jan-mar mon", "0 5 * * 7", "59 23 31 12 SAT", "5/15 * * * *"],
)
def test_every_good_cron_is_read_and_dagster_agrees(cron):
    from dagster._utils.schedules import is_valid_cron_string

    assert cron_problem(cron) is None
    assert is_valid_cron_string(cron)


def test_a_unit_of_time_that_nobody_knows_names_those_that_are_known(tmp_path):
    with pytest.raises(DeclarationError) as raised:
        declared(tmp_path, [PORT], extra=DAILY.replace("unit: d", "unit: fortnight"))
    (problem,) = raised.value.problems
    assert '"fortnight" is not a unit of time' in problem.what
    assert "week" in problem.choices
