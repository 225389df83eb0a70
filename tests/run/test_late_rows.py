"""Rows that come late are in their own partition, once, or refused in words that help."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from late_cases import Shop, calls

from dataops_mesh.errors import DeclarationError, SourceError
from tests.helpers import product, write_workspace

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


@pytest.fixture(autouse=True)
def _clock(monkeypatch) -> None:
    monkeypatch.setenv("DATAOPS_MESH_NOW", "2026-03-01T12:00:00Z")


def test_a_late_row_makes_its_own_day_due_and_is_in_it_once(tmp_path):
    shop = Shop(tmp_path, calls())
    shop.deliver("2026-03-01", {1: "2026-03-01"})
    assert shop.build("2026-03-01").published
    shop.at("2026-03-02T12:00:00Z")
    shop.deliver("2026-03-02", {3: "2026-03-02"})
    assert shop.due() == ("2026-03-02",)  # which brings nothing of the day before
    shop.deliver("2026-03-02", {2: "2026-03-01", 3: "2026-03-02"})
    assert shop.due() == ("2026-03-01", "2026-03-02")
    for key in shop.due():
        assert shop.build(key).published
    assert shop.rows() == [(1, "2026-03-01"), (2, "2026-03-01"), (3, "2026-03-02")]
    assert shop.due() == ("2026-03-02",)  # the day that is not over


REFUSED = {
    "older than the lookback": ({1: "2026-03-01", 2: "2026-03-03"}, "there is 1 row of day that"),
    "of a day to come": ({2: "2026-03-03", 3: "2026-03-04"}, "there is 1 row of day that"),
    "of no day": ({1: "", 2: "", 3: "2026-03-03"}, "there are 2 rows of day that"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_comes_too_late_or_too_early_is_refused_where_it_arrives(tmp_path, case):
    rows, said = REFUSED[case]
    shop = Shop(tmp_path, calls())
    shop.at("2026-03-03T12:00:00Z")
    shop.deliver("2026-03-03", rows)
    report = shop.build("2026-03-03")
    assert not report.published
    words = "the delivery of 2026-03-03 may not bring: `lookback: 1` reaches from 2026-03-02 to"
    assert f"{said} {words} 2026-03-03" in str(report.decision)


def test_without_a_lookback_the_refusal_says_what_there_is(tmp_path):
    shop = Shop(tmp_path, calls(0))
    shop.deliver("2026-03-01", {1: "2026-02-28", 2: "2026-03-01"})
    decision = str(shop.build("2026-03-01").decision)
    assert "there is 1 row of another partition than 2026-03-01" in decision
    assert "needs `lookback`" in decision
    assert "the query returned" not in decision


PYTHON = "def transform(csv):\n    return csv\n"


@pytest.mark.parametrize("column", ["", "{path: 'in/{partition}.csv', column: day}"])
def test_a_confined_transform_sees_the_rows_of_its_own_day(tmp_path, column):
    made = calls(sql="", **{"transform.py": PYTHON})
    if column:
        text = made["product.odps.yaml"]
        made["product.odps.yaml"] = text.replace("{path: 'in/{partition}.csv'}", column)
        assert made["product.odps.yaml"] != text
    shop = Shop(tmp_path, made)
    shop.at("2026-03-02T12:00:00Z")
    shop.deliver("2026-03-01", {1: "2026-03-01"})
    shop.deliver("2026-03-02", {2: "2026-03-01", 3: "2026-03-02"})
    for key in shop.due():
        report = shop.build(key)
        assert report.published, report.decision
    assert shop.rows() == [(1, "2026-03-01"), (2, "2026-03-01"), (3, "2026-03-02")]


def test_a_delivery_that_comes_while_a_day_is_built_disturbs_nobody(tmp_path):
    sql = "select id, day::date as day from csv"
    shop = Shop(tmp_path, calls(sql=sql))
    shop.at("2026-03-02T12:00:00Z")
    shop.deliver("2026-03-01", {1: "2026-03-01"})

    from dataops_mesh.run.bind import pin_inputs, require_unchanged
    from dataops_mesh.store.log import latest
    from tests.helpers import environment

    found, store = product(shop.settings, "shop.calls"), environment(shop.settings).store
    inputs = pin_inputs(store, found, latest(store), "2026-03-01")
    shop.deliver("2026-03-02", {2: "2026-03-01"})
    require_unchanged(store, found, inputs, "2026-03-01")
    assert shop.build("2026-03-01").published
    shop.deliver("2026-03-01", {1: "2026-03-01", 9: "2026-03-01"})
    with pytest.raises(SourceError, match="changed while it was read"):
        require_unchanged(store, found, inputs, "2026-03-01")


def test_a_delivery_without_the_column_says_so(tmp_path):
    shop = Shop(tmp_path, calls())
    (shop.folder / "2026-03-01.csv").write_text("id,when\n1,2026-03-01\n", "utf-8")
    with pytest.raises(SourceError, match='no column "day", which says of which partition a row'):
        shop.build("2026-03-01")


MISTAKES = {
    "a whole source": (calls(source="in.csv"), "no source says `{partition}`"),
    "an opaque file": (calls(source="'in/{partition}.bin'"), "opaque file"),
    "none": (calls(more=", lookback: 0", lookback=0), "lookback"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_lookback_that_does_nothing_is_a_mistake(tmp_path, case):
    made, said = MISTAKES[case]
    settings = write_workspace(tmp_path, {"shop": {"calls": made}})
    with pytest.raises(DeclarationError, match=said):
        product(settings, "shop.calls")


class Model:
    """What must be due and what must be published, in plain Python."""

    def __init__(self, lookback: int, zone: str) -> None:
        self.lookback, self.zone = lookback, ZoneInfo(zone)
        self.delivered: dict[str, dict[int, str]] = {}
        self.built: dict[str, object] = {}
        self.published: dict[str, list[tuple[int, str]]] = {}

    def days(self, now: datetime) -> list[str]:
        day, found = date(2026, 3, 1), []
        while day <= now.astimezone(self.zone).date():
            found.append(day.isoformat())
            day += timedelta(days=1)
        return found

    def later(self, key: str) -> list[str]:
        day = date.fromisoformat(key)
        keys = [(day + timedelta(days=n)).isoformat() for n in range(1, self.lookback + 1)]
        return [one for one in keys if one in self.delivered]

    def read(self, key: str) -> object:
        late = [k for k in self.later(key) if key in self.delivered[k].values()]
        return [(k, sorted(self.delivered[k].items())) for k in (key, *late)]

    def due(self, now: datetime) -> tuple[str, ...]:
        days = self.days(now)
        return tuple(
            key for key in days
            if key in self.delivered and (key == days[-1] or self.built.get(key) != self.read(key))
        )  # fmt: skip

    def build(self, key: str) -> bool:
        first = (date.fromisoformat(key) - timedelta(days=self.lookback)).isoformat()
        first = max(first, "2026-03-01")
        if any(not first <= day <= key for day in self.delivered[key].values()):
            return False
        found = [item for k in (key, *self.later(key)) for item in self.delivered[k].items()]
        self.published[key] = [item for item in found if item[1] == key]
        self.built[key] = self.read(key)
        return True


# Clocks are changed on 8 March in New York, and on 27 March in Jerusalem.
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Jerusalem", "UTC"])
@pytest.mark.parametrize("seed", range(8 if LONG else 1))
def test_deliveries_early_late_corrected_and_withdrawn_against_a_model(tmp_path: Path, zone, seed):
    random = Random(f"{zone}-{seed}")
    lookback, number = random.choice((1, 2)), 0
    shop = Shop(tmp_path, calls(lookback, more=f", timezone: {zone}"))
    model = Model(lookback, zone)
    now = datetime(2026, 3, 6 if zone != "Asia/Jerusalem" else 25, 3, 30, tzinfo=UTC)
    for _ in range(30 if LONG else 7):
        now += timedelta(hours=random.choice((1, 9, 24)))
        shop.at(now.isoformat())
        days = model.days(now)
        key = random.choice(days[-3:])
        if key in model.delivered and random.random() < 0.2:
            del model.delivered[key]
            (shop.folder / f"{key}.csv").unlink()
        else:
            ago = random.choices((0, 1, 2, 3, -1), (8, 4, 3, 0.3, 0.3), k=random.randint(1, 3))
            rows = {}
            for back in ago:
                number += 1
                day = date.fromisoformat(key) - timedelta(days=back)
                rows[number] = day.isoformat()
            model.delivered[key] = rows
            shop.deliver(key, rows)
        assert shop.due() == model.due(now), (now, model.delivered)
        for one in shop.due():
            report = shop.build(one)
            assert report.published == model.build(one), (one, report.decision)
        wanted = sorted(item for rows in model.published.values() for item in rows)
        if model.published:
            assert shop.rows() == wanted
