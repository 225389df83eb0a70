"""`kill -9` at any instant of a run: readers never notice, and the next run just works."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest
import run_processes
from helpers import a_product, a_source, environment, read, run, write_workspace

from dataops_mesh.ledger import known_candidates, last_release, open_ledger
from dataops_mesh.run.record import product_history
from dataops_mesh.settings import Settings
from dataops_mesh.store.collect import collect
from dataops_mesh.store.manifest import MANIFEST, PUBLISH, pending_refs, read_manifest
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.release import latest_number, read_release
from dataops_mesh.store.store import Store

# A killed process cannot be used again, and its imports cost seconds: they are done once.
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(
    ["dataops_mesh.quality.session", "dataops_mesh.run.product", "dataops_mesh.ledger.schema"]
)
KILLS = int(os.environ.get("MESH_KILLS", "24"))
# A busy machine gets fewer kills, and not a longer suite.
FEWEST, SECONDS = 6, 120 if KILLS < 100 else float("inf")
BOTH = (
    "select min(l.at), max(l.at), min(r.at), max(r.at), count(*)"
    " from shop.left as l, shop.right as r"
)
MOMENT = "{name: at, logicalType: number, required: true}"
TRANSFORM = (
    "import time, pyarrow as pa\n"
    "def transform(rows):\n"
    "    table = pa.table({'at': [time.time()] * 3})\n"
    "    return {'left': table, 'right': table}\n"
)


def shop(root: Path) -> Settings:
    files = a_product(
        {"left": [MOMENT], "right": [MOMENT]},
        inputs=[a_source("rows", "rows.csv")],
        files={"transform.py": TRANSFORM, "rows.csv": "n\n1\n"},
    )
    return write_workspace(root, {"shop": {"both": files}})


class Reader(threading.Thread):
    """Asks both ports all the time."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(daemon=True)
        self.settings, self.reads, self.wrong = settings, 0, list[str]()
        self.stop = threading.Event()

    def run(self) -> None:
        last = 0.0
        while not self.stop.wait(0.02):
            try:
                ((*moments, rows),) = read(self.settings, BOTH)
            except Exception as error:  # noqa: BLE001 - every failure of a reader is counted
                self.wrong.append(repr(error))
                continue
            self.reads += 1
            if len(set(moments)) != 1 or rows != 9 or moments[0] < last:
                self.wrong.append(f"torn or backward: {moments}, {rows} rows")
            last = moments[0]


def kill_one(root: Path) -> None:
    """Start a process that publishes for ever, and kill it at a random instant of a run."""
    started = root / f"started-{uuid.uuid4().hex}"
    arguments = (str(root), "shop.both", str(started))
    process = FORKSERVER.Process(target=run_processes.run_for_ever, args=arguments, daemon=True)
    process.start()
    until = time.monotonic() + 240
    while not started.exists():
        assert time.monotonic() < until, "it never began"
        time.sleep(0.005)
    time.sleep(random.uniform(0, 0.8))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    assert process.exitcode == -signal.SIGKILL, "it did not run until it was killed"


@pytest.mark.timeout(900)
def test_killed_at_any_instant_a_run_tears_nothing_and_blocks_nothing(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    store = environment(settings).store
    assert run(settings, "shop.both").published
    reader = Reader(settings)
    reader.start()
    stages: Counter[str] = Counter()
    kills, until = 0, time.monotonic() + SECONDS
    while kills < KILLS and (kills < FEWEST or time.monotonic() < until):
        kill_one(tmp_path)
        kills += 1
        stages.update(what_was_cut(store))
        report = run(settings, "shop.both")
        assert report.published, report.decision
        assert report.notes == ()
        assert pending_refs(store) == ()
    reader.stop.set()
    reader.join()
    print(  # noqa: T201 - measured figures, seen with -s
        f"{kills} kills, {reader.reads} reads, {latest_number(store)} publications; cut: {stages}"
    )
    assert reader.wrong == []
    assert reader.reads > kills
    assert_recorded(settings)
    assert_only_the_published_survives_collection(settings)


def what_was_cut(store: Store) -> list[str]:
    """Say in which stage the killed run was, as far as the disk shows it."""
    open_builds = [
        path for path in store.candidates.glob("*/*/*") if not (path / MANIFEST).exists()
    ]
    newest = max(open_builds, default=None)
    found = ["before the commit" if pending_refs(store) else "other"]
    if newest is not None and newest.name > max(all_refs(store)).rpartition("/")[2]:
        found = ["while it was built"]
    return found


def assert_recorded(settings: Settings) -> None:
    place = environment(settings)
    store = place.store
    ledger = open_ledger(place.ledger_url)
    try:
        assert last_release(ledger) == latest_number(store)
        assert known_candidates(ledger) == frozenset(all_refs(store))
    finally:
        ledger.close()
    events = product_history(place, "shop.both", 10_000)
    published = {event.publication for event in events if event.publication}
    assert published == set(range(1, latest_number(store) + 1))
    for number in published:
        for entry in read_release(store, number).ports.values():
            manifest = read_manifest(store, entry.candidate)
            assert manifest.verdict == PUBLISH
            assert len(manifest.results) == manifest.checks_declared


def assert_only_the_published_survives_collection(settings: Settings) -> None:
    store = environment(settings).store
    collect(store, keep_releases=1, grace_seconds=0)
    assert list(store.scratch.iterdir()) == []
    assert list(store.pins.iterdir()) == []
    assert len(list(store.candidates.glob("*/*/*"))) == 1
    assert read(settings, BOTH)[0][4] == 9
    assert run(settings, "shop.both").published
