"""How many different values there are: counted the same each time, and compared with before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import exp, expm1, log, log1p
from statistics import median

import duckdb
import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    run,
    write_product,
    write_workspace,
)
from history import orders, remembered
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.ledger.usual import Build, Column
from dataops_mesh.run.record import open_record
from dataops_mesh.run.usual.bounds import DISTINCT, LEAST, PER_ROW, bounds
from dataops_mesh.run.usual.distinct import different, distinct_counts, is_plain, sampled
from dataops_mesh.run.usual.remarks import of_port, remarks
from dataops_mesh.store.manifest import read_manifest

FIRST = date(2026, 1, 1)


def counted(connection, columns, one_of):
    asked = ", ".join(different(f'"{name}"', one_of) for name in columns)
    seen = connection.execute(f"select {asked} from v").fetchone()
    return distinct_counts(connection, "v", dict(zip(columns, seen, strict=True)), one_of)


@given(
    sizes=st.tuples(st.integers(1, 40), st.integers(1, 3000), st.integers(2000, 9000)),
    nulls=st.integers(2, 50), seed=st.integers(1, 10**6), threads=st.integers(1, 4),
)  # fmt: skip
@settings(deadline=None, max_examples=15)
def test_the_same_rows_in_any_order_have_the_same_answer(sizes, nulls, seed, threads):
    few, some, many = sizes
    rows = f"""select if(i % {nulls} = 0, null, 'n' || i % {few}) as few, i % {some} as some,
               md5((hash(i + {seed}) % {many})::varchar) as many, null::date as none
               from range(10000) t(i)"""
    with duckdb.connect() as one, duckdb.connect() as other:
        one.execute(f"create view v as {rows}")
        other.execute(f"set threads = {threads}")
        other.execute(f"create table v as {rows} order by hash(i * {seed})")
        names = ["few", "some", "many", "none"]
        exact = {name: len({row[0] for row in one.execute(f'select "{name}" from v where "{name}" '
                                                          "is not null").fetchall()})
                 for name in names}  # fmt: skip
        assert counted(one, names, 1) == exact
        told = counted(one, names, 8)
        assert told == counted(other, names, 8)
        assert {name: told[name] for name in ("few", "none")} == {"few": exact["few"], "none": 0}
        for name in ("some", "many"):
            assert told[name] == pytest.approx(exact[name], rel=0.3)


def test_of_a_million_rows_no_more_is_held_than_of_some():
    assert [sampled(rows) for rows in (0, 65_536, 65_537, 10**6, 10**9)] == [1, 1, 2, 16, 16384]
    assert all(rows / sampled(rows) <= 65_536 for rows in range(1, 10**7, 99_991))


@pytest.mark.parametrize("kind", ["INTEGER", "VARCHAR", "UUID", "TIMESTAMP WITH TIME ZONE",
                                  "DECIMAL(38,2)", "ENUM('a', 'b')", "BLOB", "BIT"])  # fmt: skip
def test_every_plain_type_can_be_counted(kind):
    assert is_plain(kind)
    with duckdb.connect() as connection:
        connection.execute(f"create view v as select null::{kind} as c from range(3)")
        assert counted(connection, ["c"], 2) == counted(connection, ["c"], 1) == {"c": 0}


def test_of_a_column_that_may_not_be_shown_no_values_are_counted(tmp_path):
    columns = [
        "{name: open, logicalType: integer, classification: public}",
        "{name: inner, logicalType: integer, classification: Internal}",
        "{name: closed, logicalType: integer, classification: confidential}",
        "{name: nothing, logicalType: integer}",
    ]
    found = write_workspace(tmp_path, {"shop": {"a": a_product(
        {"a": a_contract("a", columns)},
        inputs=[a_source("s", "s.csv")],
        files={
            "a.sql": "select i % 7 as open, i % 5 as inner, i % 3 as closed, i as nothing "
                     "from range(20) t(i), s",
            "s.csv": "id\n1\n",
        },
    )}})  # fmt: skip
    report = run(found, "shop.a")
    profile = read_manifest(environment(found).store, report.candidate).profile
    assert {one.column: one.distinct for one in profile} == {
        "open": 7, "inner": 5, "closed": None, "nothing": None,
    }  # fmt: skip


def builds(numbers):
    """Return one build a day of so many rows and different values."""
    return [
        Build("c", "publish", datetime.combine(FIRST + timedelta(n), datetime.min.time(), UTC), "",
              rows, {"c": Column(0, None, different)})
        for n, (rows, different) in enumerate(numbers)
    ]  # fmt: skip


STATIONS = [(10_000 + 37 * (n % 11), 30 - n % 2) for n in range(60)]
IDS = [(10_000 + 37 * (n % 11),) * 2 for n in range(60)]


@pytest.mark.parametrize(
    ("before", "rows", "now", "told"),
    [
        (STATIONS, 10_000, 3, True), (STATIONS, 10_000, 15, True), (STATIONS, 10_000, 60, True),
        (STATIONS, 10_000, 300, True), (STATIONS, 10_000, 28, False), (STATIONS, 10_000, 24, False),
        # Half of the rows have half of the ids, and may have all stations; rows tell of it.
        (IDS, 5_000, 5_000, False), (STATIONS, 5_000, 30, False), (STATIONS, 100_000, 30, False),
        (IDS, 10_000, 5_000, True), (IDS, 100_000, 100_000, False),
        # A flag that is seldom raised, and a column that is always the same.
        ([(900, 1)] * 60, 900, 2, False), ([(900, 2)] * 60, 900, 1, False),
        ([(900, 1)] * 60, 900, 9, True), ([(900, 3)] * 60, 900, 1, True),
        (STATIONS[: LEAST - 1], 10_000, 3, False),
    ],
)  # fmt: skip
def test_a_collapse_and_an_explosion_are_told_whatever_the_rows(before, rows, now, told):
    found = [one for one in of_port("p", builds([*before, (rows, now)])) if one.kind == "distinct"]
    assert bool(found) is told
    for one in found:
        assert one.column == "c"
        assert one.sentence.startswith(f"c has {now:,} different values; ")


def test_what_was_built_before_they_were_counted_is_no_example():
    old = [one for n, one in enumerate(builds(STATIONS)) if n < 50]
    blind = [Build(one.candidate, one.verdict, one.at, "", one.rows, {"c": Column(0)})
             for one in old[:40]]  # fmt: skip
    last = builds([(10_000, 3)] * 61)[60:]
    assert not [one for one in of_port("p", [*blind, *old[40:], *last]) if one.kind == "distinct"]
    assert [one for one in of_port("p", [*old, *last]) if one.kind == "distinct"]


def by_hand(before, day, there, back):
    """Return what is usual, computed from the words of docs/unusual.md."""
    points = [(at.isoweekday(), there(value)) for at, value in before][-91:]
    whole = median(value for _, value in points)
    week = {}
    for weekday in range(1, 8):
        own = [value for at, value in points if at == weekday]
        week[weekday] = median(own) - whole if len(own) >= 4 else 0.0
    flat = [value - week[at] for at, value in points]
    level = median(flat[-28:])
    middle = median(flat)
    wander = 1.4826 * median(abs(value - middle) for value in flat)
    least = max(5 * wander, 0.41)
    up, down = max(max(flat) - level, 0) * 1.3, max(level - min(flat), 0) * 1.3
    center = level + week[day.isoweekday()]
    return back(center - max(least, down)), back(center + max(least, up))


@given(numbers=st.lists(st.integers(1, 400), min_size=LEAST, max_size=120))
def test_bounds_are_those_of_plain_statistics(numbers):
    for kind, there, back, scale in ((DISTINCT, log1p, expm1, 1), (PER_ROW, log, exp, 500)):
        before = [(FIRST + timedelta(n), value / scale) for n, value in enumerate(numbers)]
        day = FIRST + timedelta(len(numbers))
        usual = bounds(before, day, kind)
        assert (usual.low, usual.high) == pytest.approx(by_hand(before, day, there, back))


def test_fewer_different_values_are_told_on_the_page_and_judged_by_a_rule(tmp_path):
    rule = "{type: custom, engine: dataops_mesh, implementation: {check: usual, of: [distinct]}}"
    found = remembered(tmp_path, rule)
    same = [(n % 2, 10 + n % 3, 7777, "x") for n in range(100)]
    write_product(found.root, "shop", "orders", orders(same, rule))
    report = run(found, "shop.orders")
    assert report.publication is None
    assert "id has 2 different values; 66 to 151 would be usual on" in report.decision.reasons[0]
    with open_record(environment(found)) as ledger:
        told = [one for one in remarks(ledger, "shop.orders", datetime.now(UTC))
                if one.kind == "distinct"]  # fmt: skip
    assert [(one.port, one.column) for one in told] == [("shop.orders", "id")]
    assert [value for _, value in told[0].before[-3:]] == [100, 100, 2]
