"""Partitions of a time zone: no moment is in two of them or in none, however clocks are set."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.spec.cut import keys_over
from dataops_mesh.spec.nearby import nearby, window_of
from dataops_mesh.spec.partition import (
    Cadence,
    Partition,
    Partitioning,
    has_key,
    keys_outside,
    partitions_until,
)

# With clocks that are changed at midnight, by half an hour, or skipped a whole day.
ZONES = ("UTC", "America/New_York", "Europe/Zurich", "Asia/Beirut", "America/Havana",
         "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "Pacific/Kiritimati")  # fmt: skip
CUTS = st.builds(
    Partitioning,
    st.just("at"),
    st.sampled_from(Cadence),
    st.dates(date(2010, 1, 1), date(2026, 1, 1)),
    zone=st.sampled_from(ZONES),
    moments=st.booleans(),
    zoned=st.booleans(),
)


def pieces_of(cut: Partitioning, days: int = 70) -> tuple[Partition, ...]:
    if cut.cadence is Cadence.HOURLY:
        days = 3
    return partitions_until(cut, datetime.combine(cut.start, time(12), UTC) + timedelta(days=days))


@settings(max_examples=80, deadline=None)
@given(cut=CUTS)
def test_pieces_follow_each_other_and_begin_at_midnight(cut: Partitioning):
    pieces = pieces_of(cut)
    assert [p.key for p in pieces] == sorted({p.key for p in pieces})
    for one, after in pairwise(pieces):
        assert (one.ends, one.end) == (after.begins, after.start)
    for piece in pieces:
        assert piece.begins is not None
        assert piece.ends is not None
        assert has_key(cut, piece.key)
        if cut.cadence is Cadence.HOURLY:
            assert piece.ends - piece.begins == timedelta(hours=1)
            continue
        zone = ZoneInfo(cut.zone)
        local, before = (
            one.astimezone(zone) for one in (piece.begins, piece.begins - timedelta(seconds=1))
        )
        assert local.date().isoformat() == piece.key
        assert before.date() < local.date()
        last = (piece.ends - timedelta(seconds=1)).astimezone(zone).date()
        assert (
            last
            == {
                Cadence.DAILY: local.date(),
                Cadence.WEEKLY: local.date() + timedelta(days=6),
                Cadence.MONTHLY: (local.date().replace(day=28) + timedelta(days=4)).replace(day=1)
                - timedelta(days=1),
            }[cut.cadence]
        )


@settings(max_examples=120, deadline=None)
@given(cut=CUTS, other=CUTS, data=st.data())
def test_what_overlaps_is_found_and_nothing_else(cut: Partitioning, other: Partitioning, data):
    mine = [p for p in pieces_of(cut) if p.key >= cut.start.isoformat()]
    piece = data.draw(st.sampled_from(mine or pieces_of(cut)))
    assert piece.begins is not None
    assert piece.ends is not None
    begin = piece.begins.date() - timedelta(days=40)
    theirs = Partitioning("x", other.cadence, begin, zone=other.zone, moments=other.moments)
    until = piece.begins + (piece.ends - piece.begins) + timedelta(days=3)
    keys = keys_over(theirs.cut, piece)
    assert keys is not None
    by_date = not cut.moments and not other.moments and cut.cadence is not Cadence.HOURLY
    by_date = by_date and other.cadence is not Cadence.HOURLY
    ends = (piece.start, piece.end) if by_date else (piece.begins, piece.ends)
    found = []
    for one in partitions_until(theirs, until):
        start, end = (one.start, one.end) if by_date else (one.begins, one.ends)
        if start < ends[1] and end > ends[0]:
            found.append(one.key)
    assert [p.key for p in partitions_until(theirs, until) if keys[0] <= p.key <= keys[1]] == found
    assert found


@settings(max_examples=60, deadline=None)
@given(cut=CUTS, back=st.integers(0, 3), on=st.integers(0, 3), data=st.data())
def test_the_partitions_around_one_are_those_of_the_calendar(cut, back, on, data):
    pieces = pieces_of(cut, 400)
    at = data.draw(st.integers(0, len(pieces) - 1 - on) if len(pieces) > on else st.just(0))
    found = nearby(cut, pieces[at].key, back=back, on=on)
    assert found[: back + 1] == pieces[max(0, at - back) : at + on + 1][: back + 1]
    assert len(found) == min(at, back) + 1 + on


def test_a_delivery_tells_moments_however_it_spells_them():
    cut = Partitioning("t", Cadence.DAILY, date(2026, 3, 1), zone="America/New_York", moments=True)
    asked = window_of("t", nearby(cut, "2026-03-08")).condition
    told = {
        "'2026-03-08T00:00:00-05:00'": True, "'2026-03-08T04:59:59Z'": False,
        "'2026-03-09T03:59:59Z'": True, "TIMESTAMP '2026-03-09 04:00:00'": False,
        "TIMESTAMPTZ '2026-03-08 06:00:00+01'": True, "''": None, "'soon'": None, "NULL": None,
    }  # fmt: skip
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        for value, wanted in told.items():
            query = f"SELECT {asked} FROM (SELECT {value} AS t)"
            assert con.execute(query).fetchone() == (wanted,), value


@pytest.mark.parametrize(("zone", "day", "hours"), [
    ("America/New_York", "2026-03-08", 23), ("America/New_York", "2026-11-01", 25),
    ("Asia/Beirut", "2025-03-30", 23), ("America/Havana", "2025-11-02", 25),
    ("Australia/Lord_Howe", "2025-04-06", 24.5), ("UTC", "2026-03-08", 24),
])  # fmt: skip
def test_a_day_has_the_hours_that_it_had(zone: str, day: str, hours: float):
    start = date.fromisoformat(day)
    cut = Partitioning("at", Cadence.DAILY, start, zone=zone, moments=True, zoned=True)
    piece = partitions_until(cut, datetime.combine(start, time(12), ZoneInfo(zone)))[0]
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        inside = (
            f"SELECT count(*) FROM (SELECT unnest(generate_series(TIMESTAMPTZ '{day} 00:00:00+00' "
            f"- INTERVAL 2 DAY, TIMESTAMPTZ '{day} 00:00:00+00' + INTERVAL 3 DAY, "
            f"INTERVAL 30 MINUTE)) AS at) WHERE NOT ({piece.outside})"
        )
        assert con.execute(inside).fetchone() == (hours * 2,)


@settings(max_examples=200, deadline=None)
@given(
    cadence=st.sampled_from([*Cadence, None]),
    start=st.dates(date(2010, 1, 1), date(2012, 1, 1)),
    days=st.none() | st.integers(0, 800),
    asked=st.datetimes(datetime(2009, 1, 1), datetime(2014, 1, 1)),  # noqa: DTZ001 - keys have no zone
)
def test_every_key_that_is_denied_is_looked_for(cadence, start, days, asked):
    """A withdrawal reads only the partitions between these keys, and forgets none."""
    end = None if days is None else start + timedelta(days=days)
    cut = Partitioning("at", cadence, start, end, ("east", "west"))
    keys = [
        f"{asked:%Y-%m-%d}",
        f"{asked:%Y-%m-%dT%H}",
        f"{asked:%Y-%m-01}",
        "north",
        "east",
        "\U0001f600",
    ]
    for key in keys:
        if has_key(cut, key) is False:
            assert any(first <= key <= last for first, last in keys_outside(cut)), key


NEVER = {
    "Pacific/Apia": "2011-12-30", "Pacific/Fakaofo": "2011-12-30", "Kwajalein": "1993-08-21",
    "Pacific/Kiritimati": "1994-12-31", "Pacific/Kanton": "1994-12-31",
}  # fmt: skip


@pytest.mark.parametrize("zone", NEVER)
@pytest.mark.parametrize("moments", [False, True])
def test_a_day_that_never_was_is_no_partition(zone: str, *, moments: bool):
    day, key = date.fromisoformat(NEVER[zone]), NEVER[zone]
    start, end = day - timedelta(days=3), day + timedelta(days=3)
    hours = (datetime.combine(start, time(), UTC) + timedelta(hours=n) for n in range(-30, 180))
    were = sorted({str(hour.astimezone(ZoneInfo(zone)).date()) for hour in hours})
    cut = Partitioning("at", Cadence.DAILY, start, end, zone=zone, moments=moments)
    pieces = partitions_until(cut, datetime.combine(end, time(), UTC) + timedelta(days=9))
    assert [p.key for p in pieces] == [one for one in were if str(start) <= one < str(end)]
    assert key not in were
    for one, after in pairwise(pieces):
        assert one.ends == after.begins
    assert has_key(cut, key) is False
    assert any(first <= key <= last for first, last in keys_outside(cut))
    assert key not in [p.key for p in nearby(cut, str(start), on=4)]
