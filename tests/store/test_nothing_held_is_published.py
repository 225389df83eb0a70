"""A rollback or a person's word holds: nothing is published against it until it ends."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from store_helpers import OURS, WHO, A, B, built, publish, snapshot

from dataops_mesh.errors import HeldError, OwnershipError, UnknownNameError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import record
from dataops_mesh.store.collect import collect
from dataops_mesh.store.described import InputRead
from dataops_mesh.store.hold import HOLD, INPUTS, LIFT
from dataops_mesh.store.holding import Asked, hold, lift
from dataops_mesh.store.log import append, latest, path_of
from dataops_mesh.store.owners import Publisher
from dataops_mesh.store.release import commit, entries_of, rollback
from dataops_mesh.store.store import open_store

BOTH = (A, B)
SAID = Asked("ana", "wrong tails", OURS)


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def fed(content: str) -> dict[str, object]:
    return {"inputs": (InputRead("feed", fingerprint=content),)}


def test_what_was_rolled_back_does_not_come_back_by_itself(store):
    publish(store, 1, code="c1")
    publish(store, 2, code="c1")
    release = rollback(store, BOTH, reason="wrong tails", **WHO)
    with pytest.raises(HeldError) as caught:
        publish(store, 3, code="c1")
    (problem,) = caught.value.problems
    assert "fleet.aircraft is held by a rollback by ana since" in problem.what
    assert f"release {release.number}: wrong tails" in problem.what
    assert problem.next.startswith("mesh hold lift fleet.aircraft --reason")
    assert latest(store) == release


def test_changed_code_ends_the_hold_of_a_rollback_for_good(store):
    publish(store, 1, code="c1")
    publish(store, 2, code="c1")
    rollback(store, BOTH, **WHO)
    assert publish(store, 3, code="c2").holds == {}
    assert publish(store, 4, code="c2").number == 5


def test_other_inputs_end_it_only_where_the_person_said_so(store):
    for until in ("", INPUTS):
        publish(store, 1, code="c1", **fed("good"))
        publish(store, 2, code="c1", **fed("bad"))
        rollback(store, BOTH, until=until, **WHO)
        with pytest.raises(HeldError):
            publish(store, 3, code="c1", **fed("bad"))
        if until:
            publish(store, 3, code="c1", **fed("mended"))
        else:
            with pytest.raises(HeldError):
                publish(store, 3, code="c1", **fed("mended"))
            lift(store, "fleet.aircraft", BOTH, SAID)
    assert latest(store).holds == {}


def test_two_rollbacks_hold_what_both_took_back(store):
    for number in (1, 2, 3):
        publish(store, number, code=f"c{number}")
    rollback(store, BOTH, **WHO)
    rollback(store, BOTH, **WHO)
    for code in ("c2", "c3"):
        with pytest.raises(HeldError):
            publish(store, 4, code=code)
    publish(store, 4, code="c4")


def test_a_person_s_hold_stands_whatever_changes_and_a_rollback_does_not_weaken_it(store):
    publish(store, 1, code="c1")
    publish(store, 2, code="c2")
    before = snapshot(store)
    release = hold(store, "fleet.aircraft", BOTH, SAID)
    assert (release.kind, release.changed, release.decided) == (HOLD, (), BOTH)
    assert snapshot(store) == before
    with pytest.raises(HeldError, match="held by ana since"):
        publish(store, 3, code="c3")
    rollback(store, BOTH, **WHO)
    with pytest.raises(HeldError, match="held by ana since"):
        publish(store, 3, code="c3")
    assert lift(store, "fleet.aircraft", BOTH, SAID).kind == LIFT
    assert publish(store, 3, code="c2").holds == {}


def test_a_hold_between_the_look_and_the_switch_of_a_commit_counts(store, monkeypatch):
    from dataops_mesh.store import files

    done = []

    def before(effect, path) -> None:
        if effect == "link" and path.parent == store.releases and not done:
            done.append(hold)
            hold(store, "fleet.aircraft", BOTH, SAID)

    with built(store, 1) as (base, manifest):
        monkeypatch.setattr(files, "before", before)
        with pytest.raises(HeldError):
            commit(store, base, entries_of(manifest), **WHO)
    assert latest(store).ports == {}


def test_a_hold_on_one_product_is_none_on_another(store):
    other = Address("network", "routes")
    hold(store, "fleet.aircraft", BOTH, SAID)
    assert publish(store, 1, (other,), "routes").holds.keys() == {A, B}


def test_what_is_not_held_cannot_be_lifted_and_strangers_decide_nothing(store):
    publish(store, 1)
    with pytest.raises(UnknownNameError, match="is not held"):
        lift(store, "fleet.aircraft", BOTH, SAID)
    thief = replace(SAID, publisher=Publisher("git.example/them/mesh", claims=True))
    for decide in (hold, lift):
        with pytest.raises(OwnershipError):
            decide(store, "fleet.aircraft", BOTH, thief)


def test_a_collection_forgets_no_hold(store):
    publish(store, 1, code="c1")
    publish(store, 2, code="c1")
    rollback(store, BOTH, **WHO)
    for number in (3, 4):
        publish(store, number, (Address("network", "routes"),), "routes")
    collect(store, keep_releases=1, grace_seconds=0)
    with pytest.raises(HeldError):
        publish(store, 5, code="c1")


def test_releases_of_before_there_were_holds_can_be_read(store):
    release = publish(store, 1)
    path = path_of(store, release.number)
    body = json.loads(path.read_bytes())
    for name in ("checksum", "holds", "decided", "about", "partition"):
        body.pop(name)
    path.chmod(0o644)
    path.write_bytes(json.dumps({"checksum": record._checksum(body), **body}).encode())
    assert latest(store) == release
    assert append(store, replace(release, number=2))
