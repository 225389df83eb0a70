"""Who uses what right now, so that a collection leaves it alone.

A pin is a lock file (held while its process lives) and a note beside it of what is used. No
lock is shared between readers, publishers and the collection; what makes that safe is the order
of their steps: a reader notes its release and then makes sure that it is not closed, while a
collection closes releases and then reads the notes. Whoever writes is noted before it writes, and
a collection deletes nothing that is younger than the oldest of them.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from dataops_mesh.errors import FULL, StoreError
from dataops_mesh.store import files, locks, record
from dataops_mesh.store.log import (
    Release,
    as_it_was,
    closed,
    is_open,
    latest,
    latest_number,
    past_ports,
    ports_of,
)
from dataops_mesh.store.manifest import folder, read_manifest
from dataops_mesh.store.removing.removal import Removal, removal_numbers, removals
from dataops_mesh.store.removing.removed import Taken, without_removed
from dataops_mesh.store.store import PRODUCTION, Store
from dataops_mesh.store.tree.mark import Marked, mark_shown
from dataops_mesh.store.tree.ports import Ports

_NOTE = ".json"


@dataclass(frozen=True, slots=True)
class Pin:
    """What one process uses.

    Args:
        who: the process, for people.
        release: the number of the release that it reads; 0 if it reads none.
        nodes: what that release shows; of a closed one, what lists what is kept of it.
        whole: it was not closed.
        refs: candidates that it builds.
        writes: it is about to write, so nothing younger than it is deleted.
        known: the newest removal that it has heard of: it does not read what that took.
        since: when it began, in seconds.
        line: whose release it reads.
    """

    who: str = "a process"
    release: int = 0
    nodes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    whole: bool = True
    refs: tuple[str, ...] = ()
    writes: bool = False
    known: int = 0
    since: float = 0.0
    line: str = PRODUCTION


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
        found = latest(store) if release is None else as_it_was(store, release)
        whole = is_open(store, found.number)
        read = found if whole else latest(store)  # what is kept of a closed one, the newest lists
        erased = removal_numbers(store, found.origin)
        known, nodes = max(erased, default=0), ports_of(read).nodes
        pin = Pin(_who(), found.number, nodes, whole, known=known, line=store.line)
        with _pin(store, pin):
            again = not is_open(store, read.number) and latest_number(store) > read.number
            if again or erased != removal_numbers(store, found.origin):
                continue  # a collection was faster; reading it again says what is left
            if not whole:
                found = closed(store, found, ports_of(read))
            if erased:
                taken = None if store.line == PRODUCTION else is_taken(store)
                found = without_removed(found, removals(store, found.origin), taken)
            yield found
            return


@contextmanager
def building(store: Store, ref: str) -> Iterator[Path]:
    """Make a candidate's folder and keep it until it is published, or given up.

    Hold it around the build *and* the commit.
    """
    with _pin(store, Pin(_who(), refs=(ref,))):
        path = folder(store, ref)
        files.make_folder(path)
        yield path


@contextmanager
def committing(store: Store) -> Iterator[None]:
    """Let nothing be deleted that is written from now on, whether a release names it or not yet.

    Hold it around the writing of what a release names *and* the creation of the release.
    """
    with _held(store, Pin(_who(), writes=True)):
        yield


def live_pins(store: Store) -> tuple[Pin, ...]:
    """Return what is used, and clear away the pins of the dead."""
    found = []
    for lock in store.pins.glob(f"*{locks.SUFFIX}"):
        note = lock.with_suffix(_NOTE)
        try:
            since = lock.stat().st_mtime
        except FileNotFoundError:
            continue
        if not locks.bury(lock, note):
            found.append(replace(_read(note), since=since))
    return tuple(found)


def live_builds(store: Store) -> frozenset[str]:
    """Return the candidates that are being built."""
    return frozenset(ref for pin in live_pins(store) for ref in pin.refs)


def who_uses(store: Store, refs: frozenset[str], removal: int) -> tuple[str, ...]:
    """Return the processes that use any of the candidates that a removal takes."""
    return tuple(sorted({pin.who for pin in live_pins(store) if _uses(store, pin, refs, removal)}))


def is_taken(store: Store) -> Taken:
    """Return what tells, by its evidence, whether a removal takes a candidate."""

    def taken(ref: str, removal: Removal) -> bool:
        try:
            return removal.takes(read_manifest(store, ref))
        except StoreError:  # nothing of it is left, or it cannot be known
            return True

    return taken


def _uses(store: Store, pin: Pin, refs: frozenset[str], removal: int) -> bool:
    if not refs.isdisjoint(pin.refs):
        return True
    heard = pin.known >= removal and (pin.line != PRODUCTION or removal > pin.release)
    if not pin.release or heard:
        return False
    found = Marked()
    if pin.whole:
        mark_shown(store.root, pin.nodes, "", found)
        return not refs.isdisjoint(found.refs)
    ports = past_ports(store, Ports(store.root, pin.nodes), pin.release)
    return not refs.isdisjoint(ref for entry in ports.values() for ref in entry.refs)


def _pin(store: Store, pin: Pin) -> AbstractContextManager[object]:
    """Pin, where the disk takes one: readers of a full disk rely on the grace period too."""
    if not os.access(store.pins, os.W_OK):
        return nullcontext()
    with ExitStack() as stack:
        try:
            stack.enter_context(_held(store, pin))
        except OSError as error:
            if error.errno not in FULL:
                raise
            return nullcontext()
        return stack.pop_all()


@contextmanager
def _held(store: Store, pin: Pin) -> Iterator[None]:
    lock = store.pins / f"{files.unique_name()}{locks.SUFFIX}"
    note = lock.with_suffix(_NOTE)
    with locks.alive(lock):
        files.replace(note, json.dumps(record.plain(pin)).encode(), durable=False)
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


def _read(note: Path) -> Pin:
    """Return what a pin says; without a note its owner has not looked at a release yet."""
    try:
        found = json.loads(files.read(note))
    except FileNotFoundError:
        return Pin(writes=True)
    if isinstance(found, list):  # of an older version
        return Pin(refs=tuple(str(item) for item in found))
    pin: Pin = record.build(Pin, found)
    return pin
