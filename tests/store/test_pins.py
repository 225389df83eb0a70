"""What somebody uses is known, and the dead use nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import chain, repeat

import pytest
from store_helpers import A, publish

from dataops_mesh.errors import UnknownNameError
from dataops_mesh.store import locks, pins
from dataops_mesh.store.floor import raise_floor
from dataops_mesh.store.pins import building, live_builds, live_pins, pinned, who_uses
from dataops_mesh.store.store import open_store

HOLD = """
import sys
from pathlib import Path
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.store import open_store
with pinned(open_store(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def test_a_pin_names_the_candidates_of_its_release_until_it_ends(store):
    old = publish(store, 1)
    with pinned(store) as release:
        publish(store, 2)
        assert release == old
        assert len(used(store, old.ports[A].candidate)) == 1
    assert used(store, old.ports[A].candidate) == ()
    assert list(store.pins.iterdir()) == []


def test_a_build_keeps_its_own_folder(store):
    with building(store, "fleet/aircraft/x-1") as folder:
        assert folder.is_dir()
        assert live_builds(store) == {"fleet/aircraft/x-1"}


def test_an_error_in_the_block_ends_the_pin(store):
    publish(store, 1)
    with pytest.raises(ValueError, match="mine"), pinned(store):
        raise ValueError("mine")
    assert list(store.pins.iterdir()) == []


def test_a_killed_process_pins_nothing_and_a_living_one_does(store):
    release = publish(store, 1)
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with held:
        assert held.stdout.readline() == b"held\n"
        assert len(used(store, release.ports[A].candidate)) == 1
        held.kill()
    assert live_pins(store) == ()
    assert list(store.pins.iterdir()) == []


def test_a_pin_that_has_not_said_what_it_uses_is_not_taken_for_dead(store):
    lock = store.pins / f"x{locks.SUFFIX}"
    with locks.alive(lock):
        (pin,) = live_pins(store)
        assert pin.writes  # nothing younger is deleted
        assert lock.exists()


def used(store, ref) -> tuple[str, ...]:
    return who_uses(store, frozenset((ref,)), 0)


def test_a_release_closed_while_it_is_being_pinned_is_not_handed_out(store, monkeypatch):
    publish(store, 1)
    second = publish(store, 2)
    found = pins.latest
    answers = chain([lambda _: pins.as_it_was(store, 1)], repeat(found))
    still_open = pins.is_open

    def slow_then_right(where) -> object:
        return next(answers)(where)

    def closed_since(where, number) -> bool:
        answer = still_open(where, number)
        raise_floor(store, 1)
        return answer

    monkeypatch.setattr(pins, "is_open", closed_since)

    monkeypatch.setattr(pins, "latest", slow_then_right)
    with pinned(store) as release:
        assert release == second
    with pinned(store, 1) as release:
        assert not release.whole
    with pytest.raises(UnknownNameError), pinned(store, 9):
        pass
