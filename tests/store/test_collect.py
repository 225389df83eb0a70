"""Nothing that anybody can reach is deleted, and nothing else stays."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress

import pytest
from store_helpers import WHO, A, B, Crash, built, crashing, publish, snapshot

from dataops_mesh.errors import CorruptError
from dataops_mesh.run.kept import kept_in
from dataops_mesh.settings import Settings
from dataops_mesh.store import files, locks
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import GoneError, as_it_was, latest, numbers
from dataops_mesh.store.manifest import folder, mark_recorded
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.release import history, rollback
from dataops_mesh.store.scratch import scratch_folder
from dataops_mesh.store.store import open_store
from dataops_mesh.store.tree.blobs import forget, path_of
from dataops_mesh.store.verify import verify


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def now(store, **more: object):
    return collect(store, **{"keep_releases": 1, "grace_seconds": 0} | more)


def age(path, seconds):
    os.utime(path, (time.time() - seconds, time.time() - seconds))


def test_the_latest_release_is_never_deleted(store):
    for generation in (1, 2, 3):
        publish(store, generation)
    found = now(store, keep_releases=0)
    assert found.releases == (1, 2)
    assert len(found.candidates) == 2
    assert found.bytes > 0
    assert set(all_refs(store)) == set(snapshot(store).values())
    verify(store, snapshot(store)[A])


def test_a_candidate_that_a_retained_release_names_stays(store):
    for generation in (1, 2, 3):
        publish(store, generation)
    rollback(store, (A, B), 1, **WHO)
    found = now(store)
    assert found.releases == (1, 2, 3)
    assert snapshot(store)[A] in set(all_refs(store))
    assert len(found.candidates) == 2


def test_a_pinned_release_stays_readable(store):
    old = publish(store, 1)
    with pinned(store):
        publish(store, 2)
        assert now(store).candidates == ()
        verify(store, old.ports[A].candidate)
        assert now(store).candidates == ()
    assert now(store).candidates == (old.ports[A].candidate,)


def test_a_release_superseded_a_moment_ago_stays_for_those_who_cannot_pin(store):
    old = publish(store, 1)
    age(folder(store, old.ports[A].candidate), 10_000)
    age(store.releases / "00000001.json", 10_000)
    publish(store, 2)
    assert now(store, grace_seconds=60).candidates == ()
    age(store.releases / "00000002.json", 100)
    assert now(store, grace_seconds=60).candidates == (old.ports[A].candidate,)


def test_a_clock_that_went_backwards_deletes_nothing(store):
    publish(store, 1)
    publish(store, 2)
    for path in (*store.releases.iterdir(), *store.candidates.glob("*/*/*")):
        age(path, -10_000)
    found = now(store)
    assert (found.releases, found.candidates) == ((), ())


def test_a_dry_run_deletes_nothing_and_says_the_same(store):
    for generation in (1, 2):
        publish(store, generation)
    planned = now(store, dry_run=True)
    assert len(list(all_refs(store))) == 2
    assert now(store) == planned
    assert now(store).candidates == ()


def test_a_refusal_is_on_record_before_its_candidate_goes(store):
    publish(store, 1)
    with built(store, 2, verdict="refuse") as (_, manifest):
        assert now(store).unrecorded == ()
    assert now(store).unrecorded == (manifest.candidate,)
    mark_recorded(store, manifest.candidate)
    assert now(store).candidates == (manifest.candidate,)


def test_what_a_closed_release_did_stays_on_record(store):
    for generation in (1, 2, 3):
        publish(store, generation)
    assert now(store).releases == (1, 2)
    assert numbers(store) == [3]
    assert [as_it_was(store, n).switches[0].fingerprint for n in (1, 2, 3)] == ["1", "2", "3"]


def test_a_running_build_is_no_leftover(store):
    with built(store, 1) as (_, manifest):
        age(folder(store, manifest.candidate), 10_000)
        mark_recorded(store, manifest.candidate)
        assert now(store).candidates == ()
        assert folder(store, manifest.candidate).exists()
    assert now(store).candidates == (manifest.candidate,)


def test_the_announcement_of_a_candidate_that_never_came_is_a_leftover(store):
    publish(store, 1)
    (store.pending / "fleet~aircraft~20130101T000000Z-dead").write_text("")
    with building(store, "fleet/aircraft/20130101T000000Z-born"):
        (store.pending / "fleet~aircraft~20130101T000000Z-born").write_text("")
        assert now(store).leftovers == ("pending/fleet~aircraft~20130101T000000Z-dead",)
        assert len(list(store.pending.iterdir())) == 1


def test_the_scratch_folder_of_a_living_session_is_no_leftover(store):
    with scratch_folder(store) as own:
        assert now(store).leftovers == ()
        assert own.is_dir()
    (store.scratch / "dead").mkdir()
    (store.scratch / "dead" / "spill").write_text("x")
    (store.scratch / f"gone{locks.SUFFIX}").write_text("")
    (store.releases / ".tmp-dead").write_text("x")
    assert len(now(store).leftovers) == 3
    assert list(store.scratch.iterdir()) == []
    assert now(store).leftovers == ()


def test_a_collection_that_crashed_is_finished_by_the_next(store):
    for after in range(12):
        for generation in (1, 2, 3):
            publish(store, generation)
        kept = snapshot(store)
        with crashing(files, after), suppress(Crash):
            now(store)
        now(store)
        assert set(all_refs(store)) == set(kept.values())
        assert len(numbers(store)) == 1
        verify(store, kept[B])


def test_after_a_collection_publishing_and_history_go_on(store):
    for generation in range(1, 6):
        publish(store, generation)
    now(store, keep_releases=2)
    assert publish(store, 6).number == 6
    assert [one.number for one in history(store, A)] == [6, 5, 4]


@pytest.mark.parametrize("damage", ["missing", "flipped"])
def test_a_damaged_file_is_found_and_named(store, damage):
    ref = publish(store, 1).ports[A].candidate
    assert verify(store, ref) > 0
    path = folder(store, ref) / "engines" / "part-0.parquet"
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage == "flipped":
        data[20] ^= 1
        path.write_bytes(data)
    with pytest.raises(CorruptError, match=r"engines.part-0\.parquet of fleet\.engines"):
        verify(store, ref)


def test_a_missing_blob_stops_a_collection_and_nothing_is_deleted(store):
    for generation in (1, 2, 3):
        publish(store, generation)
    node = next(iter(latest(store).ports.nodes.items()))
    path_of(store.root, node).unlink()
    forget(store)
    kept = set(all_refs(store))
    with pytest.raises(GoneError, match="mesh store verify"):
        now(store)
    assert set(all_refs(store)) == kept


def test_a_reader_that_pinned_a_moment_too_late_stops_no_collection(store):
    publish(store, 1)
    nodes = dict(latest(store).ports.nodes)
    publish(store, 2)
    now(store)
    forget(store)
    lock = store.pins / f"late{locks.SUFFIX}"
    with locks.alive(lock):
        note = {"who": "late", "release": 1, "nodes": nodes, "whole": True}
        lock.with_suffix(".json").write_text(json.dumps(note))
        publish(store, 3)
        assert now(store).releases == (2,)
    lock.with_suffix(".json").unlink()


def test_declarations_that_nobody_loads_any_more_leave_the_cache(store):
    kept, old = (store.cache / f"declared-{name}.json" for name in ("kept", "old"))
    for path in (kept, old):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    found = collect(store, keep_releases=1, grace_seconds=600)
    assert found.leftovers == ("cache/declared-old.json",)
    assert kept.exists()
    assert not old.exists()


def test_a_declaration_that_is_used_is_touched_once_a_day(tmp_path):
    kept = kept_in(Settings(root=tmp_path, store=tmp_path / "store"), tmp_path)
    open_store(tmp_path / "store")
    kept.write("declared-x.json", b"x")
    path = tmp_path / "store" / "cache" / "declared-x.json"
    fresh = path.stat().st_mtime_ns
    assert kept.read("declared-x.json") == b"x"
    assert path.stat().st_mtime_ns == fresh
    os.utime(path, (1, 1))
    assert kept.read("declared-x.json") == b"x"
    assert path.stat().st_mtime > 1
