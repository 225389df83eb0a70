"""A product can be rolled back to as many publications as it says, whatever others published."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from store_helpers import T0, WHO, A, B, Crash, build, crashing, publish, snapshot

from dataops_mesh.engine.read import connect
from dataops_mesh.errors import NotPublishedError, StoreError, UnknownNameError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files
from dataops_mesh.store.collect import Collected, collect
from dataops_mesh.store.log import Part, numbers, read_release
from dataops_mesh.store.manifest import mark_recorded, new_ref, read_manifest, write_manifest
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.release import commit, entries_of, history, latest, rollback
from dataops_mesh.store.retention import Retention
from dataops_mesh.store.store import open_store
from dataops_mesh.store.verify import verify

C = Address("fleet", "busy")


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def now(store, keep=3, **more: object) -> Collected:
    return collect(
        store,
        **{"keep_releases": 1, "grace_seconds": 0, "retention": Retention(keep)} | more,  # type: ignore[arg-type] # by keyword
    )


def busy(store, times: int) -> None:
    for generation in range(times):
        publish(store, generation, (C,), "busy")


def quiet_and_busy(store) -> None:
    """Publish a quiet product three times, among many publications of a busy one."""
    for generation in (1, 2, 3):
        publish(store, generation)
        busy(store, 4)


def test_what_others_publish_takes_no_publication_away(store):
    quiet_and_busy(store)
    found = now(store)
    assert numbers(store) == [15]
    assert found.releases == tuple(range(1, 15))
    assert len(list(all_refs(store))) == 6
    assert rollback(store, (A, B), **WHO).ports[A].fingerprint == "2"
    assert rollback(store, (A, B), **WHO).ports[A].fingerprint == "1"
    assert rollback(store, (A, B), 11, **WHO).ports[B].fingerprint == "3"
    for ref in snapshot(store).values():
        verify(store, ref)


def test_a_collection_again_finds_nothing_more(store):
    quiet_and_busy(store)
    now(store)
    again = now(store)
    assert (again.releases, again.gone, again.litter) == ((), (), ())


def test_collecting_after_every_publication_keeps_as_much(store):
    for generation in range(1, 8):
        publish(store, generation)
        now(store)
        busy(store, 2)
        now(store)
    assert [one.number for one in history(store, A)] == [19, 16, 13]
    assert [one.number for one in history(store, C)] == [21, 20, 18]
    assert rollback(store, (A, B), 13, **WHO).ports[A].fingerprint == "5"


def test_what_goes_is_named_and_what_is_left_can_be_chosen(store):
    for generation in range(1, 6):
        publish(store, generation)
    busy(store, 1)
    now(store, keep=2)
    with pytest.raises(
        UnknownNameError, match=r"fleet\.aircraft is not kept of release 2\n  valid: 4, 5\n"
    ):
        rollback(store, (A, B), 2, **WHO)
    with pytest.raises(UnknownNameError, match="release 99 does not exist"):
        rollback(store, (A, B), 99, **WHO)
    busy(store, 1)
    now(store, keep=2)
    with pytest.raises(StoreError, match="reads that candidate already"):
        rollback(store, (A, B), 6, **WHO)


def test_a_product_says_for_itself_how_many(store):
    for generation in range(1, 6):
        publish(store, generation)
        busy(store, 1)
    named = Retention(1, {"fleet.aircraft": 4})
    now(store, retention=named)
    assert [one.number for one in history(store, A)] == [9, 7, 5, 3]
    assert [one.number for one in history(store, C)] == [10]


def test_what_was_said_at_the_publication_holds_where_the_declaration_is_not_at_hand(store):
    for generation in range(1, 5):
        with pinned(store) as base:
            ref = new_ref("fleet", "aircraft", T0)
            with building(store, ref) as folder:
                manifest = build(store, folder, ref, base, generation)
                (folder / "manifest.json").unlink()
                manifest = replace(manifest, keep_publications=3)
                write_manifest(store, manifest)
                commit(store, base, entries_of(manifest), **WHO)
            mark_recorded(store, ref)
    now(store, keep=1)
    assert [one.number for one in history(store, A)] == [4, 3, 2]


def test_an_old_release_shows_what_it_switched_and_names_the_rest(store):
    publish(store, 1)
    busy(store, 2)
    publish(store, 2)
    now(store, keep=1, retention=Retention(1, {"fleet.busy": 2}))
    assert read_release(store, 2).whole is False
    with connect(store.root, 2) as mesh:
        assert mesh.execute("select max(generation) from fleet.busy").fetchone() == (0,)
        with pytest.raises(
            NotPublishedError,
            match=r"release 2 is an old one, of which fleet\.aircraft was not kept",
        ):
            mesh.execute("from fleet.aircraft")


def test_a_reader_of_an_old_release_keeps_it_through_a_collection(store):
    quiet_and_busy(store)
    with connect(store.root, 6) as mesh, connect(store.root, 10) as other:
        now(store, keep=1)
        for _ in range(2):
            assert mesh.execute("select max(generation) from fleet.aircraft").fetchone() == (2,)
            assert other.execute("select max(generation) from fleet.busy").fetchone() == (3,)
    now(store, keep=1)
    assert set(all_refs(store)) == set(snapshot(store).values())


def test_a_collection_between_finding_and_pinning_a_release_is_seen(store, monkeypatch):
    quiet_and_busy(store)
    done = []

    def before(effect, path) -> None:
        if path.parent == store.pins and not done:
            done.append(effect)
            now(store, keep=2)

    monkeypatch.setattr(files, "before", before)
    with pinned(store, 6) as found:
        assert (done, found.whole) == (["write"], False)
        assert sorted(found.ports) == [A, B]
        for entry in found.ports.values():
            verify(store, entry.candidate)


def test_a_crash_at_any_instant_of_a_collection_loses_nothing_that_is_kept(store):
    for after in range(0, 60, 3):
        quiet_and_busy(store)
        kept = {one.number: one.candidate for one in history(store, A)}
        expected = dict(sorted(kept.items())[-3:])
        with crashing(files, after), suppress(Crash):
            now(store)
        for number, ref in expected.items():
            assert read_release(store, number).ports[A].candidate == ref
            verify(store, ref)
        now(store)
        assert {one.number: one.candidate for one in history(store, A)} == expected
        assert len(list(all_refs(store))) == 6
        assert list(store.root.rglob(".tmp-*")) == []


def test_a_publication_that_just_left_the_window_has_its_grace(store):
    for generation in range(1, 5):
        publish(store, generation)
    now(store, keep=2, grace_seconds=60)
    assert len(list(all_refs(store))) == 4
    now(store, keep=2)
    assert len(list(all_refs(store))) == 2


def publish_part(store, key: str, generation: int) -> None:
    with pinned(store) as base:
        ref = new_ref("fleet", "aircraft", T0)
        with building(store, ref) as folder:
            manifest = build(store, folder, ref, base, generation, (A,))
            (folder / "manifest.json").unlink()
            manifest = replace(manifest, partition=key)
            write_manifest(store, manifest)
            commit(store, base, entries_of(manifest), **WHO)
        mark_recorded(store, ref)


def part(store, key: str) -> Part:
    found = latest(store).ports[A].part(key)
    assert found is not None
    return found


def test_each_partition_keeps_its_own_publications(store):
    for generation in (1, 2):
        publish_part(store, "jan", generation)
    for generation in range(3, 9):
        publish_part(store, "feb", generation)
    found = now(store, keep=2)
    assert found.releases == tuple(range(1, 8))
    assert [p.fingerprint for p in read_release(store, 1).ports[A].parts] == ["1"]
    assert A not in read_release(store, 5).ports  # of february it is not kept
    rollback(store, (A,), partition="jan", **WHO)
    rollback(store, (A,), partition="feb", **WHO)
    assert (part(store, "jan").fingerprint, part(store, "feb").fingerprint) == ("1", "7")
    with pytest.raises(UnknownNameError, match="partition jan only"):
        rollback(store, (A,), 5, **WHO)
    rollback(store, (A,), 2, partition="jan", **WHO)
    assert part(store, "jan").fingerprint == "2"
    assert read_manifest(store, part(store, "jan").candidate).verdict == "publish"
