"""Products that come at some time of the day, and one day do not: told, and seldom without cause."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

import pytest
from helpers import environment, product
from history import remembered
from hypothesis import given
from hypothesis import strategies as st

from dataops_mesh.ledger.usual import first_published
from dataops_mesh.run.record import open_record
from dataops_mesh.run.usual.lateness import lateness
from dataops_mesh.store.hold import Hold
from dataops_mesh.watch.states import State
from dataops_mesh.web.facts.unusual import unusual_lines

MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)  # a Tuesday
MONTH = 365 / 12


def at(day: date, hours: float) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(hours=hours)


def came(
    hour: float = 6.0, last: date = date(2026, 6, 1), days: int = 91, skip: tuple[int, ...] = ()
):
    """Return that each day until the last was published about that hour, but on some weekdays."""
    every = [last - timedelta(n) for n in range(days)]
    return {day: at(day, hour + day.day % 5 / 20) for day in every if day.weekday() not in skip}


def told(first, now) -> list[str]:
    return [one.sentence for one in lateness(first, now)]


def test_a_day_that_has_not_come_is_told_when_it_is_later_than_usual():
    first = came()
    assert told(first, NOON.replace(hour=7)) == []
    assert told(first, NOON) == [
        "nothing of Tuesday, 2026-06-02, is published; by 2026-06-02 08:06 UTC would be usual"
    ]
    (one,) = lateness(first, NOON)
    assert (one.kind, one.port, one.column) == ("freshness", "", "")
    assert one.before[-1] == (NOON.date(), 12.0)
    assert told(first | {NOON.date(): at(NOON.date(), 6.2)}, NOON) == []


def test_a_day_that_came_late_is_told_until_the_next_one_comes():
    first = came() | {NOON.date(): at(NOON.date(), 11.5)}
    said = "the first publication of Tuesday, 2026-06-02, came at 2026-06-02 11:30 UTC"
    assert told(first, NOON) == [f"{said}; by 2026-06-02 08:06 would be usual"]
    tomorrow = NOON.date() + timedelta(1)
    assert told(first | {tomorrow: at(tomorrow, 6)}, NOON + timedelta(1)) == []


def test_a_partition_that_is_built_the_day_after_is_awaited_then():
    first = {day - timedelta(1): moment for day, moment in came().items()}  # 30 hours after
    assert told(first, NOON.replace(hour=7)) == []
    (sentence,) = told(first, NOON)
    assert sentence.startswith("nothing of Monday, 2026-06-01, is published; by 2026-06-02 08:")


@pytest.mark.parametrize(
    ("first", "now"),
    [
        (came(skip=(5, 6), last=date(2026, 5, 29)), datetime(2026, 5, 31, 23, tzinfo=UTC)),
        (came(days=27), NOON),
        ({}, NOON),
        # Nobody waits for what stopped long ago.
        (came(), NOON + timedelta(60)),
        # A history that was built in one night says nothing about when a day comes.
        ({MONDAY + timedelta(n): at(date(2026, 6, 1), n / 60) for n in range(80)}, NOON),
    ],
)
def test_what_nobody_awaits_is_not_late(first, now):
    assert told(first, now) == []


def test_an_outage_is_one_gap_and_what_is_often_left_out_is_not_awaited():
    week = {NOON.date() - timedelta(n) for n in range(30, 37)}
    holidays = {NOON.date() - timedelta(n) for n in (10, 58)}
    without = {day: moment for day, moment in came().items() if day not in week | holidays}
    assert len(told(without, NOON)) == 1
    del without[NOON.date() - timedelta(45)]
    assert told(without, NOON) == []


def test_after_a_weekend_without_publications_monday_is_awaited():
    first = came(skip=(5, 6), last=date(2026, 5, 29))
    (sentence,) = told(first, datetime(2026, 6, 1, 9, tzinfo=UTC))
    assert sentence.startswith("nothing of Monday, 2026-06-01")


@given(hours=st.lists(st.floats(0, 23), min_size=28, max_size=91))
def test_when_it_would_be_usual_is_what_plain_statistics_say(hours):
    days = [MONDAY + timedelta(n) for n in range(len(hours))]
    day = days[-1] + timedelta(1)
    (one,) = lateness({d: at(d, h) for d, h in zip(days, hours, strict=True)},
                      at(day, 500))  # fmt: skip
    own = {n: [h for d, h in zip(days, hours, strict=True) if d.weekday() == n] for n in range(7)}
    extra = {n: median(some) - median(hours) for n, some in own.items() if len(some) >= 4}
    flat = [h - extra.get(d.weekday(), 0) for d, h in zip(days, hours, strict=True)]
    wander = 1.4826 * median(abs(h - median(flat)) for h in flat)
    expected = median(flat[-28:]) + extra.get(day.weekday(), 0) + max(10 * wander, 2)
    assert one.usual.high == pytest.approx(expected, abs=1e-3)


def year(kind: str, chance: random.Random):
    """Return when a product came on each day of a year, in hours after the day began."""
    for n in range(365):
        day = MONDAY + timedelta(n)
        summer = 1 if 27 <= n < 237 else 0  # a clock that is changed twice
        match kind:
            case "cron":
                yield day, 6 - summer + chance.lognormvariate(-2, 0.7)
            case "working days" if day.weekday() < 5:
                yield day, 6 - summer + chance.lognormvariate(-2, 0.7)
            case "after others":
                yield day, 7 - summer + chance.lognormvariate(0, 0.5)
            case "by hand" if chance.random() < 0.8:
                yield day, chance.gauss(14, 2)


@pytest.mark.parametrize("kind", ["cron", "working days", "after others", "by hand"])
def test_chance_alone_is_seldom_told_and_a_missing_day_is(kind):
    chance = random.Random(11)
    alarms = months = 0
    seen: list[bool] = []
    for _ in range(4):
        came_at = {day: at(day, hours) for day, hours in year(kind, chance)}
        days = sorted(came_at)
        months += 365 / MONTH
        for place in range(40, len(days)):
            first = {day: came_at[day] for day in days[max(0, place - 91) : place]}
            # Looked at a minute before the next one comes.
            alarms += bool(told(first, came_at[days[place]] - timedelta(minutes=1)))
            seen.append(bool(told(first, at(days[place], 23.9))))
    assert alarms / months <= 0.1
    if kind != "by hand":
        assert sum(seen) / len(seen) >= 0.95


def orders_of(settings, state: State, now: datetime) -> list[str]:
    with open_record(environment(settings)) as ledger:
        found = unusual_lines(ledger, product(settings, "shop.orders"), now, state)
    return [one.kind for one in found]


def test_the_page_tells_it_where_nothing_worse_is_told(tmp_path):
    settings = remembered(tmp_path)
    now = datetime.now(UTC)
    later = datetime.combine(now.date() + timedelta(1), time(23, 59, 59), UTC)
    with open_record(environment(settings)) as ledger:
        first = first_published(ledger, "shop.orders", now - timedelta(10))
        assert sorted(first) == [now.date() - timedelta(n) for n in range(9, -1, -1)]
    file = environment(settings).store.ledger_file
    with closing(sqlite3.connect(file)) as db, db:  # all of it in the morning
        db.execute("update candidates set finished = substr(finished, 1, 10) || 'T06:00:00+00:00'")
    assert orders_of(settings, State("shop.orders", "well"), now.replace(hour=7)) == []
    assert orders_of(settings, State("shop.orders", "well"), later) == ["freshness"]
    for word in ("late", "held", "refused", "failed", "withdrawn", "not watched"):
        assert orders_of(settings, State("shop.orders", word), later) == []
    behind = (Hold("shop.other", "ana", "wrong", 1, later),)
    assert orders_of(settings, State("shop.orders", "well", behind=behind), later) == []


def test_partitions_count_by_their_own_day(tmp_path):
    settings = remembered(tmp_path, days=3)
    file = environment(settings).store.ledger_file
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("update ports set partition = '2026-01-0' || (rowid % 2 + 1)")
    with open_record(environment(settings)) as ledger:
        first = first_published(ledger, "shop.orders", datetime.now(UTC) - timedelta(10))
    assert sorted(first) == [date(2026, 1, 1), date(2026, 1, 2)]
    # The first time that a day was published counts, however often it is built again.
    assert max(first.values()) < datetime.now(UTC) - timedelta(1)
