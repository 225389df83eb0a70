"""What a candidate needs is never deleted, and what nobody needs is not left, in any order."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from store_helpers import T0, WHO, Crash, build, crashing

from dataops_mesh.store import files
from dataops_mesh.store.backup import backup, restore
from dataops_mesh.store.captures.collect import delete_unneeded
from dataops_mesh.store.captures.note import write_note
from dataops_mesh.store.captures.take import take
from dataops_mesh.store.collect import collect
from dataops_mesh.store.described import InputRead, SourceFile
from dataops_mesh.store.log import entries_of, latest_number
from dataops_mesh.store.manifest import folder, mark_recorded, new_ref, pending_refs
from dataops_mesh.store.pins import building, pinned
from dataops_mesh.store.release import commit
from dataops_mesh.store.retention import Retention
from dataops_mesh.store.store import open_store
from dataops_mesh.store.verify import verify_captures

CONTENTS = ("monday", "tuesday", "wednesday")
EFFECTS = 40
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


def digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()


def captured(store) -> dict[str, bytes]:
    """Every capture in its place, found without our own code."""
    found = (path for path in store.captures.glob("??/*") if not path.name.startswith(".tmp-"))
    return {path.name: path.read_bytes() for path in found}


def asked_for(store) -> set[str]:
    """What the manifests on the disk name, read as plain JSON."""
    every = [json.loads(p.read_bytes()) for p in store.candidates.glob("*/*/*/manifest.json")]
    reads = [read for one in every for read in one["inputs"] if read["kept"]]
    return {file["capture"] for read in reads for file in read["files"]}


class Deliveries:
    """A store, and a file that is delivered with one of a few contents."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = open_store(root / "store")
        self.file = root / "feed.csv"
        self.number = 0

    def attempt(self, content: str):
        """Build a candidate of a delivery: note, take, evidence."""
        self.file.write_text(content)
        stack = ExitStack()
        try:
            base = stack.enter_context(pinned(self.store))
            ref = new_ref("fleet", "aircraft", T0)
            target_folder = stack.enter_context(building(self.store, ref))
            name = digest(content)
            write_note(self.store, ref, [name])
            assert take(self.store.captures, self.file, name, name)
            self.number += 1
            said = (SourceFile("feed.csv", len(content), name),)
            read = InputRead("feed", fingerprint=content, files=said, kept="store")
            manifest = build(self.store, target_folder, ref, base, self.number, inputs=(read,))
        except BaseException:
            stack.close()
            raise
        return base, manifest, stack

    def publish(self, content: str) -> None:
        base, manifest, stack = self.attempt(content)
        with stack:
            commit(self.store, base, entries_of(manifest), at=T0, **WHO)
        mark_recorded(self.store, manifest.candidate)

    def collect(self, keep: int = 2) -> None:
        for ref in pending_refs(self.store):
            mark_recorded(self.store, ref)
        kept = Retention(keep, {})
        collect(self.store, keep_releases=1, grace_seconds=0, retention=kept)


class Machine(RuleBasedStateMachine):
    """Publish, give up, crash and collect in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        root = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.made = Deliveries(root)
        self.published: list[str] = []  # the model: the content behind each publication
        self.running: list = []
        self.copies = 0

    def teardown(self) -> None:
        for _, _, stack in self.running:
            stack.close()
        self.stack.close()

    @rule(content=st.sampled_from(CONTENTS))
    def publish(self, content: str) -> None:
        self.made.publish(content)
        self.published.append(content)

    @rule(content=st.sampled_from(CONTENTS))
    def begin(self, content: str) -> None:
        self.running.append(self.made.attempt(content))

    @precondition(lambda self: self.running)
    @rule()
    def give_up(self) -> None:
        _, manifest, stack = self.running.pop()
        stack.close()
        mark_recorded(self.made.store, manifest.candidate)

    @rule(content=st.sampled_from(CONTENTS), after=st.integers(0, EFFECTS))
    def crash_while_building(self, content: str, after: int) -> None:
        before = latest_number(self.made.store)
        with crashing(files, after), suppress(Crash):
            self.made.publish(content)
        if latest_number(self.made.store) > before:
            self.published.append(content)

    @rule(after=st.integers(0, EFFECTS))
    def crash_while_collecting(self, after: int) -> None:
        with crashing(files, after), suppress(Crash):
            self.made.collect()

    @rule()
    def collect(self) -> None:
        self.made.collect()
        store = self.made.store
        if not self.running:
            assert set(captured(store)) == asked_for(store)
            assert list(store.captures.glob("aside/*")) == []
            assert list(store.captures.glob("*/.tmp-*")) == []

    @precondition(lambda self: self.published)
    @rule()
    def copy_and_come_back(self) -> None:
        self.copies += 1
        copy = self.made.root / "copy"
        backup(self.made.store, copy)
        again = self.made.root / f"again{self.copies}"
        restore(copy, again)
        back = captured(open_store(again))
        assert {digest(content) for content in self.published[-2:]} <= set(back)

    @invariant()
    def what_may_be_built_again_is_whole(self) -> None:
        found = captured(self.made.store)
        wanted = {digest(content): content for content in self.published[-2:]}
        wanted |= {
            read.files[0].capture: read.fingerprint
            for _, manifest, _ in self.running
            for read in manifest.inputs
        }
        for name, content in wanted.items():
            assert found[name] == content.encode()
        for name, content in found.items():
            assert sha256(content).hexdigest() == name


Machine.TestCase.settings = settings(
    max_examples=1_000 if LONG else 12,
    stateful_step_count=16,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
TestMachine = Machine.TestCase


@contextmanager
def at_effect(number: int, then):
    """Do something else, once, right before an effect on the disk."""
    happened = 0
    original = files.before

    def before(effect: str, path: Path) -> None:
        nonlocal happened
        happened += 1
        if happened == number:
            files.before = original
            then()
            files.before = before

    files.before = before
    try:
        yield
    finally:
        files.before = original


@pytest.mark.parametrize("number", range(1, 14))
def test_a_delivery_that_comes_while_its_capture_is_deleted_is_kept(tmp_path, number):
    """The same content was needed by nobody until this very moment."""
    made = Deliveries(tmp_path)
    _, manifest, stack = made.attempt("monday")
    stack.close()
    files.remove_tree(folder(made.store, manifest.candidate))
    with at_effect(number, lambda: made.publish("monday")):
        delete_unneeded(made.store)
    if latest_number(made.store):
        assert captured(made.store) == {digest("monday"): b"monday"}


@pytest.mark.parametrize("number", range(1, 30))
def test_a_collection_at_any_moment_of_a_build_takes_nothing_of_it(tmp_path, number):
    made = Deliveries(tmp_path)
    _, old, stack = made.attempt("monday")
    stack.close()
    files.remove_tree(folder(made.store, old.candidate))
    with at_effect(number, lambda: delete_unneeded(made.store)):
        made.publish("monday")
    assert captured(made.store) == {digest("monday"): b"monday"}


@pytest.mark.parametrize("number", range(1, 14))
def test_two_that_delete_at_once_put_back_what_is_needed(tmp_path, number):
    made = Deliveries(tmp_path)
    made.publish("monday")
    _, old, stack = made.attempt("tuesday")
    stack.close()
    files.remove_tree(folder(made.store, old.candidate))

    def both() -> None:
        made.attempt("tuesday")[2].close()
        delete_unneeded(made.store)

    with at_effect(number, both):
        delete_unneeded(made.store)
    delete_unneeded(made.store)
    assert set(captured(made.store)) == asked_for(made.store)


def test_a_capture_that_was_touched_is_told_with_its_source(tmp_path):
    made = Deliveries(tmp_path)
    made.publish("monday")
    (ref,) = (f"fleet/aircraft/{path.name}" for path in made.store.candidates.glob("*/*/*"))
    assert verify_captures(made.store, ref) == (6, ())
    (path,) = made.store.captures.glob("??/*")
    path.chmod(0o600)
    path.write_text("sunday")
    size, (wrong,) = verify_captures(made.store, ref)
    assert size == 0
    assert "another content" in wrong
    assert '"feed"' in wrong
    path.unlink()
    assert "is missing" in verify_captures(made.store, ref)[1][0]


def test_a_damaged_note_costs_no_capture(tmp_path):
    made = Deliveries(tmp_path)
    made.publish("monday")
    for note in made.store.candidates.glob("*/*/*/captures.json"):
        note.write_text("{")
    made.collect()
    assert set(captured(made.store)) == {digest("monday")}


def test_a_file_that_changed_since_it_was_hashed_is_not_taken(tmp_path):
    made = Deliveries(tmp_path)
    made.file.write_text("sunday")
    assert not take(made.store.captures, made.file, digest("monday"), digest("monday"))
    assert captured(made.store) == {}
