"""What opening, promoting and refreshing a sandbox costs, and what they may never do."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from store_helpers import T0, WHO, A, B, Crash, built, crashing, publish, snapshot

from benchmarks.contestants.sizes import _filled
from dataops_mesh.errors import StoreError, UnknownNameError
from dataops_mesh.store import files
from dataops_mesh.store.backup import backup, restore
from dataops_mesh.store.collect import collect
from dataops_mesh.store.holding import Asked, hold
from dataops_mesh.store.line.known import living
from dataops_mesh.store.line.opening import NOBODY, close, open_sandbox
from dataops_mesh.store.line.refresh import refresh
from dataops_mesh.store.log import entries_of, latest
from dataops_mesh.store.release import MovedError, Promoting, commit
from dataops_mesh.store.store import open_store
from dataops_mesh.store.verify import verify

TRIES = Asked("ben", "to try", NOBODY)
SAID = Asked("ana", "audit", WHO["publisher"])


def a_week() -> datetime:
    return datetime.now(UTC) + timedelta(days=7)


def test_a_copy_of_the_store_holds_no_sandbox_and_is_whole(tmp_path):
    store = open_store(tmp_path / "store")
    publish(store, 1)
    line, _ = open_sandbox(store, "x", TRIES, a_week())
    publish(line, 2)
    backup(store, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "again")
    again = open_store(tmp_path / "again")
    assert living(again) == ()
    assert snapshot(again) == snapshot(store)
    collect(again, keep_releases=1, grace_seconds=0)
    verify(again, latest(again).ports[A].candidate)


def test_only_the_release_that_promoted_says_so(tmp_path):
    store = open_store(tmp_path / "store")
    line, _ = open_sandbox(store, "x", TRIES, a_week())
    with built(line, 1) as (_, manifest):
        commit(line, latest(line), entries_of(manifest), at=T0, **WHO)
        said = Promoting(f"{line.line}:2", 0, lambda _: None)
        commit(store, latest(store), entries_of(manifest), at=T0, promoting=said, **WHO)
    assert latest(store).promoted == f"{line.line}:2"
    assert hold(store, "fleet.aircraft", (A, B), SAID).promoted == ""


def test_a_promotion_that_was_planned_for_another_release_is_planned_again(tmp_path):
    store = open_store(tmp_path / "store")
    line, _ = open_sandbox(store, "x", TRIES, a_week())
    with built(line, 1) as (_, manifest):
        commit(line, latest(line), entries_of(manifest), at=T0, **WHO)
        planned = latest(store)
        publish(store, 2)
        said = Promoting(f"{line.line}:2", planned.number, lambda _: None)
        with pytest.raises(MovedError):
            commit(store, planned, entries_of(manifest), at=T0, promoting=said, **WHO)
        with pytest.raises(StoreError, match="was built for sandboxes/x"):
            commit(store, planned, entries_of(manifest), at=T0, **WHO)


def test_a_sandbox_whose_base_was_taken_down_is_not_refreshed(tmp_path):
    store = open_store(tmp_path / "store")
    publish(store, 1)
    base, _ = open_sandbox(store, "base", TRIES, a_week())
    on_top, _ = open_sandbox(base, "top", TRIES, a_week())
    refresh(on_top, TRIES)
    close(base, TRIES)
    with pytest.raises(UnknownNameError, match="no sandbox"):
        refresh(on_top, TRIES)


def test_a_sandbox_of_a_large_mesh_is_open_at_once_and_copies_nothing():
    store = _filled(1_000, 365)

    def size() -> int:
        return sum(path.stat().st_size for path in store.root.rglob("*") if path.is_file())

    before, begun = size(), time.process_time()
    line, first = open_sandbox(store, "x", TRIES, a_week())
    assert time.process_time() - begun < 0.3
    assert size() - before < 10_000
    assert first.ports == latest(store).ports
    assert latest(line).number == latest(store).number + 1


@pytest.mark.parametrize("what", ["promote", "refresh", "collect"])
def test_killed_before_any_effect_all_of_it_happens_or_nothing(tmp_path, what):
    """Whatever was done by then, both lines are whole, and the same again ends well."""
    for after in range(200):
        store = open_store(tmp_path / str(after))
        publish(store, 1)
        line, _ = open_sandbox(store, "x", TRIES, a_week())
        other, _ = open_sandbox(store, "y", TRIES, a_week())
        with built(line, 2) as (_, manifest):
            commit(line, latest(line), entries_of(manifest), at=T0, **WHO)
            before = snapshot(store)
            tried = dict.fromkeys((A, B), manifest.candidate)

            def act(store=store, line=line, other=other, manifest=manifest) -> None:
                if what == "promote":
                    said = Promoting(f"{line.line}:3", latest(store).number, lambda _: None)
                    entries = entries_of(manifest)
                    commit(store, latest(store), entries, at=T0, promoting=said, **WHO)
                elif what == "refresh":
                    refresh(other, TRIES)
                else:
                    collect(store, keep_releases=1, grace_seconds=0)

            if what == "refresh":
                publish(store, 3)
            if what == "collect":
                close(other, TRIES)
            now = snapshot(store)
            done = False
            with suppress(Crash), crashing(files, after):
                act()
                done = True
            assert snapshot(store) in ((before, tried) if what == "promote" else (now,))
            assert snapshot(line) == tried
            act()
            if what == "promote":
                assert snapshot(store) == tried
                assert latest(store).number == 2
            elif what == "refresh":
                assert snapshot(other) == now
            else:
                assert not other.releases.exists()
            for one in (store, line):
                for ref in set(snapshot(one).values()):
                    verify(one, ref)
        if done:
            return
    raise AssertionError
