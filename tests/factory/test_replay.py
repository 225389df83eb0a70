"""Days that come in order, again, late, and corrected: what is built, and who is woken.

The replay clock moves; deliveries are files; Dagster evaluates the conditions of each location.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    product,
    write_workspace,
)
from locations import in_process, job_of, location, rows

from dataops_mesh.run.due import due_partitions
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import latest

FLIGHTS, DELAYS, YEAR = (
    dg.AssetKey(path) for path in (["air", "flights"], ["desk", "delays"], ["board", "year"])
)
DAILY = a_setting("partitions", "{cadence: daily, start: '2013-01-01'}")
DAY = "{name: day, logicalType: date, primaryKey: true, partitioned: true}"
ID = "{name: id, logicalType: integer, primaryKey: true}"
AT_FIVE = (
    "slaProperties:\n"
    "  - {property: frequency, value: 1, unit: d, scheduler: cron, schedule: '0 5 * * *'}\n"
)
DAYS = tuple(f"2013-01-0{day}" for day in range(1, 6))


def mesh_of_days():
    cut = "customProperties:\n" + DAILY
    flights = a_product(
        {"flights": a_contract("flights", [ID, DAY], extra=AT_FIVE) + cut},
        inputs=[a_source("delivered", "'delivered/{partition}.csv'")],
        files={"flights.sql": "select id::bigint as id, day::date as day from delivered"},
    )
    of_day = "from air.flights where day >= partition_start() and day < partition_end()"
    delays = a_product(
        {"delays": a_contract("delays", [DAY, "{name: n, logicalType: integer}"]) + cut},
        inputs=[an_input("air.flights")],
        files={"delays.sql": f"select day, count(*) as n {of_day} group by day"},
    )
    year = a_product(
        {"year": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("air.flights")],
        files={"year.sql": "select count(*) as n from air.flights"},
    )
    return {"air": {"flights": flights}, "desk": {"delays": delays}, "board": {"year": year}}


class Replay:
    """Three code locations, a clock, and what was built."""

    def __init__(self, root, instance, monkeypatch) -> None:
        self.settings = write_workspace(root, mesh_of_days())
        self.instance, self.monkeypatch = instance, monkeypatch
        self.cursors: dict[str, object] = {}
        (root / "domains/air/flights/delivered").mkdir()

    def deliver(self, day, *ids: int):
        file = self.settings.root / f"domains/air/flights/delivered/{day}.csv"
        file.write_text("id,day\n" + "".join(f"{i},{day}\n" for i in ids))

    def at(self, moment):
        """Move the replay clock; to Dagster, which knows no other, it is the same day of 2030."""
        clock = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        self.now = clock.replace(year=2030)
        self.monkeypatch.setenv("DATAOPS_MESH_NOW", clock.isoformat())

    def tick(self, domain):
        """Let a domain's automation look once and run what it asks for; return that."""
        self.now += timedelta(seconds=30)
        found = dg.evaluate_automation_conditions(
            location(self.settings, domain),
            self.instance,
            asset_selection=dg.AssetSelection.all(),
            cursor=self.cursors.get(domain),
            evaluation_time=self.now,
        )
        self.cursors[domain] = found.cursor
        keys = {k for ks in found._requested_partitions_by_asset_key.values() for k in ks}
        for key in sorted(keys, key=str):
            self.run(domain, key)
        return keys

    def run(self, domain, key=None):
        result = in_process(job_of(self.settings, domain), self.instance, partition_key=key)
        assert result.success

    def round(self):
        """Let every domain look twice; return what was built, in the order of the domains."""
        looks = [(domain, self.tick(domain)) for _ in "ab" for domain in ("air", "desk", "board")]
        built: dict[str, list] = {"air": [], "desk": [], "board": []}
        for domain, keys in looks:
            built[domain] += sorted(keys, key=str)
        return tuple(built.values())

    def publications(self, port="flights", domain="air"):
        release = latest(environment(self.settings).store)
        return {p.key: p.publication for p in release.ports[Address(domain, port)].parts}

    def due(self):
        place = environment(load_settings(self.settings.root))
        return due_partitions(product(self.settings, "air.flights"), place)


@pytest.fixture
def replay(tmp_path, instance, monkeypatch):
    found = Replay(tmp_path, instance, monkeypatch)
    found.at("2013-01-01T04:30:00")
    found.deliver(DAYS[0], 1, 2)
    found.round()
    found.at("2013-01-01T05:00:10")
    return found


def test_flights_arrive_day_by_day_again_late_and_corrected(replay):
    # The first day is published, and its consumers follow.
    assert replay.round() == ([DAYS[0]], [DAYS[0]], [None])
    assert rows(replay.settings, "select n from board.year") == [(2,)]

    # The same content again is on record and wakes nobody.
    before = replay.publications()
    replay.run("air", DAYS[0])
    assert replay.publications()[DAYS[0]] > before[DAYS[0]]
    assert replay.round() == ([], [], [])

    # The second day does not come; the third does.
    replay.at("2013-01-02T05:00:10")
    assert replay.round() == ([], [], [])
    replay.at("2013-01-03T05:00:10")
    replay.deliver(DAYS[2], 5)
    assert replay.round() == ([DAYS[2]], [DAYS[2]], [None])

    # The second day comes late: only it is built, by everybody.
    kept = replay.publications()
    replay.deliver(DAYS[1], 3, 4)
    assert replay.round() == ([DAYS[1]], [DAYS[1]], [None])
    assert {k: v for k, v in replay.publications().items() if k != DAYS[1]} == kept

    # The first day is corrected: the same.
    replay.at("2013-01-04T05:00:10")
    kept = replay.publications()
    replay.deliver(DAYS[0], 1, 2, 9)
    assert replay.round() == ([DAYS[0]], [DAYS[0]], [None])
    assert {k: v for k, v in replay.publications().items() if k != DAYS[0]} == {
        k: v for k, v in kept.items() if k != DAYS[0]
    }
    assert rows(replay.settings, "select n from board.year") == [(6,)]
    assert rows(replay.settings, "select n from desk.delays order by day") == [(3,), (2,), (1,)]
    assert replay.round() == ([], [], [])


def test_mesh_run_finds_late_and_corrected_days_and_automation_builds_neither_again(replay):
    replay.round()
    replay.at("2013-01-04T12:00:00")
    assert replay.due() == ()  # nothing was delivered since
    replay.deliver(DAYS[3], 7)
    replay.deliver(DAYS[1], 3)
    replay.deliver(DAYS[0], 1)
    assert replay.due() == (DAYS[0], DAYS[1], DAYS[3])
    for key in replay.due():
        replay.run("air", key)
        replay.run("desk", key)
    replay.run("board")
    assert replay.due() == (DAYS[3],)  # the current day, whose data may still come
    assert replay.round()[1:] == ([], [])
