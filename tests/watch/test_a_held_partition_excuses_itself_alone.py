"""A hold of one day does not keep the product's lateness from being told, nor make old data new."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime, timedelta

from helpers import (
    a_contract,
    a_product,
    a_setting,
    environment,
    product,
    slos,
    write_workspace,
)

from dataops_mesh.run.product import run_product
from dataops_mesh.run.record import open_record
from dataops_mesh.run.word.hold import hold_product
from dataops_mesh.run.word.rollback import rollback_product
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.store.log import latest
from dataops_mesh.watch.states import State, states
from dataops_mesh.watch.trouble import look
from dataops_mesh.web.facts.standing import standing

SOON = "slaProperties:\n  - {property: frequency, value: 1, unit: ms}\n"
COLUMN = (
    "{name: day, logicalType: date, partitioned: true, primaryKey: true, classification: public}"
)
NAME = "part.days"


class Part:
    """Days of which the last three are not there yet."""

    def __init__(self, root) -> None:
        today = datetime.now(UTC).date()  # of each test: an earlier one's may be yesterday
        self.days = [(today - timedelta(days=back)).isoformat() for back in (5, 4, 3, 2, 1)]
        cut = f"{{cadence: daily, start: '{self.days[0]}'}}"
        contract = a_contract("days", [COLUMN], extra=SOON)
        made = a_product(
            {"days": contract + "customProperties:\n" + a_setting("partitions", cut)},
            files={"days.sql": "select partition_start() as day"},
        )
        self.settings = write_workspace(root, {"part": {"days": made}})
        self.place = environment(self.settings)

    def build(self, *days: str) -> None:
        for day in days:
            ran = run_product(
                product(self.settings, NAME),
                self.place,
                run_id=f"{day} {time.time()}",
                partition=day,
            )
            assert ran.published
        time.sleep(0.05)

    def hold(self, day: str) -> None:
        hold_product(product(self.settings, NAME), self.place, "look first", day)

    def withdraw(self, day: str) -> None:
        found = product(self.settings, NAME)
        withdraw_product(taking(NAME, self.place, [found], day), self.place, "wrong", day)

    @property
    def state(self) -> State:
        """How the pages say that it stands; the sensors judge alike."""
        found = product(self.settings, NAME)
        with open_record(self.place) as ledger:
            release = latest(self.place.store)
            state = states({NAME: found}, ledger, release, datetime.now(UTC))[NAME]
        alone = slos([found], self.place)[NAME]
        assert (state.slo.runs, state.slo.data) == (alone.runs, alone.data)
        return state

    @property
    def incidents(self) -> list[str]:
        return [one.trouble.kind for one in look([product(self.settings, NAME)], self.place, {})]

    def finished(self, *days: str) -> datetime:
        """When the newest candidate that is still read of these days was built."""
        parts = {one.key: one.candidate for one in
                 next(iter(latest(self.place.store).ports.values())).parts}  # fmt: skip
        with sqlite3.connect(self.place.store.ledger_file) as ledger:
            rows = dict(ledger.execute("select candidate, finished from candidates"))
        return max(datetime.fromisoformat(rows[parts[day]]) for day in days)


def test_a_day_of_the_past_that_is_held_excuses_nothing(tmp_path):
    part = Part(tmp_path)
    part.build(*part.days[:2])
    assert part.incidents == ["late"]
    part.hold(part.days[0])
    assert (part.state.word, part.state.slo.runs) == ("late", "late")
    assert part.incidents == ["late"]
    part.withdraw(part.days[1])
    assert part.state.slo.runs == "late"
    assert part.incidents == ["late"]


def test_a_product_of_which_all_that_is_missing_is_held_is_not_late(tmp_path):
    part = Part(tmp_path)
    part.build(*part.days[:3])
    part.hold(part.days[3])
    assert part.state.slo.runs == "late", "the day after it is not held"
    part.hold(part.days[4])
    assert (part.state.word, part.state.slo.runs) == ("held", "held")
    shown = standing(product(part.settings, NAME), part.state)
    assert (shown.level, shown.word) == ("watch", "held")
    assert shown.sentence == f"{part.days[3]} is held, {part.days[4]} is held; the rest goes on."
    assert part.incidents == []


def test_the_whole_product_that_is_held_is_not_late(tmp_path):
    part = Part(tmp_path)
    part.build(part.days[0])
    hold_product(product(part.settings, NAME), part.place, "look first")
    assert (part.state.word, part.incidents) == ("held", [])


def test_a_run_that_the_hold_of_its_day_stopped_is_not_called_refused(tmp_path):
    part = Part(tmp_path)
    part.build(*part.days)
    part.hold(part.days[0])
    stopped = run_product(
        product(part.settings, NAME), part.place, run_id="r", partition=part.days[0]
    )
    assert not stopped.published
    assert part.state.word == "late"


def test_who_withdraws_or_rolls_back_a_day_builds_nothing(tmp_path):
    part = Part(tmp_path)
    part.build(*part.days[:3])
    whole = part.finished(*part.days[:3])
    assert part.state.built == whole
    part.withdraw(part.days[2])
    assert part.state.built == part.finished(*part.days[:2]) < whole
    part.build(part.days[0])
    newest = part.finished(part.days[0])
    assert part.state.built == newest
    found = product(part.settings, NAME)
    rollback_product(found, part.place, None, "worse", part.days[0])
    assert part.state.built == part.finished(*part.days[:2]) < newest
    assert part.incidents == ["late"]
