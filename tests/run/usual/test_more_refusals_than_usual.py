"""A scripted history of refused builds, whose answer is known; and plain arithmetic beside ours."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from math import inf

import pytest
from helpers import environment
from history import remembered
from hypothesis import given
from hypothesis import strategies as st

from dataops_mesh.ledger.days import Day
from dataops_mesh.run.record import open_record
from dataops_mesh.run.usual.refusals import DAYS, WEEK, refusals, usual_share
from dataops_mesh.run.usual.remarks import remarks

FIRST = date(2026, 1, 1)


def history(builds: list[tuple[int, int]]) -> list[Day]:
    """Return days on which so many builds were refused, of so many."""
    return [
        Day((FIRST + timedelta(n)).isoformat(), published=of - refused, refused=refused)
        for n, (refused, of) in enumerate(builds)
    ]


HOURLY = [(1, 24) if n % 2 else (0, 24) for n in range(91)]  # 2 %
DAILY = [(n % 45 == 7, 1) for n in range(91)]  # 2 %
NONE = [(0, 0)] * WEEK


@pytest.mark.parametrize(
    ("before", "week", "told"),
    [
        (HOURLY, [(10, 24)] * 7, "41.7 %"),
        (HOURLY, [(1, 24)] * 7, ""),
        (DAILY, [(1, 1), (1, 1), (0, 1), (1, 1), (0, 1), (0, 1), (0, 1)], "42.9 %"),
        (DAILY, [(1, 1), (1, 1), *[(0, 1)] * 5], ""),  # two of seven: that happens
        (DAILY, [(30, 31), *[(0, 1)] * 6], ""),  # thirty tries of one morning
        (DAILY, NONE, ""),
        (DAILY[:27], [(1, 1)] * 7, ""),  # no history yet
        ([(n % 3 > 0, 1) for n in range(91)], [(1, 1)] * 7, ""),  # it is always like that
        ([(0, 1) if n % 7 < 5 else (0, 0) for n in range(91)], [*[(1, 1)] * 3, *NONE[:4]], "100 %"),
    ],
)
def test_a_week_with_more_refusals_than_the_weeks_before_is_told(before, week, told):
    found = list(refusals(history([*before, *week])))
    assert [one.sentence.split(" of a day's builds")[0] for one in found] == [told] * bool(told)
    for one in found:
        assert one.before[-1][1] == pytest.approx(sum(r / of for r, of in week if of) /
                                                  sum(of > 0 for _, of in week))  # fmt: skip
        assert all(0 <= share <= 1 for _, share in one.before)
        assert one.before[-1][0] == FIRST + timedelta(len([*before, *week]) - 1)


def by_hand(refused: float, of: int, days: int) -> float:
    """Return the least number of refused days that comes once in 500 weeks or less.

    Every chance from the one before it: no gamma functions.
    """
    a, b = refused + 0.5, of - refused + 0.5
    weights = [1.0]
    for k in range(days):
        weights.append(weights[-1] * (days - k) * (k + a) / ((k + 1) * (days - k - 1 + b)))
    total = sum(weights)
    return next((k for k in range(days + 1) if sum(weights[k:]) / total <= 1 / 500), inf)


@given(share=st.floats(0, 1), of=st.integers(28, 91), days=st.integers(1, 7))
def test_what_is_usual_is_what_plain_arithmetic_says(share, of, days):
    refused = round(share * of, 1)
    least = by_hand(refused, of, days)
    usual = usual_share(refused, of, days)
    assert not any(usual.holds(k / days) for k in range(days + 1) if k >= least)
    assert all(usual.holds(k / days) for k in range(days + 1) if k < least)


@pytest.mark.parametrize("often", [0.0, 0.02, 0.1, 0.3])
def test_chance_alone_is_seldom_told(often):
    chance, told, weeks = random.Random(7), 0, 0
    for _ in range(6):
        days = history([(chance.random() < often, 1) for _ in range(365)])
        for end in range(DAYS, len(days), WEEK):
            weeks += 1
            told += bool(list(refusals(days[end - DAYS : end])))
    assert told / weeks <= 0.01


def test_the_ledger_of_a_product_tells_it(tmp_path):
    settings = remembered(tmp_path)
    now = datetime.now(UTC)
    with open_record(environment(settings)) as ledger:
        assert remarks(ledger, "shop.orders", now) == ()
    since = (now - timedelta(days=4)).isoformat()
    with closing(sqlite3.connect(environment(settings).store.ledger_file)) as db, db:
        db.execute("update candidates set verdict = 'refuse' where finished >= ?", [since])
        db.execute("update candidates set verdict = 'error' where finished < ?", [since])
    with open_record(environment(settings)) as ledger:
        assert remarks(ledger, "shop.orders", now) == (), "what failed was not judged"
    with closing(sqlite3.connect(environment(settings).store.ledger_file)) as db, db:
        db.execute("update candidates set verdict = 'publish' where finished < ?", [since])
    with open_record(environment(settings)) as ledger:
        (found,) = remarks(ledger, "shop.orders", now, awaited=False)
    assert (found.kind, found.port, found.candidate) == ("refusals", "", "")
    assert found.sentence.endswith(" would be usual")
