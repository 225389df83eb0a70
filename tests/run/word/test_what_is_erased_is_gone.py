"""Erasing: who reads is waited for, a crash is finished by whoever comes next, others stay."""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import suppress

import pytest
from erase_cases import BOTH, NAME, WHY, A, B, C, a_mesh, erase_it, left, publish_partition
from store_helpers import OURS, WHO, Crash, built, crashing, publish

from dataops_mesh.engine.read import connect
from dataops_mesh.errors import MeshError, NotPublishedError, StoreError, UnknownNameError
from dataops_mesh.ledger import operations
from dataops_mesh.run.record import open_ledger_of
from dataops_mesh.run.word.erase import ERASE, Forgot, erase, finish_removals
from dataops_mesh.run.word.erasing import erasing, require_partition
from dataops_mesh.run.word.withdraw import Taking
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files
from dataops_mesh.store.collect import collect
from dataops_mesh.store.holding import Asked, lift
from dataops_mesh.store.log import entries_of, latest, read_release
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.release import ROLLBACK, commit, rollback
from dataops_mesh.store.removing.removal import is_done, removals
from dataops_mesh.store.removing.withdrawal import withdraw
from dataops_mesh.store.retention import Retention
from dataops_mesh.watch.health import examine

SAID = Asked("ana", WHY, OURS)
STEP = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 6
DAILY = Address("fleet", "daily")


@pytest.fixture
def place(tmp_path):
    return a_mesh(tmp_path)


def nothing(_):
    return Forgot()


def values(place, address, release=None):
    with connect(place.store.root, release) as published:
        return {row[0] for row in published.execute(f"from {address}").fetchall()}


def test_all_versions_go_refused_ones_too_and_nothing_else(place):
    before = left(place)
    kept = left(place, "routes")
    told = []
    done = erase_it(place, traces=told)
    assert set(done.candidates) == before
    assert (left(place), left(place, "routes")) == (set(), kept)
    assert told[0].candidates == before
    assert values(place, C) == {2}
    assert values(place, C, 2) == {1}
    for address in BOTH:
        with connect(place.store.root, 1) as old, pytest.raises(NotPublishedError) as caught:
            old.execute(f"from {address}")
        assert "was erased by ana on " in str(caught.value)
        assert WHY in str(caught.value)
    for ref in before:
        after = read_manifest(place.store, ref)
        assert after.removed == done.release.number
        assert [port.files for port in after.ports] == [(), ()]
        assert {port.rows for port in after.ports} == {3}
        assert after.results
    assert before <= set(all_refs(place.store))
    looked = examine(place.store, everything=True)
    assert (looked.damage, looked.removed) == ((), 2)


def test_a_reader_is_waited_for_and_reads_on(place):
    told, done = [], []
    with connect(place.store.root, 1) as reading:
        eraser = threading.Thread(target=lambda: done.append(erase_it(place, told=told)))
        eraser.start()
        until = time.monotonic() + 20
        while not told:
            assert time.monotonic() < until
            time.sleep(0.01)
        assert f"waiting for process {os.getpid()} of " in told[0]
        assert reading.execute("from fleet.aircraft").fetchall() == [(1,)] * 3
        with pytest.raises(NotPublishedError), connect(place.store.root, 1) as late:
            late.execute("from fleet.aircraft")
        assert left(place)
    eraser.join(20)
    assert done[0].cut_off == ()
    assert left(place) == set()


def test_who_is_not_waited_for_is_named(place):
    with connect(place.store.root):
        done = erase_it(place, wait=False)
        assert len(done.cut_off) == 1
        assert f"process {os.getpid()} of " in done.cut_off[0]
        assert left(place) == set()
        assert finish_removals(place, nothing) == ()
    (removal,) = removals(place.store)
    assert is_done(place.store, removal)


def test_a_build_that_is_cut_off_leaves_nothing_either(place):
    with pinned(place.store), building(place.store, "fleet/aircraft/slow") as folder:
        (folder / "part-0.parquet").write_bytes(b"rows")
        done = erase_it(place, wait=False)
        assert f"process {os.getpid()} of " in done.cut_off[0]
        assert "still builds fleet.aircraft" in done.notes[0]
        assert "is not deleted yet" in finish_removals(place, nothing)[0]
    finish_removals(place, nothing)
    assert left(place) == set()
    assert finish_removals(place, nothing) == ()


def test_a_build_in_flight_publishes_nothing_and_leaves_nothing(place):
    with built(place.store, 3) as (base, slow):
        erase_it(place, wait=False)
        with pytest.raises((MeshError, StoreError)):
            commit(place.store, base, entries_of(slow), **WHO)
        with pytest.raises((MeshError, StoreError)):
            commit(place.store, base, entries_of(slow), kind=ROLLBACK, **WHO)
    finish_removals(place, nothing)
    assert left(place) == set()
    assert A not in latest(place.store).ports


def test_a_slow_build_that_ends_after_a_lift_is_erased_by_the_next_collection(place):
    with built(place.store, 3) as (base, slow):
        path = place.store.candidates / slow.candidate
        shutil.copytree(path, place.store.root.parent / "slow")
        erase_it(place, wait=False)
        lift(place.store, NAME, BOTH, SAID)
        shutil.copytree(place.store.root.parent / "slow", path, dirs_exist_ok=True)
        with pytest.raises(StoreError, match="was erased by ana"):
            commit(place.store, base, entries_of(slow), **WHO)
    assert left(place) == {slow.candidate}
    publish(place.store, 4)
    assert "1 candidates were deleted" in finish_removals(place, nothing)[0]
    assert left(place) == {latest(place.store).ports[A].candidate}
    assert values(place, A) == {4}


@pytest.mark.parametrize("noted", [False, True])
def test_a_rollback_that_began_before_does_not_bring_it_back(place, noted):
    old = read_release(place.store, 1)
    changes = {address: old.ports[address] for address in BOTH}
    withdraw(place.store, NAME, BOTH, SAID, erase="product")
    if noted:
        finish_removals(place, nothing)
    with pytest.raises(StoreError, match="was erased by ana"):
        commit(place.store, old, changes, kind=ROLLBACK, whole=True, **WHO)


def test_one_port_goes_and_the_other_is_read_on(place):
    before = left(place)
    erase_it(place, (A,), whole=False)
    assert A not in latest(place.store).ports
    assert values(place, B) == {2}
    assert values(place, B, 1) == {1}
    assert not list(place.store.candidates.glob("fleet/aircraft/*/aircraft"))
    assert all((place.store.candidates / ref / "engines").is_dir() for ref in before)
    assert examine(place.store, everything=True).damage == ()
    with pytest.raises(MeshError, match="was erased by ana"):
        rollback(place.store, (B,), 1, **WHO)
    erase_it(place, BOTH)
    assert left(place) == set()
    assert values(place, C) == {2}


def test_one_partition_goes_and_the_others_stay(place):
    first = publish_partition(place, "mon", 1).number
    publish_partition(place, "tue", 2)
    publish_partition(place, "mon", 3)
    assert values(place, DAILY) == {2, 3}
    done = erase_it(place, (DAILY,), "fleet.daily", "mon")
    assert len(done.candidates) == 2
    assert values(place, DAILY) == {2}
    with connect(place.store.root, first + 1) as old, pytest.raises(StoreError) as caught:
        old.execute("from fleet.daily")
    assert "partition mon of fleet.daily was erased by ana" in str(caught.value)
    publish_partition(place, "tue", 4)
    back = rollback(place.store, (DAILY,), first + 1, partition="tue", **WHO)
    assert [part.key for part in back.ports[DAILY].parts] == ["tue"]
    for key in ("mon", ""):
        with pytest.raises(UnknownNameError, match="was erased by ana"):
            rollback(place.store, (DAILY,), first + 1, partition=key, **WHO)
    assert values(place, DAILY) == {2}


def test_what_retention_deleted_before_is_forgotten_elsewhere_too(place):
    erase_it(place, (C,), "fleet.routes")  # on record are all candidates now
    old = read_release(place.store, 1).ports[A].candidate
    collect(place.store, keep_releases=1, grace_seconds=0, retention=Retention(1))
    assert old not in left(place)
    told = []
    erase_it(place, traces=told)
    assert old in told[0].candidates


def test_killed_between_any_two_effects_it_is_finished_by_the_next(tmp_path):
    after = ended = 0
    while not ended:
        (tmp_path / str(after)).mkdir()
        place = a_mesh(tmp_path / str(after))
        newest = latest(place.store)
        with suppress(Crash), crashing(files, after):
            erase_it(place)
            ended = 1
        asked = latest(place.store) != newest
        with open_ledger_of(place) as ledger:
            on_record = operations(ledger, named=ERASE)
        assert on_record or not asked, "on record before it takes effect"
        finish_removals(place, nothing)
        if asked:
            assert left(place) == set()
            assert all(is_done(place.store, one) for one in removals(place.store))
            assert A not in latest(place.store).ports
        else:
            assert values(place, A) == {2}
        assert values(place, C) == {2}
        assert examine(place.store, everything=True).damage == ()
        after += STEP
    assert after > 30


def test_what_others_could_not_forget_is_asked_of_them_again(place):
    what = Taking(NAME, BOTH, ())
    busy = Forgot(("somebody reads it",), again=True)
    done = erase(what, place, WHY, whole=True, wait=True, forget=lambda _: busy, tell=print)
    assert done.notes == ("somebody reads it",)
    asked = []
    assert finish_removals(place, lambda traces: asked.append(traces) or Forgot())
    assert len(asked) == 1
    assert finish_removals(place, lambda traces: asked.append(traces) or Forgot()) == ()
    assert len(asked) == 1


def test_what_the_store_never_had_is_not_erased(place):
    publish_partition(place, "mon", 1)
    assert erasing("fleet.aircraft", place, ()) == (Taking(NAME, BOTH, ()), True)
    assert erasing("fleet.engines", place, ()) == (Taking(NAME, (B,), ()), False)
    daily, _ = erasing("fleet.daily", place, ())
    assert require_partition(daily, place, "mon") == ()
    with pytest.raises(UnknownNameError, match='never built a partition "tue"'):
        require_partition(daily, place, "tue")
    with pytest.raises(UnknownNameError, match="the store has nothing"):
        erasing("fleet.nothing", place, ())
    erase_it(place)
    assert erasing("fleet.aircraft", place, ())[0].addresses == BOTH, "it can be said again"
