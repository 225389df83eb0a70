"""Opening a sandbox, keeping it, and taking it down: each is one small release of its line."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.store import files, locks
from dataops_mesh.store.floor import raise_floor
from dataops_mesh.store.hold import CLOSED, OPENED, RENEWED
from dataops_mesh.store.holding import Asked, follow, following
from dataops_mesh.store.line.known import NAME, living
from dataops_mesh.store.line.subset import FOLDER, forget, is_subset, move_in, refs_of
from dataops_mesh.store.log import Base, Release, append, as_it_was, ports_of
from dataops_mesh.store.manifest import MANIFEST
from dataops_mesh.store.manifest import folder as folder_of
from dataops_mesh.store.owners import Publisher
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.scratch import scratch_folder
from dataops_mesh.store.store import PRODUCTION, SANDBOXES, Store
from dataops_mesh.store.tree.ports import Ports

NOBODY = Publisher("")
_LOCK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Subset:
    """Which rows a sandbox shows.

    Args:
        part: as people say it, `5%`.
        copy: writes the rows of what a release shows into a folder that does not exist.
    """

    part: str
    copy: Callable[[Release, Path], None]


def open_sandbox(  # noqa: PLR0913, PLR0917 - what a person says of it
    store: Store,
    name: str,
    asked: Asked,
    lease: datetime,
    number: int | None = None,
    subset: Subset | None = None,
    parameters: str = "",
) -> tuple[Store, Release]:
    """Open a line of releases that begins with what another line shows: one small file.

    Args:
        store: the store, on the line that it is opened from.
        name: of the sandbox; no living one may have it.
        asked: who and why.
        lease: until when it is wanted.
        number: the release that it is opened from; the newest if absent.
        subset: which rows it shows; all if absent, and then nothing is copied.
        parameters: the set that it builds with; that of its base if absent.

    Returns:
        The store on the new line, and its first release.

    Raises:
        StoreError: the name is none or taken, or the release is closed.
        UnknownNameError: there is no such release.
    """
    if not NAME.fullmatch(name):
        what = f'"{name}" cannot be the name of a sandbox'
        raise StoreError(Problem(what, next="use a-z, 0-9, - and _, beginning with a letter"))
    if name == PRODUCTION:
        what = f'no sandbox can be called "{name}": it is what everybody reads that is called so'
        raise StoreError(Problem(what, next="mesh sandbox up with another name"))
    files.make_folder(store.root / SANDBOXES)
    line = store.on(f"{SANDBOXES}/{name}~{secrets.token_hex(6)}")
    with pinned(store, number) as base, scratch_folder(store) as scratch:
        _require_base(store, base)
        if subset is not None:
            _require_free(store, name)
            subset.copy(base, scratch / FOLDER)
        with locks.exclusive(store.root / SANDBOXES / "opening", seconds=_LOCK_SECONDS):
            _require_free(store, name)
            first = _first(line, as_it_was(store, base.number), asked, lease)
            first = _otherwise(first, subset.part if subset else "", parameters)
            for folder in (line.releases, line.pending):
                files.make_folder(folder)
            if subset is not None:
                move_in(line, scratch / FOLDER)
            raise_floor(line, base.number)  # what is older was never a release of this line
            append(line, first)
    # What was erased while it was copied.
    forget(store, [ref for ref in refs_of(line) if not (folder_of(store, ref) / MANIFEST).exists()])
    return line, first


def renew(store: Store, asked: Asked, lease: datetime) -> Release:
    """Let a sandbox live on, until then."""
    return follow(store, lambda now: replace(following(now, RENEWED, asked), lease=lease))


def close(store: Store, asked: Asked) -> Release:
    """Take a sandbox down: no commit in flight comes after it, and a collection deletes it."""
    return follow(store, lambda now: following(now, CLOSED, asked))


def has_ended(release: Release, at: datetime) -> bool:
    """Tell whether the lease of a sandbox is over."""
    return release.lease is not None and release.lease <= at


def end_leases(store: Store, person: str, at: datetime) -> tuple[str, ...]:
    """Take down every sandbox whose lease is over, and return their names."""
    ended = []
    for line, release in living(store):
        if has_ended(release, at):
            close(line, Asked(person, "its lease was over", NOBODY))
            ended.append(line.sandbox)
    return tuple(ended)


def _require_free(store: Store, name: str) -> None:
    if any(one.sandbox == name for one, _ in living(store)):
        what = f'there is a sandbox "{name}" already'
        raise StoreError(Problem(what, next=f"mesh sandbox down {name}, or another name"))


def _require_base(store: Store, base: Release) -> None:
    if not base.whole:
        what = f"release {base.number} is closed: not all that it showed is kept"
        raise StoreError(Problem(what, next="choose a newer one"))
    if is_subset(store):
        what = f"{store.sandbox} shows a subset of the rows, and no other sandbox begins with one"
        raise StoreError(Problem(what, next="mesh sandbox up NAME --subset, from production"))


def _otherwise(first: Release, subset: str, parameters: str) -> Release:
    """Return the first release of a sandbox that shows or builds otherwise than its base."""
    if first.base is None:
        raise TypeError(first.line)
    kept = parameters or first.base.parameters
    return replace(first, base=replace(first.base, subset=subset, parameters=kept))


def _first(line: Store, base: Release, asked: Asked, lease: datetime) -> Release:
    nodes = dict(ports_of(base).nodes)
    kept = base.base.parameters if base.base else ""
    return Release(
        number=base.number + 1,
        kind=OPENED,
        at=asked.at or datetime.now(UTC),
        ports=Ports(line.root, nodes, line=line.line),
        run_id=asked.run_id,
        person=asked.person,
        reason=asked.reason,
        # Whose word it was stays; that bytes went is production's to say.
        withdrawn={
            address: tuple(replace(one, erased="") for one in found)
            for address, found in base.withdrawn.items()
        },
        line=line.line,
        base=Base(base.line, base.number, nodes, base.origin, parameters=kept),
        lease=lease,
    )
