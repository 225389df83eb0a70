"""The switch: all or none, never lost, never backward, never without evidence."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from store_helpers import T0, WHO, A, B, built, publish, read_input, snapshot

from dataops_mesh.errors import (
    ConflictError,
    CorruptError,
    HeldError,
    NotPublishedError,
    StoreError,
    UnknownNameError,
)
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, record
from dataops_mesh.store.described import InputRead
from dataops_mesh.store.log import path_of
from dataops_mesh.store.manifest import folder
from dataops_mesh.store.release import (
    EMPTY,
    ROLLBACK,
    commit,
    entries_of,
    history,
    latest,
    latest_number,
    read_release,
    rollback,
)
from dataops_mesh.store.store import open_store

C = Address("network", "routes")


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def test_an_empty_store_has_the_empty_release(store):
    assert latest(store) == EMPTY
    assert list(history(store, A)) == []


def test_all_ports_of_a_product_switch_in_one_release(store):
    release = publish(store, 1)
    assert release.changed == (A, B)
    assert {entry.publication for entry in release.ports.values()} == {1}
    assert read_release(store, 1) == release == latest(store)


def test_half_a_product_is_not_published(store):
    with built(store, 1) as (base, manifest):
        half = {A: entries_of(manifest)[A]}
        with pytest.raises(StoreError, match="do not switch together"):
            commit(store, base, half, **WHO)
    assert latest(store) == EMPTY


@pytest.mark.parametrize("verdict", ["refuse", "error", "", "Publish"])
def test_a_candidate_that_the_gate_did_not_pass_is_not_published(store, verdict):
    with built(store, 1, verdict=verdict) as (base, manifest):
        with pytest.raises(StoreError, match="not passed by the gate"):
            commit(store, base, entries_of(manifest), **WHO)
        with pytest.raises(StoreError, match="not passed by the gate"):
            commit(store, base, entries_of(manifest), kind=ROLLBACK, **WHO)
    assert latest(store) == EMPTY


def test_an_entry_that_contradicts_the_evidence_is_not_published(store):
    with built(store, 1) as (base, manifest):
        forged = {a: replace(e, fingerprint="x") for a, e in entries_of(manifest).items()}
        with pytest.raises(StoreError, match="not what the manifest"):
            commit(store, base, forged, **WHO)


def test_another_address_is_not_taken_over(store):
    with built(store, 1) as (base, manifest):
        moved = entries_of(manifest) | {C: entries_of(manifest)[A]}
        with pytest.raises(StoreError, match=r"network\.routes do not switch together"):
            commit(store, base, moved, **WHO)


@pytest.mark.parametrize("damage", ["missing", "short", "no manifest"])
def test_a_candidate_whose_files_are_not_there_is_not_published(store, damage):
    with built(store, 1) as (base, manifest):
        root = folder(store, manifest.candidate)
        path = root / manifest.ports[1].files[0].path
        if damage == "missing":
            path.unlink()
        elif damage == "short":
            path.write_bytes(path.read_bytes()[:-1])
        else:
            (root / "manifest.json").unlink()
        with pytest.raises(StoreError, match="run"):
            commit(store, base, entries_of(manifest), **WHO)
    assert latest(store) == EMPTY


def test_nothing_is_not_published(store):
    with pytest.raises(StoreError, match="nothing to publish"):
        commit(store, EMPTY, {}, **WHO)


def test_a_commit_repeated_after_a_lost_answer_is_one_publication(store):
    with built(store, 1) as (base, manifest):
        first = commit(store, base, entries_of(manifest), **WHO)
        assert commit(store, base, entries_of(manifest), **WHO) == first
    assert latest_number(store) == 1


def test_a_run_on_older_inputs_does_not_overwrite_one_on_newer(store):
    up = publish(store, 1)
    with built(store, 10, (C,), "routes", inputs=(read_input(up, A),)) as (base, slow):
        up = publish(store, 2)
        fast = publish(store, 11, (C,), "routes", inputs=(read_input(up, A),))
        with pytest.raises(ConflictError, match="newer inputs"):
            commit(store, base, entries_of(slow), **WHO)
        # Neither does naming a later base help: the evidence says when the run began.
        with pytest.raises(ConflictError, match="newer inputs"):
            commit(store, fast, entries_of(slow), **WHO)
    assert latest(store) == fast


def test_a_run_on_the_same_inputs_may_follow_another(store):
    up = publish(store, 1)
    with built(store, 10, (C,), "routes", inputs=(read_input(up, A),)) as (base, slow):
        publish(store, 11, (C,), "routes", inputs=(read_input(up, A),))
        release = commit(store, base, entries_of(slow), **WHO)
    assert release.ports[C].fingerprint == "10"


def test_a_run_on_another_state_of_a_source_does_not_follow(store):
    with built(store, 1, inputs=(InputRead("csv", fingerprint="old"),)) as (base, slow):
        publish(store, 2, inputs=(InputRead("csv", fingerprint="new"),))
        with pytest.raises(ConflictError, match="other sources"):
            commit(store, base, entries_of(slow), **WHO)


def test_a_run_that_began_before_a_rollback_does_not_undo_it(store):
    publish(store, 1, code="old")
    publish(store, 2, code="old")
    with built(store, 3, code="new") as (base, slow), built(store, 3, code="old") as (_, bad):
        rolled = rollback(store, (A, B), **WHO)
        with pytest.raises(ConflictError, match="rolled back"):
            commit(store, base, entries_of(slow), **WHO)
        with pytest.raises(HeldError, match="held by a rollback by ana"):
            commit(store, base, entries_of(bad), **WHO)
    assert latest(store) == rolled
    assert publish(store, 4, code="new").ports[A].fingerprint == "4"


def test_another_product_published_meanwhile_is_kept(store):
    with built(store, 1) as (base, manifest):
        publish(store, 2, (C,), "routes")
        release = commit(store, base, entries_of(manifest), **WHO)
    assert set(release.ports) == {A, B, C}
    assert release.number == 2


def test_a_release_created_between_the_look_and_the_switch_is_not_overwritten(store, monkeypatch):
    faster = []

    def before(effect, path) -> None:
        if effect == "link" and path.parent == store.releases and not faster:
            faster.append(None)  # only once: this publication comes through here as well
            faster.append(publish(store, 2, (C,), "routes"))

    with built(store, 1) as (base, manifest):
        monkeypatch.setattr(files, "before", before)
        release = commit(store, base, entries_of(manifest), **WHO)
    assert (faster[1].number, release.number) == (1, 2)
    assert read_release(store, 1) == faster[1]
    assert set(release.ports) == {A, B, C}


def test_a_rollback_is_a_release_and_needs_no_rebuild(store):
    first = publish(store, 1)
    publish(store, 2)
    release = rollback(store, (A, B), reason="wrong tails", **WHO)
    assert (release.number, release.kind, release.changed) == (3, ROLLBACK, (A, B))
    assert snapshot(store)[A] == first.ports[A].candidate
    assert release.ports[A].publication == 3
    assert release.reason == "wrong tails"


def test_a_second_rollback_goes_further_back_and_not_to_the_bad_one(store):
    for generation in (1, 2, 3):
        publish(store, generation)
    assert rollback(store, (A, B), **WHO).ports[A].fingerprint == "2"
    assert rollback(store, (A, B), **WHO).ports[A].fingerprint == "1"
    with pytest.raises(UnknownNameError, match="no earlier publication"):
        rollback(store, (A, B), **WHO)


def test_a_rollback_to_a_named_publication(store):
    for generation in (1, 2, 3):
        publish(store, generation)
    assert rollback(store, (A, B), 1, **WHO).ports[B].fingerprint == "1"
    with pytest.raises(StoreError, match="reads that candidate already"):
        rollback(store, (A, B), 1, **WHO)
    with pytest.raises(UnknownNameError, match="valid: 1, 2, 3, 4"):
        rollback(store, (A, B), 9, **WHO)


def test_a_rollback_of_half_a_product_is_refused(store):
    publish(store, 1)
    publish(store, 2)
    with pytest.raises(StoreError, match="do not switch together"):
        rollback(store, (A,), **WHO)


def test_what_was_never_published_is_not_rolled_back(store):
    with pytest.raises(NotPublishedError):
        rollback(store, (A, B), **WHO)
    publish(store, 1, (C,), "routes")
    publish(store, 1)
    with pytest.raises(UnknownNameError, match="not published in release 1"):
        rollback(store, (A, B), 1, **WHO)


def test_the_history_of_an_address_skips_the_releases_of_others(store):
    publish(store, 1)
    publish(store, 2, (C,), "routes")
    publish(store, 3)
    assert [release.number for release in history(store, A)] == [3, 1]
    assert [release.number for release in history(store, C)] == [2]
    assert list(history(store, Address("no", "where"))) == []


def test_a_lost_or_wrong_hint_costs_time_and_nothing_else(store):
    for generation in (1, 2, 3):
        publish(store, generation)
    hint = store.releases / "latest"
    for content in ("1", "99", "", "x", "-4"):
        hint.write_text(content)
        assert latest_number(store) == 3
    hint.unlink()
    assert latest_number(store) == 3


def test_a_damaged_release_is_said_to_be_damaged(store):
    publish(store, 1)
    path = path_of(store, 1)
    data = path.read_bytes()
    for damaged in (b"", data[:-20], data.replace(b'"ana"', b'"eve"'), b"[]", b"null"):
        path.write_bytes(damaged)
        with pytest.raises(CorruptError, match=r"00000001\.json"):
            latest(store)


def test_a_release_that_does_not_exist_is_answered_with_those_that_do(store):
    publish(store, 1)
    with pytest.raises(UnknownNameError, match="valid: 1"):
        read_release(store, 7)


def test_finding_the_latest_release_does_not_slow_down_with_their_number(store):
    release = publish(store, 1)
    spent = []
    written = 1
    for count in (20, 4000):
        for number in range(written + 1, count + 1):
            path_of(store, number).write_bytes(record.encode(replace(release, number=number)))
        written = count
        (store.releases / "latest").write_text(str(count - 1))
        times = []
        for _ in range(30):
            begun = time.perf_counter()
            assert latest(store).number == count
            times.append(time.perf_counter() - begun)
        spent.append(min(times))
    assert spent[1] < spent[0] * 3


def test_the_replay_clock_is_the_time_of_the_release(store):
    assert publish(store, 1).at == T0
