"""Who uses what right now, so that a collection leaves it alone.

A pin is a lock file (held while its process lives) and a note beside it of what is used. No
lock is shared between readers, publishers and the collection; what makes that safe is the order
of their steps: a reader notes its release and then makes sure that it still exists, while a
collection removes releases and then reads the notes. A commit notes the newest release before it
looks which one to follow, and a collection takes no release after one that is noted.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

from dataops_mesh.errors import FULL
from dataops_mesh.store import files, locks
from dataops_mesh.store.log import Release, exists, latest, latest_number, read_release
from dataops_mesh.store.manifest import folder
from dataops_mesh.store.removal import removal_numbers, removals
from dataops_mesh.store.removed import without_removed
from dataops_mesh.store.store import Store

_NOTE = ".json"
# In front of a release's number among the refs; a collection of an older version takes it for the
# ref of nothing.
_BASE = "@"
_WHO = "!"  # the same, in front of who it is


@contextmanager
def pinned(store: Store, release: int | None = None) -> Iterator[Release]:
    """Keep one release and its candidates for as long as the block runs.

    An old release comes without what was erased since. A removal is on record before it looks
    who uses what, so either this sees the record or the removal sees the pin.

    A store that may only be read, or is full, gets no pin: its readers rely on the grace
    period.

    Args:
        store: the store.
        release: its number; the latest if absent.
    """
    while True:
        found = latest(store) if release is None else read_release(store, release)
        erased = removal_numbers(store, found.number)
        if erased:
            found = without_removed(found, removals(store, found.number))
        refs = tuple(sorted({ref for entry in found.ports.values() for ref in entry.refs}))
        with _pin(store, refs):
            if not exists(store, found) or erased != removal_numbers(store, found.number):
                continue  # a collection was faster; reading it again says what is left
            yield found
            return


@contextmanager
def building(store: Store, ref: str) -> Iterator[Path]:
    """Make a candidate's folder and keep it until it is published, or given up.

    Hold it around the build *and* the commit.
    """
    with _pin(store, (ref,)):
        path = folder(store, ref)
        files.make_folder(path)
        yield path


@contextmanager
def committing(store: Store) -> Iterator[None]:
    """Keep every release after this moment's newest, so that its number is not free again.

    Hold it around the look at the log *and* the creation of the next release: between the two a
    commit may stall for as long as it likes.
    """
    with _held(store, (f"{_BASE}{latest_number(store)}",)):
        yield


def live_refs(store: Store) -> frozenset[str]:
    """Return the candidates in use, and clear away the pins of the dead."""
    return frozenset(item for items in _live(store) for item in items if _is_ref(item))


def live_bases(store: Store) -> frozenset[int]:
    """Return the releases that commits in flight may follow, or newer ones."""
    found = (item for items in _live(store) for item in items if item.startswith(_BASE))
    return frozenset(int(item.removeprefix(_BASE)) for item in found)


def who_uses(store: Store, refs: frozenset[str]) -> tuple[str, ...]:
    """Return the processes that use any of the candidates."""
    pins = [items for items in _live(store) if not refs.isdisjoint(items)]
    named = ([item.removeprefix(_WHO) for item in pin if item.startswith(_WHO)] for pin in pins)
    return tuple(sorted({next(iter(names), "a process") for names in named}))


def _is_ref(item: str) -> bool:
    return not item.startswith((_BASE, _WHO))


def _live(store: Store) -> list[list[str]]:
    found: list[list[str]] = []
    for lock in store.pins.glob(f"*{locks.SUFFIX}"):
        note = lock.with_suffix(_NOTE)
        if not locks.bury(lock, note):
            # No note yet: its owner will look for the release only after writing one.
            found.append(_read(note))
    return found


def _pin(store: Store, refs: tuple[str, ...]) -> AbstractContextManager[object]:
    """Pin, where the disk takes one: readers of a full disk rely on the grace period too."""
    if not os.access(store.pins, os.W_OK):
        return nullcontext()
    with ExitStack() as stack:
        try:
            stack.enter_context(_held(store, refs))
        except OSError as error:
            if error.errno not in FULL:
                raise
            return nullcontext()
        return stack.pop_all()


@contextmanager
def _held(store: Store, refs: tuple[str, ...]) -> Iterator[None]:
    lock = store.pins / f"{files.unique_name()}{locks.SUFFIX}"
    note = lock.with_suffix(_NOTE)
    with locks.alive(lock):
        files.replace(note, json.dumps((*refs, f"{_WHO}{_who()}")).encode(), durable=False)
        try:
            yield
        finally:
            files.remove(note)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return f"process {os.getpid()} of {user} on {socket.gethostname()}"


def _read(note: Path) -> list[str]:
    try:
        found = json.loads(note.read_bytes())
    except FileNotFoundError:
        return []
    return [str(ref) for ref in found]
