"""What was withdrawn is read by nobody, stays in the history, and does not come back by itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from store_helpers import OURS, T0, WHO, A, B, build, built, publish

from dataops_mesh.engine.catalog.catalogs import path_of, refresh
from dataops_mesh.engine.read import connect
from dataops_mesh.errors import ConflictError, HeldError, MeshError, NotPublishedError, StoreError
from dataops_mesh.store.collect import collect
from dataops_mesh.store.holding import Asked, lift
from dataops_mesh.store.log import Entry, as_it_was
from dataops_mesh.store.manifest import mark_recorded, new_ref, write_manifest
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.release import (
    ROLLBACK,
    commit,
    entries_of,
    history,
    latest,
    read_release,
    rollback,
)
from dataops_mesh.store.removing.withdrawal import withdraw
from dataops_mesh.store.retention import Retention
from dataops_mesh.store.store import open_store

BOTH = (A, B)
SAID = Asked("ana", "it was never ours to show", OURS)
NAME = "fleet.aircraft"


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def test_nobody_reads_it_and_whoever_asks_is_told_who_when_and_why(store):
    publish(store, 1)
    refresh(store)
    release = withdraw(store, NAME, BOTH, SAID)
    assert (release.kind, release.changed, release.ports) == ("withdrawal", BOTH, {})
    with connect(store.root) as published, pytest.raises(NotPublishedError) as caught:
        published.execute("from fleet.aircraft")
    told = str(caught.value)
    assert "fleet.aircraft was withdrawn by ana on " in told
    assert "release 2: it was never ours to show" in told
    refresh(store)
    assert not path_of(store, "fleet").exists()
    with connect(store.root, 1) as before:
        assert before.execute("from fleet.aircraft").fetchall() == [(1,)] * 3
    with pytest.raises(NotPublishedError, match="was withdrawn by ana"):
        withdraw(store, NAME, BOTH, SAID)


def test_it_comes_back_by_a_lift_and_a_run_and_the_history_has_both(store):
    publish(store, 1)
    withdraw(store, NAME, BOTH, SAID)
    with pytest.raises(HeldError, match="held by a withdrawal by ana"):
        publish(store, 2, code="other")
    lift(store, NAME, BOTH, SAID)
    release = publish(store, 3)
    assert (release.withdrawn, release.holds) == ({}, {})
    assert [one.number for one in history(store, A)] == [4, 1]
    assert rollback(store, BOTH, **WHO).ports[A].fingerprint == "1"


def test_a_run_that_began_before_does_not_bring_it_back_even_after_a_lift(store):
    publish(store, 1)
    with built(store, 2) as (base, slow):
        withdraw(store, NAME, BOTH, SAID)
        lift(store, NAME, BOTH, SAID)
        with pytest.raises(ConflictError, match="was withdrawn by ana"):
            commit(store, base, entries_of(slow), **WHO)
    assert latest(store).ports == {}


def test_a_collection_keeps_what_was_withdrawn_as_long_as_what_was_not(store):
    for number in (1, 2, 3):
        publish(store, number)
    withdraw(store, NAME, BOTH, SAID)
    collect(store, keep_releases=1, grace_seconds=0, retention=Retention(2))
    for number in (2, 3):
        assert read_release(store, number).ports[A].fingerprint == str(number)
    assert latest(store).withdrawn.keys() == {A, B}


KEYS = ("n", "s", "e")


def made_part(
    store, key: str, generation: int, cut: str = "listed by r", *, publish: bool = True
) -> Entry:
    """Build one partition, or with an empty key a whole, and publish it."""
    with pinned(store) as base:
        ref = new_ref("fleet", "aircraft", T0)
        with building(store, ref) as folder:
            manifest = build(store, folder, ref, base, generation, (A,))
            (folder / "manifest.json").unlink()
            manifest = replace(manifest, partition=key, cut=cut)
            write_manifest(store, manifest)
            if publish:
                commit(store, base, entries_of(manifest), whole=not key, **WHO)
        mark_recorded(store, ref)
    return entries_of(manifest)[A]


def shown(store) -> dict[str, str]:
    return {part.key: part.fingerprint for part in latest(store).ports[A].parts}


@pytest.fixture
def parts(store):
    """Each partition was published twice: releases 1 to 6."""
    for generation in (1, 2):
        for key in KEYS:
            made_part(store, key, generation)
    return store


@pytest.mark.parametrize("lifted", [False, True], ids=["held", "lifted"])
@pytest.mark.parametrize("gone", [*combinations(KEYS, 1), *combinations(KEYS, 2)], ids="".join)
def test_no_rollback_brings_a_withdrawn_partition_back(parts, gone, lifted):
    for key in gone:
        withdraw(parts, NAME, (A,), SAID, key)
    if lifted:
        lift(parts, NAME, (A,), SAID)
    left = sorted(set(KEYS) - set(gone))
    for to in (None, *range(1, 7), *range(6, 0, -1)):
        told: list[str] = []
        try:
            rollback(parts, (A,), to, reason="wrong", tell=told.append, **WHO)
        except MeshError:  # there is nothing to go back to, or it is read already
            continue
        finally:
            assert set(shown(parts)) <= set(left), to
        there = {p.key for p in as_it_was(parts, to).ports[A].parts} if to else set(KEYS)
        assert bool(told) == bool(there & set(gone)), to
        assert all(key in told[0] for key in there & set(gone)), told
    for key in gone:
        for to in (None, *range(1, 7)):
            with pytest.raises(NotPublishedError, match=f"(?s)partition {key} .*--partition {key}"):
                rollback(parts, (A,), to, partition=key, **WHO)
    assert {hold.partition for hold in latest(parts).withdrawn[A]} == set(gone)


def test_a_rollback_without_a_number_goes_as_far_as_something_is_read_otherwise(parts):
    withdraw(parts, NAME, (A,), SAID, "e")  # what was published last
    assert rollback(parts, (A,), **WHO).number == 8
    assert shown(parts) == {"n": "2", "s": "1"}
    assert rollback(parts, (A,), **WHO).number == 9
    assert shown(parts) == {"n": "1", "s": "1"}


def test_the_commit_itself_refuses_what_was_withdrawn_meanwhile(parts):
    with pinned(parts, 3) as target:
        then = {A: target.ports[A]}
        base = latest(parts)
        withdraw(parts, NAME, (A,), SAID, "s")
        for whole in (True, False):
            with pytest.raises(ConflictError, match=r"partition s of .* was withdrawn by ana"):
                commit(parts, base, then, kind=ROLLBACK, whole=whole, **WHO)
        for key in ("n", "e"):
            withdraw(parts, NAME, (A,), SAID, key)
        with pytest.raises(ConflictError, match="was withdrawn by ana"):
            commit(parts, base, then, kind=ROLLBACK, whole=True, **WHO)


@pytest.mark.parametrize("cut", ["listed by q", ""], ids=["cut otherwise", "whole"])
def test_what_was_cut_otherwise_may_have_the_rows_of_a_withdrawn_partition(store, cut):
    made_part(store, "all" if cut else "", 1, cut)
    made = [made_part(store, key, 2, publish=False) for key in ("n", "s")]
    both = replace(made[1], parts=(*made[0].parts, *made[1].parts))
    commit(store, latest(store), {A: both}, whole=True, **WHO)
    withdraw(store, NAME, (A,), SAID, "s")
    with pytest.raises(StoreError, match="cut otherwise: it may have its rows"):
        rollback(store, (A,), 1, **WHO)
    assert set(shown(store)) == {"n"}


def test_what_has_ended_and_is_read_no_more_does_not_come_back_and_what_is_read_goes_back(parts):
    made = [made_part(parts, key, 3, publish=False) for key in ("n", "e")]
    both = replace(made[1], parts=(*made[0].parts, *made[1].parts))
    commit(parts, latest(parts), {A: both}, whole=True, **WHO)  # as `--rebuild` does
    told: list[str] = []
    rollback(parts, (A,), 6, ended=lambda _: {"n", "s"}, tell=told.append, **WHO)
    assert shown(parts) == {"n": "2", "e": "2"}
    assert told == ["partition s of fleet.aircraft has left the declaration, and stays away"]
    with pytest.raises(NotPublishedError, match="nothing to roll back to: partition s"):
        rollback(parts, (A,), 6, partition="s", ended=lambda _: {"s"}, **WHO)
