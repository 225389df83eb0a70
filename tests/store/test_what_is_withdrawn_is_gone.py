"""What was withdrawn is read by nobody, stays in the history, and does not come back by itself."""

from __future__ import annotations

import pytest
from store_helpers import OURS, WHO, A, B, built, publish

from dataops_mesh.engine.catalog.catalogs import path_of, refresh
from dataops_mesh.engine.read import connect
from dataops_mesh.errors import ConflictError, HeldError, NotPublishedError
from dataops_mesh.store.collect import collect
from dataops_mesh.store.holding import Asked, lift
from dataops_mesh.store.release import commit, entries_of, history, latest, read_release, rollback
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
