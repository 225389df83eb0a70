"""Whatever happens, in any order, by several at once or by a kill: no row is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from own_cases import ID, MERGE, SELF, WORD, csv, deliver, log, run_full

from dataops_mesh.errors import UnknownNameError
from dataops_mesh.run.word.hold import hold_product
from tests.helpers import (
    a_product,
    environment,
    lift,
    product,
    read,
    roll_back,
    run,
    write_workspace,
)

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
COUNTER = a_product(
    {"counter": ["{name: id, logicalType: integer, primaryKey: true}"]},
    inputs=[SELF],
    files={
        "counter.sql": "select id from self union all select coalesce(max(id), 0) + 1 from self"
    },
)
PROCESS = str(Path(__file__).with_name("own_processes.py"))
ROWS = st.dictionaries(
    st.integers(0, 5), st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=3
)


class Products(RuleBasedStateMachine):
    """One product that appends and one that merges, beside a model in plain Python."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        root = self.folder / str(len(list(self.folder.iterdir())))
        root.mkdir()
        key = "{name: id, logicalType: integer, primaryKey: true}"
        self.settings = write_workspace(
            root, {"shop": {"log": log(columns=(ID, WORD), rows=csv((1, "a"))), "last": _last(key)}}
        )
        self.source: dict[int, str] = {1: "a"}
        self.past = {name: [] for name in ("log", "last")}
        self.held: set[str] = set()

    @rule(rows=ROWS)
    def the_source_changes(self, rows):
        self.source = rows
        deliver(self.settings, *rows.items())
        text = (self.settings.domains_folder / "shop/log/incoming.csv").read_text()
        (self.settings.domains_folder / "shop/last/incoming.csv").write_text(text)

    @rule(name=st.sampled_from(["log", "last"]), full=st.booleans())
    def runs(self, name, full):
        wanted = self.after(name, [] if full else self.now(name))
        good = all(word for _, word in wanted) and name not in self.held
        if full:
            report = run_full(self.settings, f"shop.{name}")
        else:
            report = run(self.settings, f"shop.{name}")
        assert report.published is good, report.decision
        if good:
            self.past[name].append(wanted)

    @precondition(lambda self: any(len(past) > 1 for past in self.past.values()))
    @rule(data=st.data())
    def is_rolled_back(self, data):
        able = sorted(name for name, past in self.past.items() if len(past) > 1)
        name = data.draw(st.sampled_from(able))
        try:
            roll_back(self.settings, f"shop.{name}")
        except UnknownNameError:  # there is nothing before
            return
        now = sorted(read(self.settings, f"select id, word from shop.{name}"))
        assert now in self.past[name]
        self.past[name].append(now)
        self.held.add(name)

    @rule(name=st.sampled_from(["log", "last"]))
    def is_held(self, name):
        if self.past[name] and name not in self.held:
            hold_product(product(self.settings, f"shop.{name}"), environment(self.settings), "wait")
            self.held.add(name)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def is_lifted(self, data):
        name = data.draw(st.sampled_from(sorted(self.held)))
        lift(self.settings, f"shop.{name}")
        self.held.discard(name)

    @invariant()
    def consumers_read_what_the_model_says(self):
        for name, past in self.past.items():
            if past:
                found = sorted(read(self.settings, f"select id, word from shop.{name}"))
                assert found == past[-1], name

    def now(self, name):
        return self.past[name][-1] if self.past[name] else []

    def after(self, name, before):
        new = [(key, word) for key, word in self.source.items()]
        if name == "log":
            return sorted([*before, *new])
        return sorted({**dict(before), **self.source}.items())


def _last(key: str) -> dict[str, str | bytes]:
    files = log(sql=MERGE, columns=(key, WORD), rows="id,word\n1,a\n")
    return {n.replace("log.", "last."): _renamed(text) for n, text in files.items()}


def _renamed(text: str | bytes) -> str | bytes:
    return (
        text.replace(":log", ":last").replace("name: log", "name: last")
        if isinstance(text, str)
        else text
    )


def test_any_order_of_runs_refusals_rollbacks_and_holds(tmp_path):
    from hypothesis.stateful import run_state_machine_as_test

    Products.folder = tmp_path
    run_state_machine_as_test(
        Products,
        settings=profile(
            max_examples=25 if LONG else 3,
            stateful_step_count=20 if LONG else 10,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            derandomize=not LONG,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def counter(tmp_path):
    return write_workspace(tmp_path, {"shop": {"counter": COUNTER}})


def start(root: Path, times: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, PROCESS, str(root), str(times)], stdout=subprocess.PIPE, text=True
    )


def numbers(settings) -> list[int]:
    return [one for (one,) in read(settings, "select id from shop.counter order by id")]


def test_two_processes_at_once_overwrite_nothing(counter, tmp_path):
    both = [start(tmp_path, 4) for _ in range(2)]
    said = [int(line) for one in both for line in one.communicate(timeout=200)[0].split()]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted(said) == list(range(1, 9))
    assert numbers(counter) == list(range(1, 9))  # one more for each publication


def test_what_is_killed_leaves_what_was_published(counter, tmp_path):
    chance = random.Random(19)
    for _ in range(6 if LONG else 2):
        process = start(tmp_path, 0)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = numbers(counter)
        assert found == list(range(1, len(found) + 1))
        assert run(counter, "shop.counter").published
        assert numbers(counter) == [*found, len(found) + 1]
