"""Kills, second writers, forks and files that go away lose no event and damage no file."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from event_log_writer import ROUND, events, write
from event_logs import sound

from dataops_mesh.factory.eventlog.connections import KEPT
from dataops_mesh.factory.eventlog.storage import KeptEventLogStorage

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
KILLS = 200 if LONG else 10


def writer(*words: object) -> subprocess.Popen:
    file = Path(__file__).with_name("event_log_writer.py")
    return subprocess.Popen([sys.executable, str(file), *map(str, words)])


def rows(folder: Path, query: str) -> list[tuple]:
    con = sqlite3.connect(folder / "index.db")
    found = con.execute(query).fetchall()
    con.close()
    return found


def noted(folder: Path) -> dict[str, int]:
    """Return how many events of each run were stored, as the writers noted."""
    found: dict[str, int] = {}
    for file in folder.glob("*.noted"):
        for line in file.read_text().splitlines():
            run, _ = line.split()
            found[run] = found.get(run, 0) + 1
    return found


def assert_all_there(folder: Path) -> None:
    """Compare what was noted with the files, as Dagster's own class reads them."""
    assert sound(folder)
    log = SqliteEventLogStorage(str(folder))
    stored = {run: log.get_records_for_run(run).records for run in noted(folder)}
    for run, number in noted(folder).items():
        assert len(stored[run]) in {number, number + 1}  # the last one may be stored and not noted
    mirrored = dict(rows(folder, "SELECT run_id, count(*) FROM event_logs GROUP BY 1"))
    for run, number in noted(folder).items():
        assert mirrored.get(run, 0) in {
            number,
            number + 1,
        }  # every kind that is written is mirrored
    results = dict(
        rows(
            folder,
            "SELECT run_id, count(*) FROM asset_check_executions"
            " WHERE execution_status = 'SUCCEEDED' GROUP BY 1",
        )
    )
    for run, number in noted(folder).items():
        assert results.get(run, 0) >= min(max(number - 8, 0), 3)


def whole(folder: Path) -> bool:
    """Tell whether no event is in the index without what belongs to it."""
    (lost,) = rows(
        folder,
        "SELECT count(*) FROM event_logs e WHERE dagster_event_type LIKE 'ASSET_CHECK%' AND NOT"
        " EXISTS (SELECT 1 FROM asset_check_executions x WHERE x.run_id = e.run_id)",
    )
    return lost == (0,)


@pytest.mark.timeout(300 if not LONG else 1200)
def test_a_kill_loses_a_stored_event_or_damages_a_file(tmp_path):
    seed = random.randrange(10**6)
    assert writer("kill", tmp_path, KILLS, seed).wait(1000) == 0, f"seed {seed}"
    folders = [folder for folder in tmp_path.iterdir() if (folder / "index.db").exists()]
    assert sum(len(noted(folder)) for folder in folders) > 0
    for folder in folders:
        assert_all_there(folder)
        assert whole(folder)
        write(str(folder), "after", range(1))
        assert noted(folder)["after-0"] == ROUND
        assert_all_there(folder)


@pytest.mark.parametrize("other", ["kept", "default"])
def test_two_writers_lose_each_others_events(tmp_path, other):
    runs = 4
    both = [writer("write", tmp_path, "one", runs), writer("write", tmp_path, "two", runs, other)]
    assert [process.wait(200) for process in both] == [0, 0]
    assert len(noted(tmp_path)) == 2 * runs
    assert_all_there(tmp_path)
    (last,) = rows(tmp_path, "SELECT count(*) FROM event_logs WHERE asset_key LIKE '%shared%'")
    assert last == (4 * 2 * runs,)
    assert len(rows(tmp_path, "SELECT 1 FROM asset_keys WHERE asset_key LIKE '%shared%'")) == 1


def test_a_forked_child_uses_its_parents_connection(tmp_path):
    log = KeptEventLogStorage(str(tmp_path))
    first, *rest = events("parent", 0)
    log.store_event(first)
    child = os.fork()
    if child == 0:
        for event in events("child", 0):
            log.store_event(event)
        os._exit(0)
    for event in rest:
        log.store_event(event)
    assert os.waitpid(child, 0)[1] == 0
    assert sound(tmp_path)
    assert {len(log.get_records_for_run(f"{n}-0").records) for n in ("parent", "child")} == {ROUND}
    log.dispose()


def test_a_deleted_file_is_written_on(tmp_path):
    log = KeptEventLogStorage(str(tmp_path))
    first, second, *_ = events("run", 0)
    log.store_event(first)
    SqliteEventLogStorage(str(tmp_path)).wipe()
    log.store_event(second)
    assert len(SqliteEventLogStorage(str(tmp_path)).get_records_for_run("run-0").records) == 1
    log.dispose()


def test_a_look_that_was_not_read_to_its_end_keeps_an_old_picture(tmp_path):
    log = KeptEventLogStorage(str(tmp_path))
    write(str(tmp_path), "before", range(1))
    count = "SELECT count(*) FROM event_logs"
    with log.index_connection() as conn:
        half_read = conn.exec_driver_sql("SELECT * FROM event_logs")
        assert half_read.fetchone()
    write(str(tmp_path), "after", range(1))
    with log.index_connection() as conn:
        assert conn.exec_driver_sql(count).scalar_one() == 2 * ROUND
    log.dispose()


def test_connections_pile_up(tmp_path):
    log = KeptEventLogStorage(str(tmp_path))
    for run in range(3 * KEPT):
        log.store_event(next(events("run", run)))
    names = [str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.exists()]
    assert sum(n.startswith(str(tmp_path)) and n.endswith(".db") for n in names) <= KEPT
    log.dispose()
    assert not list(tmp_path.glob("*-wal"))


def test_somebody_who_watches_a_run_sees_nothing_before_it_ends(tmp_path):
    log, reader = KeptEventLogStorage(str(tmp_path)), KeptEventLogStorage(str(tmp_path))
    first, *rest = events("run", 0)
    log.store_event(first)
    seen, all_seen = [], threading.Event()

    def look(event, cursor):
        seen.append(event)
        if len(seen) == ROUND:
            all_seen.set()

    reader.watch("run-0", None, look)
    for event in rest:
        log.store_event(event)
    assert all_seen.wait(30), len(seen)
    reader.end_watch("run-0", look)
    reader.dispose()
    log.dispose()
