"""A store of format 1 becomes one of format 2, whatever stops that, and its old writers notice."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from store_helpers import T0, WHO, A, B, Crash, build, crashing, publish

from dataops_mesh.engine.read import connect
from dataops_mesh.errors import StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, record
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import entries_of, latest, read_release
from dataops_mesh.store.manifest import mark_recorded, new_ref, pending_refs, write_manifest
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.release import history, rollback
from dataops_mesh.store.retention import Retention
from dataops_mesh.store.store import open_store
from dataops_mesh.store.tree.blobs import forget
from dataops_mesh.store.upgrade.format1 import OldEntry, OldRelease, fence, is_fenced, old_path
from dataops_mesh.store.upgrade.upgrade import upgrade
from dataops_mesh.watch.health import examine

DAILY = Address("fleet", "daily")


def candidate(store, generation, addresses=(A, B), partition="", product="aircraft"):
    with pinned(store) as base:
        ref = new_ref("fleet", product, T0)
        with building(store, ref) as folder:
            manifest = build(store, folder, ref, base, generation, addresses)
            (folder / "manifest.json").unlink()
            manifest = replace(manifest, partition=partition, keep_publications=3)
            write_manifest(store, manifest)
            return entries_of(manifest)


def old_entry(entry, number, before=None) -> OldEntry:
    """Write down by hand what version 1 wrote."""
    facts = (entry.product, entry.candidate, number, entry.fingerprint, entry.rows)
    parts = {part.key: part for part in (before.parts if before else ())}
    parts |= {part.key: replace(part, publication=number) for part in entry.parts}
    return OldEntry(
        *facts, entry.inputs, entry.sources, entry.kind, tuple(parts[k] for k in sorted(parts)), 3
    )


def publish_old(store, number, changes, before) -> OldRelease:
    ports = dict(before.ports) if before else {}
    for address, entry in changes.items():
        ports[address] = old_entry(entry, number, ports.get(address))
    release = OldRelease(
        number, "publication", T0, tuple(sorted(changes)), ports, f"r{number}", "ana"
    )
    files.create(old_path(store, number), record.encode(release, indent=None))
    return release


@pytest.fixture
def old(tmp_path):
    """Make a store as version 1 left it: three publications of a whole, four of two days."""
    store = open_store(tmp_path / "store")
    for name in ("releases", "retained"):
        files.make_folder(store.root / name)
    steps = [
        candidate(store, 1),
        candidate(store, 2),
        *(candidate(store, g, (DAILY,), d, "daily") for g, d in ((3, "mon"), (4, "tue"))),
        candidate(store, 5),
        *(candidate(store, g, (DAILY,), d, "daily") for g, d in ((6, "mon"), (7, "tue"))),
    ]
    release = None
    for number, changes in enumerate(steps, 1):
        release = publish_old(store, number, changes, release)
    for name in ("heads", "tree"):
        files.remove_tree(store.root / name)
    (store.root / "store.json").write_text(json.dumps({"format": 1}))
    return store


def everything(store):
    release = latest(store)
    return (
        release.number,
        {a: (e.candidate, e.publication, e.fingerprint, e.rows) for a, e in release.ports.items()},
        [(p.key, p.fingerprint, p.publication) for p in release.ports[DAILY].parts],
    )


def mark_all_recorded(store) -> None:
    for ref in pending_refs(store):
        mark_recorded(store, ref)


WANTED = [("mon", "6", 6), ("tue", "7", 7)]


def test_it_says_so_and_reads_the_same_afterwards(old):
    with pytest.raises(StoreError, match="mesh store upgrade"):
        open_store(old.root)
    before = record.decode(OldRelease, old_path(old, 7).read_bytes(), old_path(old, 7))
    assert upgrade(old.root) == 7
    assert upgrade(old.root) == -1
    store = open_store(old.root)
    number, ports, parts = everything(store)
    assert (number, parts) == (7, WANTED)
    assert ports == {
        a: (e.candidate, e.publication, e.fingerprint, e.rows) for a, e in before.ports.items()
    }
    assert [one.number for one in history(store, A)] == [5, 2, 1]
    assert [one.number for one in history(store, DAILY, "mon")] == [6, 3]
    assert rollback(store, (A, B), 1, **WHO).ports[A].fingerprint == "1"
    assert rollback(store, (DAILY,), partition="tue", **WHO).ports[DAILY].part("tue").rows == 3
    assert publish(store, 9, (Address("fleet", "new"),), "new").number == 10
    assert [switch.address for switch in read_release(store, 3).switches] == [DAILY]
    mark_all_recorded(store)
    collect(store, keep_releases=1, grace_seconds=0, retention=Retention(3))
    assert not (store.root / "releases").exists()
    with connect(store.root) as mesh:
        assert mesh.execute("select max(generation) from fleet.daily").fetchone() == (6,)
    assert examine(store, everything=True).damage == ()


def test_an_old_writer_that_was_faster_is_taken_along_and_a_later_one_is_told(old, monkeypatch):
    real, faster = files.create, []

    def create(path, data) -> bool:
        if path == old_path(old, 8) and not faster:
            faster.append(path)
            before = record.decode(OldRelease, old_path(old, 7).read_bytes(), old_path(old, 7))
            publish_old(old, 8, {A: replace(before.ports[A])}, before)
        return real(path, data)

    monkeypatch.setattr(files, "create", create)
    assert upgrade(old.root) == 8
    assert latest(old).ports[A].publication == 8
    assert is_fenced(old)
    assert not fence(old, 9)  # it stands in the way of whoever takes that number
    with pytest.raises(StoreError, match="has format 2"):
        record.decode(OldRelease, old_path(old, 9).read_bytes(), old_path(old, 9))


def test_stopped_before_any_effect_it_goes_on(old):
    after, ended = 0, False
    while not ended:
        with crashing(files, after), suppress(Crash):
            upgrade(old.root)
            ended = True
        after += 1
        if json.loads((old.root / "store.json").read_text())["format"] == 1:
            with pytest.raises(StoreError, match="mesh store upgrade"):
                open_store(old.root)
    assert after > 20
    forget(old)
    number, _, parts = everything(open_store(old.root))
    assert (number, parts) == (7, WANTED)
    mark_all_recorded(old)
    collect(old, keep_releases=1, grace_seconds=0, retention=Retention(3))
    assert list(old.root.rglob(".tmp-*")) == []
    assert everything(old) == (7, everything(old)[1], WANTED)
