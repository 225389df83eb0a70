"""People's words and runs, killed or cancelled at any instant: nothing is lost, nothing comes late."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from helpers import a_product, a_source, environment, read, write_product, write_workspace
from word_processes import NAME, act_for_ever, run_it

from dataops_mesh.run.process.client import start_gate, stop_gate
from dataops_mesh.run.word.erase import Forgot, finish_removals
from dataops_mesh.run.word.hold import lift_hold
from dataops_mesh.store.log import latest, latest_number, read_release
from dataops_mesh.store.manifest import is_written, read_manifest
from dataops_mesh.store.removing.removal import is_done, removals
from dataops_mesh.watch.health import examine

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
TIMES = 300 if LONG else 3
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(["word_processes", "dataops_mesh.ledger.schema"])
ENDED = {signal.SIGKILL: -signal.SIGKILL, signal.SIGINT: 130, signal.SIGTERM: 130}


def orders(number: int) -> dict[str, str | bytes]:
    return a_product(
        {"orders": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[a_source("rows", "rows.csv")],
        files={"orders.sql": "select id from rows", "rows.csv": f"id\n{number}\n"},
    )


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(one or str(Path.cwd()) for one in sys.path))
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(0)}})
    path = start_gate(settings)
    yield settings.model_copy(update={"gate": path})
    stop_gate()


def cut_off(settings, number: int, seed: int) -> list[list[str]]:
    """Let a process act and end it by a signal; return its journal."""
    journal = settings.root / f"journal-{seed}"
    arguments = (str(settings.root), str(settings.gate), str(journal), seed)
    process = FORKSERVER.Process(target=act_for_ever, args=arguments, daemon=True)
    process.start()
    until = time.monotonic() + 120
    while not journal.exists() or not journal.read_text("utf-8"):
        assert time.monotonic() < until, "it never began"
        time.sleep(0.005)
    time.sleep(random.Random(seed).uniform(0, 1.2))
    while process.exitcode is None:
        assert process.pid is not None
        os.kill(process.pid, number)
        process.join(2)  # DuckDB can swallow an interrupt; who presses Ctrl-C presses it again
    lines = [line.split() for line in journal.read_text("utf-8").splitlines()]
    assert process.exitcode == ENDED[signal.Signals(number)], lines
    return lines


def held_by_hand(store) -> str:
    """Say from the kinds of all releases what is held now; nothing is published while it is."""
    held = ""
    for number in range(1, latest_number(store) + 1):
        kind = read_release(store, number).kind
        if kind == "publication":
            assert not held, f"release {number} was published though held by a {held}"
        elif kind == "lift":
            held = ""
        elif kind != "rollback" or not held:
            held = kind
    return held


def assert_nothing_was_lost(store, lines) -> None:
    for line in lines:
        assert line[0] != "broken", line
        if line[0] == "done" and int(line[2]):
            kind = read_release(store, int(line[2])).kind
            expected = {"run": "publication", "withdraw": "withdrawal", "erase": "withdrawal"}
            assert kind == expected.get(line[1], line[1]), line
    holds = {hold.kind for found in latest(store).holds.values() for hold in found}
    assert holds == ({held_by_hand(store)} - {""})


def assert_erased(place) -> None:
    for removal in removals(place.store):
        assert is_done(place.store, removal)
    last = max(removals(place.store), key=lambda one: one.number, default=None)
    for path in place.store.candidates.glob("shop/orders/*") if last else ():
        ref = path.relative_to(place.store.candidates).as_posix()
        if is_written(place.store, ref):
            assert read_manifest(place.store, ref).base >= last.number, ref
        else:  # of a run that was killed after that
            assert path.name >= last.at.strftime("%Y%m%dT%H%M%SZ"), ref


@pytest.mark.timeout(14_400 if LONG else 300)
def test_nothing_comes_late_nothing_is_lost_and_the_next_run_needs_no_hand(shop: object) -> None:
    place = environment(shop)
    store = place.store
    assert run_it(shop, "first").published
    numbers = [signal.SIGKILL] * TIMES + [signal.SIGINT, signal.SIGTERM] * (TIMES // 2 + TIMES % 2)
    random.Random(5).shuffle(numbers)
    cut: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for seed, number in enumerate(numbers, start=1):
        lines = cut_off(shop, number, seed)
        ended.update([number.name])
        open_ = [line for line in lines if line[0] in {"begin", "done", "refused"}][-1:]
        cut.update(f"{number.name} {line[1]}" for line in open_ if line[0] == "begin")
        newest = latest_number(store)
        if lines[-1][0] == "cancelled":
            assert newest == int(lines[-1][1]), "something was committed after the cancel"
        assert_nothing_was_lost(store, lines)
        finish_removals(place, lambda _: Forgot())
        assert_erased(place)
        if latest(store).holds:
            lift_hold(NAME, place, "on")
            newest += 1
        write_product(Path(shop.root), "shop", "orders", orders(seed))
        report = run_it(shop, f"after-{seed}")
        assert report.published, report.decision
        assert report.notes == ()
        assert report.publication == newest + 1, "something was committed in between"
        assert read(shop, "from shop.orders") == [(seed,)]
        if seed % 20 == 0 or seed == len(numbers):
            assert examine(store).damage == ()
            print(f"{dict(ended)}; {latest_number(store)} releases; cut: {sorted(cut.items())}")  # noqa: T201 - figures, seen with -s
    assert examine(store, everything=True).damage == ()
