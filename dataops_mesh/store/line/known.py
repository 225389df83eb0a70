"""Which sandboxes there are.

<store>/heads/sandboxes/<name>~<token>/<n>.json      its releases; the last says that it is closed
<store>/sandboxes/<name>~<token>/                    its ledger, its Dagster, what is pending

The token is new each time, so a name can be used again at once and no number means two things.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from dataops_mesh.errors import CorruptError, Problem, UnknownNameError, did_you_mean
from dataops_mesh.store import files
from dataops_mesh.store.hold import CLOSED
from dataops_mesh.store.log import Release, as_it_was, latest
from dataops_mesh.store.store import PRODUCTION, SANDBOXES, Store

READ = "read"  # a file, as old as the last time that somebody read there
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)
_LINE = re.compile(rf"{SANDBOXES}/{NAME.pattern}~[0-9a-f]{{12}}", re.ASCII)


def heads_of(store: Store) -> Path:
    """Return the folder with a folder of releases for each sandbox."""
    return store.root / "heads" / SANDBOXES


def sandboxes(store: Store) -> tuple[Store, ...]:
    """Return the store on the line of each sandbox, closed ones that are not deleted included."""
    root = heads_of(store)
    names = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
    found = (store.on(f"{SANDBOXES}/{name}") for name in names)
    return tuple(one for one in found if _LINE.fullmatch(one.line) and _has_any(one))


def living(store: Store) -> tuple[tuple[Store, Release], ...]:
    """Return the sandboxes that are not closed, each with its newest release."""
    found: list[tuple[Store, Release]] = []
    for one in sandboxes(store):
        try:
            release = latest(one)
        except UnknownNameError:  # a collection was faster
            continue
        if release.kind != CLOSED:
            found.append((one, release))
    return tuple(found)


def on_line(store: Store, line: str) -> Store:
    """Return the store on a line, by its whole name; never another one by mistake.

    Raises:
        UnknownNameError: there is no such line, or it is closed.
    """
    if line == PRODUCTION:
        return store.production
    if _LINE.fullmatch(line) and _has_any(found := store.on(line)) and is_living(found):
        return found
    raise _unknown(store, line.removeprefix(f"{SANDBOXES}/"))


def find(store: Store, name: str) -> Store:
    """Return the store on the line of a sandbox.

    Args:
        store: the store.
        name: of the sandbox; or with its token, where it must be that one.

    Raises:
        UnknownNameError: there is none of that name, or it is closed.
    """
    if "~" in name:
        return on_line(store, f"{SANDBOXES}/{name}")
    found = [one for one, _ in living(store) if one.sandbox == name]
    if not found:
        raise _unknown(store, name)
    return found[0]


def is_living(store: Store) -> bool:
    """Tell whether a line takes releases."""
    try:
        return latest(store).kind != CLOSED
    except UnknownNameError:
        return False


def is_closed(store: Store) -> bool:
    """Tell whether a sandbox was taken down for certain: one that cannot be read was not."""
    try:
        return latest(store).kind == CLOSED
    except CorruptError:
        return False
    except UnknownNameError:
        return True


def opened(store: Store) -> Release:
    """Return the first release of a sandbox: who opened it, when, from what.

    Where it is damaged, the first that can be read stands for it.
    """
    *_, newest = numbers = sorted(files.numbered(store.releases))
    for number in numbers[:-1]:
        with suppress(CorruptError):
            return as_it_was(store, number)
    return as_it_was(store, newest)


def note_read(store: Store) -> None:
    """Note that somebody reads in a sandbox, so that its disuse can be told."""
    with suppress(OSError):  # who may only read leaves no note
        files.replace(store.own / READ, b"", durable=False)


def last_read(store: Store) -> datetime | None:
    """Return when somebody read in a sandbox last; None if nobody has."""
    try:
        return datetime.fromtimestamp((store.own / READ).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _has_any(store: Store) -> bool:
    return bool(files.numbered(store.releases))


def _unknown(store: Store, name: str) -> UnknownNameError:
    known = sorted({one.sandbox for one, _ in living(store)})
    what = f'there is no sandbox "{name}"{did_you_mean(name, known)}'
    then = f"mesh sandbox up {name}" if NAME.fullmatch(name) else "mesh sandbox list"
    return UnknownNameError(Problem(what, choices=tuple(known), next=then))
