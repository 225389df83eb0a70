"""Whatever happens to a dbt product with state, it holds what plain dbt holds: no row is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dbt_state_cases import KILLED, PORTS, Plain, a_mesh, build, deliver, published
from helpers import environment, lift, product, roll_back
from hypothesis import HealthCheck, Phase
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.store.release import latest_number

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
IDS, AMOUNTS = st.integers(0, 5), st.integers(0, 3)
HOW = st.sampled_from(["adds", "changes", "deletes"])
CHANGES = st.lists(st.tuples(HOW, IDS, AMOUNTS), min_size=1, max_size=3)
NAME = "books.all"


class Books(RuleBasedStateMachine):
    """The product, beside plain dbt on one database, which is copied at each publication."""

    folder: Path
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        root = self.folder / str(len(list(self.folder.iterdir())))
        root.mkdir()
        self.settings = a_mesh(root)
        self.plain = Plain(root / "plain")
        self.past: dict[int, dict[str, list[dict[str, str | bool]]]] = {}
        self.now: dict[str, list[dict[str, str | bool]]] = {}
        self.rows: dict[int, list[object]] = {}
        self.hours = self.current = 0

    def teardown(self) -> None:
        self.plain.__exit__()
        shutil.rmtree(self.plain.root.parent, ignore_errors=True)

    @initialize(changes=CHANGES)
    def begins(self, changes):
        self.the_source_changes([*changes, ("adds", 0, 1), ("adds", 1, 2)])

    @rule(changes=CHANGES)
    def the_source_changes(self, changes):
        for how, key, amount in changes:
            self.hours += 1
            changed = f"2026-{1 + self.hours // 24 // 28:02}-{1 + self.hours // 24 % 28:02}"
            changed += f" {self.hours % 24:02}:00:00"
            if how == "deletes" and len(self.rows) > 1:
                self.rows.pop(key, None)
            elif how == "adds" or key in self.rows:
                self.rows[key] = [key, amount, changed]
        deliver(self.settings, self.source)

    @rule(full=st.booleans())
    def runs(self, full):
        report = build(self.settings, full=full)
        assert report.published, report.decision
        self.plain_builds(*["--full-refresh"] * full)

    @rule(full=st.booleans())
    def is_refused(self, full):
        self.hours += 1
        bad = [9, -1, f"2027-01-01 {self.hours % 24:02}:00:00"]
        assert not build(self.settings, [*self.source, bad], full=full).published
        deliver(self.settings, self.source)

    @rule(which=st.integers(0, 99))
    def is_rolled_back(self, which):
        able = sorted(set(self.past) - {self.current})
        if self.now and able:  # not a precondition: a kill may have come too late
            self.goes_back(able[which % len(able)])

    def goes_back(self, to: int) -> None:
        roll_back(self.settings, NAME, to)
        lift(self.settings, NAME)
        shutil.copyfile(self.copy(to), self.plain.database)
        self.current, self.now = to, self.past[to]

    @rule()
    def is_withdrawn(self):
        if not self.now:
            return
        with_all = taking(NAME, environment(self.settings), [product(self.settings, NAME)])
        withdraw_product(with_all, environment(self.settings), "wrong")
        lift(self.settings, NAME)
        self.plain.database.unlink()
        self.current, self.now = 0, {}

    @rule(seconds=st.floats(0, 4 if LONG else 1))
    def is_killed(self, seconds):
        before = latest_number(environment(self.settings).store)
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(self.settings.root)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert any(line.startswith("building") for line in process.stdout)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if latest_number(environment(self.settings).store) != before:  # it was faster
            self.plain_builds()

    @invariant()
    def consumers_read_what_plain_dbt_holds(self):
        type(self).steps += 1
        print(f"{self.steps} steps, {len(self.past)} published")  # noqa: T201 - seen with -s
        if self.now:
            assert published(self.settings) == self.now

    @property
    def source(self) -> list[list[object]]:
        return list(self.rows.values())

    def plain_builds(self, *arguments: str) -> None:
        self.now = self.plain.build(self.source, *arguments)
        assert not self.plain.failed
        number = latest_number(environment(self.settings).store)
        self.current, self.past[number] = number, self.now
        shutil.copyfile(self.plain.database, self.copy(number))

    def copy(self, number: int) -> Path:
        return self.plain.root / f"published-{number}.duckdb"


def test_each_kind_of_step_leaves_what_plain_dbt_leaves(tmp_path):
    Books.folder = tmp_path
    books = Books()
    books.the_source_changes([("adds", 1, 1), ("adds", 2, 2)])

    def then(step: Callable[..., None], *given: object) -> None:
        step(*given)
        books.consumers_read_what_plain_dbt_holds()

    then(books.runs, False)
    first = books.current
    books.the_source_changes([("deletes", 1, 0), ("changes", 2, 3), ("adds", 3, 1)])
    then(books.is_killed, 0.5)
    then(books.runs, False)
    then(books.is_refused, False)
    books.the_source_changes([("adds", 1, 1), ("deletes", 2, 0)])
    then(books.goes_back, first)
    then(books.runs, False)
    then(books.runs, True)
    assert {name for name, rows in books.now.items() if rows} == set(PORTS)
    books.teardown()


@pytest.mark.takes_long
@pytest.mark.timeout(8 * 3600)
def test_any_order_of_steps_leaves_what_plain_dbt_leaves(tmp_path):
    Books.folder = tmp_path
    run_state_machine_as_test(
        Books,
        settings=profile(
            max_examples=40,
            stateful_step_count=15,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
