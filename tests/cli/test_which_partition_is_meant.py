"""A key of no partition, twice the same, or one beside "all": nothing is guessed, nothing taken."""

from __future__ import annotations

import pytest
from helpers import a_contract, a_product, a_setting, a_source, environment, write_product

from dataops_mesh.store.log import latest_number

DAY = "{name: day, logicalType: date, primaryKey: true, partitioned: true}"
SQL = "select day::date as day from days where day::date = partition_start()"
DAYS = "day\n2026-03-05\n2026-03-06\n"


def daily(start="2026-03-05", end="2026-03-07"):
    cut = f"{{cadence: daily, start: '{start}', end: '{end}'}}"
    contract = a_contract("days", [DAY]) + "customProperties:\n" + a_setting("partitions", cut)
    return a_product(
        {"days": contract},
        inputs=[a_source("days", "days.csv")],
        files={"days.sql": SQL, "days.csv": DAYS},
    )


@pytest.fixture
def days(workspace):
    write_product(workspace.root, "shop", "days", daily())
    return workspace


@pytest.mark.parametrize("key", ["", "  "])
def test_no_key_never_stands_for_the_whole_product(mesh, days, key):
    assert mesh("run", "shop.days").code == 0
    assert mesh("run", "shop.days", "--all-partitions").code == 0
    said = ("--reason", "x", "--partition", key)
    before = latest_number(environment(days).store)
    for command in (
        ("rollback", "shop.days", *said),
        ("withdraw", "shop.days", "--yes", *said),
        ("withdraw", "shop.days", "--yes", "--erase", "--now", *said),
        ("hold", "add", "shop.days", *said),
        ("hold", "lift", "shop.days", *said),
        ("run", "shop.days", "--partition", key),
    ):
        found = mesh(*command)
        assert found.code == 2, command
        assert "names no partition" in found.err
    assert latest_number(environment(days).store) == before
    assert (
        mesh("query", "select count(*) as n from shop.days", "--format", "json").json[0]["n"] == 2
    )


def test_a_rollback_of_a_partition_that_there_is_not_names_those_there_are(mesh, days):
    assert mesh("run", "shop.days").code == 0
    for key in ("nonsense", "20260305", "2026-03-07", " 2026-03-05"):
        said = mesh("rollback", "shop.days", "--reason", "x", "--partition", key)
        assert said.code == 2
        assert f"partition {key} of shop.days is not published" in said.err
        assert "2026-03-05, 2026-03-06" in said.err


@pytest.mark.parametrize("key", ["nonsense", "2026-03-07"])
@pytest.mark.parametrize("more", [(), ("--erase", "--now")])
def test_nobody_is_told_that_something_goes_that_there_is_not(mesh, days, key, more):
    assert mesh("run", "shop.days").code == 0
    said = mesh("withdraw", "shop.days", "--reason", "x", "--yes", "--partition", key, *more)
    assert said.code == 2
    assert key in said.err
    assert "2026-03-05, 2026-03-06" in said.err
    assert "takes" not in said.err + said.out


def test_a_whole_product_goes_back_to_when_it_had_fewer_partitions(mesh, days):
    for key in ("2026-03-05", "2026-03-06"):
        assert mesh("run", "shop.days", "--partition", key).code == 0
    assert mesh("rollback", "shop.days", "--to", "1", "--reason", "x").code == 0
    assert keys(mesh) == ["2026-03-05"]
    # What went is held until somebody lifts that; the rest is as it was.
    [held] = mesh("hold", "list", "--format", "json").json
    assert held["partition"] == "2026-03-06"
    assert "mesh hold lift shop.days --partition 2026-03-06" in mesh("run", "shop.days").err
    assert keys(mesh) == ["2026-03-05"]
    again = mesh("rollback", "shop.days", "--to", "1", "--reason", "x")
    assert again.code == 2
    assert "reads that candidate already" in again.err
    assert mesh("rollback", "shop.days", "--to", "2", "--reason", "y").code == 0
    assert keys(mesh) == ["2026-03-05", "2026-03-06"]


def keys(mesh):
    found = mesh("query", "select day from shop.days order by day", "--format", "json").json
    return [str(row["day"])[:10] for row in found]


def test_a_partition_that_is_named_twice_is_built_once(mesh, days):
    key = "2026-03-05"
    said = mesh("run", "shop.days", "--partition", key, "--partition", key, "--format", "json")
    assert [row["partition"] for row in said.json] == [key]


@pytest.mark.parametrize(
    "options",
    [
        ("--partition", "2026-03-05", "--all-partitions"),
        ("--partition", "2026-03-05", "--rebuild"),
        ("--all-partitions", "--rebuild"),
    ],
)
def test_two_answers_to_which_partitions_are_none(mesh, days, options):
    assert mesh("run", "shop.days", *options).code == 2
    assert not (days.root / ".mesh" / "store" / "heads").exists()


def test_what_is_published_whole_has_no_partitions_to_ask_for(mesh, days):
    assert mesh("run", "shop.orders", "--all-partitions").code == 2
    assert mesh("run", "shop", "--all-partitions").code == 0  # of those that have some
    assert mesh("run", "shop.orders", "--rebuild").code == 2
    rows = mesh("status", "shop.orders", "--format", "json").json
    assert rows[0]["last_ended"] == "published"  # and no failed run is on record


def test_a_dry_run_tells_the_partitions_that_were_asked_for(mesh, days):
    assert mesh("run", "shop.days").code == 0
    named = mesh("run", "shop.days", "--partition", "2026-03-06", "--dry-run", "--format", "json")
    assert named.json[0]["partitions"] == ["2026-03-06"]
    every = mesh("run", "shop.days", "--all-partitions", "--dry-run", "--format", "json")
    assert every.json[0]["partitions"] == ["2026-03-05", "2026-03-06"]
    due = mesh("run", "shop.days", "--dry-run", "--format", "json")
    assert (due.json[0]["partitions"], due.json[0]["why"]) == ([], "no partition is due")


def test_before_the_first_partition_it_is_said_when_that_begins(mesh, days):
    write_product(days.root, "shop", "days", daily("2999-03-05", "9999-12-31"))
    said = mesh("run", "shop.days", "--partition", "2999-03-05")
    assert said.code == 2
    assert "the first begins on 2999-03-05" in said.err
    assert mesh("run", "shop.days").code == 0
    rebuilt = mesh("run", "shop.days", "--rebuild")
    assert (rebuilt.code, "nothing was built" in rebuilt.out + rebuilt.err) == (0, True)


def test_a_dry_run_of_another_cut_says_what_the_run_will_say(mesh, days):
    assert mesh("run", "shop.days").code == 0
    file = days.root / "domains" / "shop" / "days" / "days.odcs.yaml"
    file.write_text(file.read_text("utf-8").replace("daily", "weekly"), "utf-8")
    said = mesh("run", "shop.days", "--dry-run", "--format", "json").json
    assert "--rebuild" in said[0]["why"]
