"""The log: release n names what every address resolves to; creating its file is the publication.

    heads/<line>/<n>.json          never removed while the line lives: no number is used twice

Releases are numbered without a gap. Those up to the `floor` are closed: what they did stays on
record, what they showed may be gone. Release 0 of production is empty and has no file; a sandbox's
first number follows that of the release that it was opened from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, record
from dataops_mesh.store.floor import floor, number_in
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.manifest import is_written
from dataops_mesh.store.store import PRODUCTION, Store
from dataops_mesh.store.tree import blobs
from dataops_mesh.store.tree.blobs import GoneError
from dataops_mesh.store.tree.entry import (
    Entry,
    Switch,
    columns_digest,
    entries_of,
    joined,
)
from dataops_mesh.store.tree.growth import Grown
from dataops_mesh.store.tree.part import PUBLICATION, Part
from dataops_mesh.store.tree.past import PastPorts
from dataops_mesh.store.tree.ports import Ports

__all__ = [
    "EMPTY",
    "PUBLICATION",
    "Base",
    "Entry",
    "GoneError",
    "Part",
    "Release",
    "append",
    "columns_digest",
    "entries_of",
    "facts_of_release",
    "grown",
    "joined",
    "latest",
    "latest_number",
    "numbers",
    "path_of",
    "read_release",
]

_HINT = "latest"
_LISTED = 10


@dataclass(frozen=True, slots=True)
class Base:
    """What a sandbox reads of what nobody built in it.

    Args:
        line: whose release it is.
        number: of that release.
        nodes: what that release showed.
        origin: the release of production behind it, as removals count.
        subset: the part of its rows that is shown, for example `5%`; empty for all.
        parameters: the set of parameters that it builds with; empty for that of production.
    """

    line: str
    number: int
    nodes: Mapping[str, str]
    origin: int
    subset: str = ""
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """One state of everything that is published, and why it came to be.

    Args:
        whole: all that was published then is here; else it is closed, and this is what is kept.
        holds: what is not published until somebody or something ends the hold (hold.py).
        withdrawn: what was taken away and not published since, by whom and why.
        decided: the addresses that it is about without switching them: held, or free again.
        about: the product of these.
        partition: the partition of these, if it is about one.
        switches: what it did to each address of `changed`, for the record.
        line: whose release it is: numbers order the releases of one line only.
        base: of a sandbox, what it was opened from, or refreshed to.
        lease: of a sandbox, until when somebody wants it.
        promoted: the line and release that its candidates came from; empty if they were built here.
    """

    number: int
    kind: str
    at: datetime
    changed: tuple[Address, ...] = ()
    ports: Mapping[Address, Entry] = field(default_factory=lambda: MappingProxyType({}))
    run_id: str = ""
    person: str = ""
    reason: str = ""
    whole: bool = True
    holds: Mapping[Address, tuple[Hold, ...]] = field(default_factory=lambda: MappingProxyType({}))
    withdrawn: Mapping[Address, tuple[Hold, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    decided: tuple[Address, ...] = ()
    about: str = ""
    partition: str = ""
    switches: tuple[Switch, ...] = ()
    line: str = PRODUCTION
    base: Base | None = None
    lease: datetime | None = None
    promoted: str = ""

    @property
    def origin(self) -> int:
        """Return the release of production that it goes back to: its own, or its base's."""
        return self.base.origin if self.base else self.number


@dataclass(frozen=True, slots=True)
class _Head(Release):
    """A release as its file says it: by the nodes of what it shows."""

    nodes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


EMPTY = Release(0, PUBLICATION, datetime.fromtimestamp(0, UTC))
_SAID = tuple(one.name for one in fields(Release) if one.name not in {"ports", "whole"})


def latest_number(store: Store) -> int:
    """Return the newest release's number, at a cost that does not grow with their number."""
    number = number_in(store.releases / _HINT)
    if number is None or files.stat(path_of(store, number)) is None:
        number = max(all_numbers(store), default=0)
    while files.stat(path_of(store, number + 1)):
        number += 1
    if not number and store.line != PRODUCTION:
        raise gone_line(store)
    return number


def gone_line(store: Store) -> UnknownNameError:
    """Return the error for who works in a sandbox that somebody took down."""
    what = f"the sandbox {store.sandbox} is gone"
    return UnknownNameError(Problem(what, next=f"mesh sandbox up {store.sandbox}"))


def latest(store: Store) -> Release:
    """Return the newest release."""
    return as_it_was(store, latest_number(store))


def read_release(store: Store, number: int) -> Release:
    """Return one release; of a closed one, what is kept."""
    found = as_it_was(store, number)
    return found if is_open(store, number) else closed(store, found, ports_of(latest(store)))


def is_open(store: Store, number: int) -> bool:
    """Tell whether a release still shows all that it showed."""
    return not number or number > floor(store)


def closed(store: Store, release: Release, newest: Ports) -> Release:
    """Return a release as it is once it is closed.

    Args:
        store: the store.
        release: as it was.
        newest: those of a newer release, which list what is kept.
    """
    return replace(release, ports=past_ports(store, newest, release.number), whole=False)


def past_ports(store: Store, newest: Ports, number: int) -> PastPorts:
    """Return what is kept of a closed release."""
    doomed = doomed_refs(store)
    return PastPorts(newest, number, lambda ref: ref not in doomed and is_written(store, ref))


def ports_of(release: Release) -> Ports:
    """Return what a release of the log shows, as the tree that it is."""
    if not isinstance(release.ports, Ports):
        raise TypeError(release.number)
    return release.ports


def numbers(store: Store) -> list[int]:
    """Return the numbers of all releases that are not closed, in no order."""
    lowest = floor(store)
    return [number for number in all_numbers(store) if number > lowest]


def path_of(store: Store, number: int) -> Path:
    """Return the file of a release."""
    return store.releases / f"{number:08d}.json"


def facts_of_release(release: Release) -> dict[str, Any]:
    """Return all that a release says of itself, as plain data; not what it shows."""
    return {name: record.plain(getattr(release, name)) for name in _SAID}


def grown(release: Release, after: Grown) -> Release:
    """Return a release with what it makes of everything."""
    changed = tuple(sorted(switch.address for switch in after.switches))
    return replace(release, ports=after.ports, switches=after.switches, changed=changed)


def encoded(release: Release) -> bytes:
    """Return the content of a release's file."""
    said = {**facts_of_release(release), "nodes": dict(ports_of(release).nodes)}
    return record.encode(said, indent=None)


def append(store: Store, release: Release) -> bool:
    """Publish: create the release's file unless somebody was faster; first what it names."""
    path = path_of(store, release.number)
    blobs.write(store, ports_of(release).pending)
    try:
        if not files.create(path, encoded(release)):
            return False
    except FileNotFoundError:
        if store.line == PRODUCTION:
            raise
        raise gone_line(store) from None
    hint = number_in(store.releases / _HINT)  # it only goes forward, unless it leads nowhere
    if hint is None or hint < release.number or files.stat(path_of(store, hint)) is None:
        files.replace(store.releases / _HINT, str(release.number).encode(), durable=False)
    return True


def doomed_refs(store: Store) -> frozenset[str]:
    """Return the candidates that a collection is deleting: no release that is closed shows them."""
    try:
        return frozenset(files.read(doomed_path(store)).decode().split("\n"))
    except FileNotFoundError:
        return frozenset()


def doomed_path(store: Store) -> Path:
    """Return the file that names what a collection is deleting."""
    return store.root / "collecting"


def as_it_was(store: Store, number: int) -> Release:
    """Return a release as it was, closed or not."""
    if not number:
        return replace(EMPTY, ports=Ports(store.root, line=store.line))
    path = path_of(store, number)
    try:
        data = files.read(path)
    except FileNotFoundError:
        known = sorted(all_numbers(store))[-_LISTED:]
        raise UnknownNameError(
            Problem(
                f"the store has no release {number}",
                choices=tuple(str(item) for item in known),
                next="choose one of them",
            )
        ) from None
    head = record.decode(_Head, data, path)
    said = {name: getattr(head, name) for name in _SAID}
    return Release(**said, ports=Ports(store.root, head.nodes, line=store.line))


def all_numbers(store: Store) -> list[int]:
    """Return the numbers of all releases, closed ones included, in no order."""
    return files.numbered(store.releases)


def identity(store: Store) -> str:
    """Return what tells a store from others, wherever it is moved: production's first release."""
    line = store.on(PRODUCTION)
    first = min(all_numbers(line), default=0)
    return hashlib.sha256(files.read(path_of(line, first))).hexdigest()[:16] if first else ""
