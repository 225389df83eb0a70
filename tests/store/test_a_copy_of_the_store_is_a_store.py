"""The drill: a store is copied while it is used, lost, and made again from the copy."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from store_helpers import WHO, A, B, Crash, crashing, publish, snapshot

from dataops_mesh.engine.read import connect
from dataops_mesh.errors import StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files
from dataops_mesh.store.backup import backup, restore
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import latest
from dataops_mesh.store.release import rollback
from dataops_mesh.store.store import open_store
from dataops_mesh.watch.health import examine


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def read(store) -> int:
    with connect(store.root) as mesh:
        found = mesh.execute("select max(generation) from fleet.aircraft").fetchone()
    assert found is not None
    return found[0]


def test_what_is_new_is_copied_and_a_lost_store_comes_back(store, tmp_path):
    for generation in (1, 2):
        publish(store, generation)
    first = backup(store, tmp_path / "copy")
    assert first.release == 2
    publish(store, 3)
    second = backup(store, tmp_path / "copy")
    assert second.release == 3
    assert 0 < second.files < first.files
    assert backup(store, tmp_path / "copy").files == 0
    files.remove_tree(store.root)
    again = tmp_path / "again"
    assert restore(tmp_path / "copy", again).release == 3
    back = open_store(again)
    assert read(back) == 3
    assert examine(back, everything=True).damage == ()
    assert rollback(back, (A, B), 1, **WHO).ports[A].fingerprint == "1"
    assert publish(back, 4, (Address("fleet", "new"),), "new").number == 5


def test_what_others_do_meanwhile_harms_no_copy(store, tmp_path):
    publish(store, 0)
    ending = threading.Event()

    def work() -> None:
        for generation in range(1, 12):
            publish(store, generation)
            collect(store, keep_releases=1, grace_seconds=0)
        ending.set()

    busy = threading.Thread(target=work)
    busy.start()
    copies = 0
    while not ending.is_set() or not copies:
        backup(store, tmp_path / "copy")
        copies += 1
        restored = tmp_path / f"again-{copies}"
        number = restore(tmp_path / "copy", restored).release
        back = open_store(restored)
        assert latest(back).number == number
        assert examine(back).damage == ()
        assert read(back) == number - 1
    busy.join()


@pytest.mark.parametrize("way", ["backup", "restore"])
def test_stopped_before_any_effect_it_goes_on(store, tmp_path, way):
    publish(store, 1)
    copy, again = tmp_path / "copy", tmp_path / "again"
    if way == "restore":
        backup(store, copy)
    after, ended = 0, False
    while not ended:
        with crashing(files, after), suppress(Crash):
            backup(store, copy) if way == "backup" else restore(copy, again)
            ended = True
        after += 1
        if way == "restore" and not ended and (again / "store.json").exists():
            break
    assert after > 5
    if way == "backup":
        restore(copy, again)
    assert snapshot(open_store(again)) == snapshot(store)


def test_no_folder_of_somebody_else_is_written(store, tmp_path):
    publish(store, 1)
    other = open_store(tmp_path / "other")
    publish(other, 2)
    backup(other, tmp_path / "theirs")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("x")
    for target, what in (
        (mine, "neither empty nor a copy"),
        (tmp_path / "theirs", "a copy of another store"),
        (store.root / "copy", "cannot hold a copy"),
    ):
        with pytest.raises(StoreError, match=what):
            backup(store, target)
    with pytest.raises(StoreError, match="is a store"):
        restore(tmp_path / "theirs", store.root)
    with pytest.raises(StoreError, match="is not a store"):
        restore(mine, tmp_path / "new")
