"""A release number is never used twice, however long a commit stalls and whatever is collected."""

from __future__ import annotations

import os
import random
import threading

import pytest
from store_helpers import T0, WHO, A, build, built, publish

from dataops_mesh.errors import FULL, ConflictError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, holding, log
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import latest, latest_number, numbers, read_release
from dataops_mesh.store.manifest import mark_recorded, new_ref
from dataops_mesh.store.pins import building, committing, pinned
from dataops_mesh.store.release import commit, entries_of
from dataops_mesh.store.store import open_store
from dataops_mesh.store.tree.blobs import forget, write

MINE = Address("fleet", "mine")


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def now(store):
    return collect(store, keep_releases=1, grace_seconds=0)


def stalling(monkeypatch, meanwhile):
    """Let something happen between a commit's look at the log and its creation of a release."""
    real, waits = holding.append, [True]

    def append(store, release) -> bool:
        if waits.pop() if waits else False:
            meanwhile()
        return real(store, release)

    monkeypatch.setattr(holding, "append", append)


@pytest.mark.parametrize("others", [1, 4])
def test_a_commit_that_stalls_beside_a_collection_loses_nothing(store, monkeypatch, others):
    for generation in range(3):
        publish(store, generation)

    def meanwhile() -> None:
        for generation in range(others):
            publish(store, 10 + generation)
        now(store)

    with built(store, 1, (MINE,), "mine") as (base, manifest):
        stalling(monkeypatch, meanwhile)
        release = commit(store, base, entries_of(manifest), **WHO)
    assert release.number == 3 + others + 1
    assert latest(store) == release
    assert set(release.ports) > {A, MINE}
    assert release.ports[A].publication == 3 + others
    now(store)
    assert numbers(store) == [release.number]
    assert len(list(store.releases.glob("*.json"))) == release.number


def test_what_a_commit_has_written_outlives_a_collection_before_its_release(store, monkeypatch):
    """Blobs are on the disk, the release is not: no root names them yet."""
    publish(store, 1)
    real = log.files.create

    def create(path, data) -> bool:
        if path.parent == store.releases:
            now(store)
        return real(path, data)

    monkeypatch.setattr(log.files, "create", create)
    assert publish(store, 2).number == 2
    assert read_release(store, 2).ports[A].fingerprint == "2"
    forget(store)
    assert read_release(store, 2).ports[A].fingerprint == "2"


def removed_blobs(store) -> tuple[str, ...]:
    return tuple(item.name for item in now(store).tree)


def test_what_nobody_names_goes_once_its_writer_has_ended(store):
    publish(store, 1)
    write(store, {("fleet", "0" * 40): b"{}"})
    os.utime(store.tree / "fleet" / f"{'0' * 40}.json", (1, 1))
    with committing(store):
        assert removed_blobs(store) == (f"tree/fleet/{'0' * 40}.json",)
    with committing(store):
        write(store, {("fleet", "1" * 40): b"{}"})
        assert removed_blobs(store) == ()
    assert removed_blobs(store) == (f"tree/fleet/{'1' * 40}.json",)


def test_a_hint_that_leads_nowhere_or_back_is_not_believed(store):
    for generation in range(5):
        publish(store, generation)
    for hint in ("2", "99", "x", ""):
        (store.releases / "latest").write_text(hint)
        assert latest_number(store) == 5
    now(store)
    assert publish(store, 6).number == 6


def test_a_slow_writer_does_not_move_the_hint_back(store, monkeypatch):
    publish(store, 1)
    real, faster = files.sync_folder, []

    def sync_folder(path) -> None:
        real(path)
        if path == store.releases and not faster:
            faster.append(None)
            publish(store, 3)

    with built(store, 2) as (base, manifest):
        monkeypatch.setattr(files, "sync_folder", sync_folder)
        commit(store, base, entries_of(manifest), **WHO)
    assert (store.releases / "latest").read_text() == "3"


def test_a_collection_on_a_full_disk_still_deletes(store, monkeypatch):
    for generation in range(3):
        publish(store, generation)
    now(store)
    publish(store, 3)
    real = files.replace

    def replace(path, data, **more: bool) -> None:
        if path.name in {"floor", "collecting"}:
            raise OSError(min(FULL), "full")
        real(path, data, **more)

    monkeypatch.setattr(files, "replace", replace)
    assert now(store).releases == (3,)
    assert numbers(store) == [4]


@pytest.mark.parametrize("seed", range(3))
def test_every_publication_of_a_race_beside_collections_has_its_own_number(
    store, monkeypatch, seed
):
    """Six writers that stall at random, two collections without any grace."""
    luck = random.Random(seed)
    real, taken, faults = log.append, [], []
    ending = threading.Event()

    def append(where, release) -> bool:
        if luck.random() < 0.5:
            ending.wait(luck.random() * 0.02)
        created = real(where, release)
        if created:
            taken.append(release.number)
        return created

    monkeypatch.setattr(holding, "append", append)
    # Without any grace, the temporary files of writers are leftovers too: not what this is about.
    monkeypatch.setattr("dataops_mesh.store.collect.leftovers", lambda *_: [])

    def write(name) -> None:
        try:
            for generation in range(8):
                publish_one(store, name, generation)
        except Exception as error:  # noqa: BLE001 - a thread's fault is told by the test
            faults.append(error)

    def clean() -> None:
        while not ending.is_set():
            try:
                now(store)
            except Exception as error:  # noqa: BLE001 - a thread's fault is told by the test
                faults.append(error)
            ending.wait(0.01)

    writers = [threading.Thread(target=write, args=(f"p{n}",)) for n in range(6)]
    cleaners = [threading.Thread(target=clean) for _ in range(2)]
    for thread in (*writers, *cleaners):
        thread.start()
    for thread in writers:
        thread.join()
    ending.set()
    for thread in cleaners:
        thread.join()
    assert faults == []
    assert sorted(taken) == list(range(1, 49))
    final = latest(store)
    assert final.number == 48
    assert {entry.fingerprint for entry in final.ports.values()} == {"7"}


def publish_one(store, name, generation):
    address = Address("fleet", name)
    while True:
        with pinned(store) as base:
            ref = new_ref("fleet", name, T0)
            with building(store, ref) as folder:
                manifest = build(store, folder, ref, base, generation, (address,))
                mark_recorded(store, ref)
                try:
                    commit(store, base, entries_of(manifest), **WHO)
                except ConflictError:
                    continue
                return
