"""A sensor that rests is awake when the clock changes something: crons, partitions, promises."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from dagster._utils.schedules import cron_string_iterator
from helpers import a_contract, a_product, a_setting, environment, product, run, write_workspace
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dataops_mesh.cron import cron_problem, may_tick
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.partition import Cadence, Partitioning, partitions_until
from dataops_mesh.watch.deadlines import LONGEST, next_alert, next_launch

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
COLUMN = "{name: id, logicalType: integer, primaryKey: true, classification: public}"
moments = st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001 - made UTC
    lambda at: at.replace(tzinfo=UTC, day=min(at.day, 28))
)


def a_field(high: int, low: int = 0):
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: "{}-{}".format(*sorted(pair)))
    stepped = st.tuples(st.just("*") | span, st.integers(1, high)).map(lambda p: f"{p[0]}/{p[1]}")
    return st.lists(st.just("*") | number.map(str) | span | stepped, min_size=1, max_size=3).map(
        ",".join
    )


crons = st.tuples(
    a_field(59), a_field(23), st.just("*") | a_field(28, 1), st.just("*"), st.just("*") | a_field(6)
).map(" ".join)


@given(crons, st.sampled_from(ZONES), moments)
@example("* * * * *", "Europe/Berlin", datetime(2024, 10, 27, 1, tzinfo=UTC))
@example("1 * * * *", "Australia/Lord_Howe", datetime(2024, 5, 1, tzinfo=UTC))
def test_no_tick_of_a_cron_is_slept_through(line, zone, at):
    """Dagster itself says when it ticks."""
    assert cron_problem(line) is None
    coming = cron_string_iterator(at.timestamp(), line, zone)  # `at` itself may be one
    ticks = next(tick.astimezone(UTC) for tick in coming if tick > at)
    found = may_tick(line, zone, at, LONGEST)
    if ticks - at <= LONGEST - timedelta(minutes=1):
        assert found is not None
        assert at < found <= ticks


def test_a_cron_that_ticks_once_a_day_wakes_once_a_day():
    at = datetime(2026, 1, 15, 4, 30, tzinfo=UTC)
    assert may_tick("0 6 * * *", "Europe/Berlin", at, LONGEST) == at.replace(hour=5, minute=0)
    assert may_tick("0 6 * * *", "UTC", at, LONGEST) is None


@pytest.mark.parametrize("cadence", list(Cadence))
@given(at=moments.map(lambda at: at.replace(year=2026, month=at.month % 4 + 1)))
@settings(deadline=None)
def test_no_partition_begins_or_ends_in_a_rest(tmp_path_factory, cadence, at):
    cut = Partitioning("day", cadence, date(2025, 12, 22), zone="Europe/Berlin")
    found = _partitioned(tmp_path_factory, cadence)
    until = next_launch([found], at)
    assert at < until <= at + LONGEST
    keys = [piece.key for piece in partitions_until(cut, at)]
    just_before = until - timedelta(seconds=1, microseconds=1)
    assert [piece.key for piece in partitions_until(cut, max(at, just_before))] == keys


_MADE: dict[Cadence, Product] = {}


def _partitioned(factory, cadence) -> Product:
    if cadence not in _MADE:
        column = "{name: day, logicalType: date, partitioned: true}"
        setting = f"{{cadence: {cadence}, start: '2025-12-22', timezone: Europe/Berlin}}"
        if cadence is Cadence.HOURLY:
            column = "{name: day, logicalType: timestamp, partitioned: true}"
            setting = "{cadence: hourly, start: '2025-12-22'}"
        extra = "customProperties:\n" + a_setting("partitions", setting)
        made = a_product(
            {"cut": a_contract("cut", [column], extra=extra)}, files={"cut.sql": "select 1 as day"}
        )
        written = write_workspace(factory.mktemp("w"), {"shop": {"cut": made}})
        _MADE[cadence] = product(written, "shop.cut")
    return _MADE[cadence]


def test_the_moment_a_promise_breaks_ends_a_rest(tmp_path):
    sla = "slaProperties:\n  - {property: freshness, value: 30, unit: min}\n"
    made = a_product({"a": a_contract("a", [COLUMN], extra=sla)}, files={"a.sql": "select 1 as id"})
    place = environment(write_workspace(tmp_path, {"shop": {"a": made}}))
    assert run(place.settings, "shop.a").published
    found = [product(place.settings, "shop.a")]
    at = datetime.now(UTC)
    breaks = next_alert(found, place, at)
    assert timedelta(minutes=25) < breaks - at < timedelta(minutes=31)
    assert next_alert(found, place, breaks) <= breaks + LONGEST


def test_an_end_of_life_and_midnight_end_a_rest(tmp_path):
    at = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    sla = "slaProperties:\n  - {property: endOfLife, value: '2026-03-01T23:45:00Z'}\n"
    made = a_product({"a": a_contract("a", [COLUMN], extra=sla)}, files={"a.sql": "select 1 as id"})
    place = environment(write_workspace(tmp_path, {"shop": {"a": made}}))
    found = [product(place.settings, "shop.a")]
    ends = next_alert(found, place, at)
    assert ends == at.replace(minute=45, second=1)
    assert next_alert(found, place, ends) == datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC)
