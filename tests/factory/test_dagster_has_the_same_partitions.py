"""Dagster knows exactly the partitions that the contract has by now."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    write_workspace,
)

from dataops_mesh import load_domain
from dataops_mesh.errors import DeclarationError, UnknownNameError
from dataops_mesh.factory.partitions import partitions_of
from dataops_mesh.run.due import due_partitions
from dataops_mesh.spec.partition import partition_of, partitions_until
from dataops_mesh.store.log import Entry, Part

DAY = "{name: day, logicalType: date, primaryKey: true, partitioned: true}"
TODAY = datetime.now(UTC).date()


def sales(root, cadence, start, end, *, zone="UTC", column=DAY):
    until = f", end: '{end}'" if end else ""
    until += f", timezone: {zone}" if zone != "UTC" else ""
    setting = a_setting("partitions", f"{{cadence: {cadence}, start: '{start}'{until}}}")
    contract = a_contract("sales", [column]) + "customProperties:\n" + setting
    made = a_product(
        {"sales": contract},
        inputs=[a_source("csv", "s.csv")],
        files={"sales.sql": "select day::date as day from csv", "s.csv": "day\n"},
    )
    return write_workspace(root, {"shop": {"sales": made}})


@pytest.mark.parametrize("cadence", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize(
    "end",
    [None, TODAY + timedelta(days=400), TODAY + timedelta(days=1), TODAY,
     TODAY - timedelta(days=11), TODAY - timedelta(days=40)],
)  # fmt: skip
@pytest.mark.parametrize("back", [100, 46, 3])
def test_on_the_clock_of_the_wall(tmp_path, cadence, end, back):
    start = TODAY - timedelta(days=back)
    if end is not None and end <= start:
        end = start + timedelta(days=1)
    settings = sales(tmp_path, cadence, start, end)
    found = product(settings, "shop.sales")
    cut = partitions_of(found, settings)
    assert cut is not None
    assert found.partitioning is not None
    keys = [piece.key for piece in partitions_until(found.partitioning, datetime.now(UTC))]
    assert list(cut.get_partition_keys()) == keys
    assert keys


ZONES = ("America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Asia/Kolkata", "Asia/Beirut")
AT = "{name: at, logicalType: timestamp, primaryKey: true, partitioned: true}"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cadence", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize("column", [DAY, AT])
@pytest.mark.parametrize("end", [None, 0, 1, -40])
def test_in_the_days_of_a_time_zone(tmp_path, zone, cadence, column, end):
    start = TODAY - timedelta(days=250)  # so that the clocks were changed meanwhile
    until = TODAY + timedelta(days=end) if end is not None else None
    same_as_ours(sales(tmp_path, cadence, start, until, zone=zone, column=column))


@pytest.mark.parametrize("zone", ["Pacific/Apia", "Pacific/Fakaofo"])
@pytest.mark.parametrize("column", [DAY, AT])
@pytest.mark.parametrize("start", [date(2011, 12, 20), date(2011, 12, 29), date(2011, 12, 31)])
def test_without_a_day_that_never_was(tmp_path, zone, column, start):
    """Dagster has two names for the day after, and leaves out both or none (1.13)."""
    settings = sales(tmp_path, "daily", start, date(2012, 1, 10), zone=zone, column=column)
    found = product(settings, "shop.sales")
    pieces = partitions_until(found.partitioning, datetime.now(UTC))
    keys = [piece.key for piece in pieces]
    theirs = list(partitions_of(found, settings).get_partition_keys())
    assert keys == [key for key in theirs if key != "2011-12-30"]
    assert not {"2011-12-30"} & set(due_partitions(found, environment(settings)))
    with pytest.raises(UnknownNameError, match="never was in"):
        partition_of(found.partitioning, "2011-12-30", datetime.now(UTC))


def test_a_start_that_never_was_is_said(tmp_path):
    settings = sales(tmp_path, "daily", date(2011, 12, 30), None, zone="Pacific/Apia")
    with pytest.raises(DeclarationError, match="never was in Pacific/Apia") as error:
        product(settings, "shop.sales")
    assert "say 2011-12-31" in str(error.value)


@pytest.mark.parametrize("end", [None, 0, 1, -2])
def test_by_the_hour(tmp_path, end):
    until = TODAY + timedelta(days=end) if end is not None else None
    keys = same_as_ours(sales(tmp_path, "hourly", TODAY - timedelta(days=5), until, column=AT))
    assert keys[0] == f"{TODAY - timedelta(days=5)}T00"
    assert len(keys) >= 48


def same_as_ours(settings):
    found = product(settings, "shop.sales")
    cut = partitions_of(found, settings)
    pieces = partitions_until(found.partitioning, datetime.now(UTC))
    assert list(cut.get_partition_keys()) == [piece.key for piece in pieces]
    for piece in (pieces[0], pieces[-1]):
        window = cut.time_window_for_partition_key(piece.key)
        assert (window.start, window.end) == (piece.begins, piece.ends)
    return [piece.key for piece in pieces]


def test_a_product_whose_end_is_past_is_done(tmp_path, monkeypatch):
    settings = sales(tmp_path, "monthly", date(2020, 1, 1), date(2020, 3, 10))
    found, env = product(settings, "shop.sales"), environment(settings)
    # The last month is not over on 10 March, and is published as it was then.
    assert due_partitions(found, env)[-1] == "2020-03-01"
    monkeypatch.setattr("dataops_mesh.run.due._entry", lambda *_: _all(found))
    assert due_partitions(found, env) == ()


@pytest.mark.parametrize("tags", [{}, {"dagster/partition": "2026-03-09"}])
def test_a_launch_without_a_partition_that_there_is_names_those_there_are(tmp_path, tags):
    settings = sales(tmp_path, "daily", date(2026, 3, 5), date(2026, 3, 7))
    job = load_domain(settings.domains_folder / "shop").resolve_job_def("shop")
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
    assert not done.success
    [failure] = [event for event in done.all_node_events if event.is_step_failure]
    said = failure.step_failure_data.error.to_string()
    assert "2026-03-05, 2026-03-06\n" in said
    assert "partition" in said


def _all(found) -> Entry:
    pieces = partitions_until(found.partitioning, datetime.now(UTC))
    parts = tuple(Part(piece.key, "c", 1, "f", 1, (), "x") for piece in pieces)
    return Entry("shop.sales", "c", 1, "f", 1, parts=parts)
