"""`kill -9` at any instant is harmless, and several writers do not harm each other."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import duckdb
import mesh_processes
import pytest
from store_helpers import A, B, publish, snapshot

from dataops_mesh.engine.catalog.catalogs import path_of, refresh
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import numbers
from dataops_mesh.store.manifest import mark_recorded, pending_refs
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.release import latest, latest_number, read_release
from dataops_mesh.store.store import open_store
from dataops_mesh.store.verify import verify

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
KILLS = 1_000 if LONG else 50
READERS = 2 if LONG else 1  # of each interface
TIMES = 250 if LONG else 12
# Who publishes what: each pair races for one product.
WRITERS = {"one": "same", "two": "same", "three": "other", "four": "third"} | (
    {"five": "other", "six": "third", "seven": "fourth", "eight": "fourth"} if LONG else {}
)
PATIENCE = 3_600 if LONG else 300


@pytest.fixture(scope="module")
def processes():
    """A server that has everything imported, so that a new process takes milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mesh_processes"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "PYTHONPATH", os.pathsep.join(p or str(Path.cwd()) for p in sys.path)
        )  # for what is preloaded
        yield context


@contextmanager
def readers(processes, store):
    """Read through both interfaces all the time; every read must be whole."""
    stop, answers = processes.Event(), processes.Queue()
    works = (mesh_processes.read_through_connect, mesh_processes.read_through_catalog) * READERS
    running = [
        processes.Process(target=work, args=(str(store.root), stop, answers)) for work in works
    ]
    for process in running:
        process.start()
    found: list[dict] = []
    try:
        yield found
    finally:
        stop.set()
        found += [answers.get(timeout=60) for _ in running]
        for process in running:
            process.join()


@pytest.mark.timeout(PATIENCE)
def test_a_publisher_killed_at_any_instant_harms_nobody(processes, tmp_path):
    store = open_store(tmp_path / "store")
    publish(store, 1)
    refresh(store)
    chance = random.Random(7)
    committed = unfinished = 0
    with readers(processes, store) as found:
        for kill in range(KILLS):
            effects = processes.Value("i", 0, lock=False)
            publisher = processes.Process(
                target=mesh_processes.publish_for_ever, args=(str(store.root), effects)
            )
            known = latest_number(store)
            publisher.start()
            enough = chance.randrange(1, 80)  # one publication with its catalog takes about 40
            while effects.value < enough and publisher.is_alive():
                time.sleep(0.0005)
            time.sleep(chance.uniform(0, 0.003))
            publisher.kill()
            publisher.join()
            assert publisher.exitcode == -signal.SIGKILL
            committed += latest_number(store) > known
            unfinished += bool(list(store.pins.iterdir()))
            before = latest_number(store)
            after = publish(store, before + 1)
            assert (after.number, snapshot(store)[A]) == (before + 1, after.ports[B].candidate)
            refresh(store)
            if kill % 10 == 9:
                collect(store, keep_releases=3, grace_seconds=5)
    # The kills came at every stage: before the switch, after it, and while pins were held.
    assert min(committed, KILLS - committed, unfinished) > KILLS / 10
    print(f"{KILLS} kills, {committed} after the switch; {found}")  # noqa: T201 - seen with -s
    for reader in found:
        assert (reader["torn"], reader["errors"], reader["backward"]) == (0, [], 0)
        assert reader["reads"] > KILLS
    for ref in pending_refs(store):  # what the dead did not put on record
        mark_recorded(store, ref)
    collect(store, keep_releases=1, grace_seconds=0)
    assert set(all_refs(store)) == set(snapshot(store).values())
    assert len(list(store.candidates.glob("*/*/*"))) == 1
    assert len(numbers(store)) == 1
    for folder in (store.scratch, store.pins, store.pending):
        assert list(folder.iterdir()) == []
    assert list(store.root.rglob(".tmp-*")) == []
    assert verify(store, snapshot(store)[A]) > 0


@pytest.mark.timeout(PATIENCE)
def test_several_writers_lose_nothing_and_wait_for_nobody(processes, tmp_path):
    store = open_store(tmp_path / "store")
    publish(store, 0)
    refresh(store)
    with readers(processes, store) as found:
        running = [
            processes.Process(
                target=mesh_processes.publish_times, args=(str(store.root), name, port, TIMES)
            )
            for name, port in WRITERS.items()
        ]
        for process in running:
            process.start()
        for process in running:
            process.join(timeout=PATIENCE / 5)
    assert [process.exitcode for process in running] == [0] * len(WRITERS)
    expected = {f"{name}-{number}" for name in WRITERS for number in range(TIMES)} | {"run"}
    log = [read_release(store, number) for number in range(latest_number(store), 0, -1)]
    print(f"{len(WRITERS)} writers, {len(log)} publications; {found}")  # noqa: T201 - the same
    assert {release.run_id for release in log} == expected
    assert [release.number for release in log] == list(range(len(expected), 0, -1))
    for reader in found:
        assert (reader["torn"], reader["errors"]) == (0, [])
        assert reader["reads"] > 5
    for release in log:
        for name in set(WRITERS.values()):
            refs = {e.candidate for a, e in release.ports.items() if a.port.startswith(name)}
            assert len(refs) <= 1
    refresh(store)
    with duckdb.connect(str(path_of(store, "fleet")), read_only=True) as con:
        shown = con.execute("SELECT number FROM _mesh.release").fetchone()
    assert shown == (latest(store).number,)
