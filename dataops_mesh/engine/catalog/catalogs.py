"""Each domain's catalog follows the log: derived, behind, and never the truth.

A catalog is written again when the domain's node is another one, and no other is touched. It is
written aside from a copy of the last one, in which only the changed views are replaced, and
renamed into place: a client keeps the release it opened. Nothing here opens it under its own
name, because DuckDB keeps one instance for each path of a process and would answer from an older
file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from dataops_mesh.engine import sql
from dataops_mesh.engine.catalog import note, views
from dataops_mesh.engine.catalog.note import Note, Written
from dataops_mesh.engine.catalog.views import Shown
from dataops_mesh.errors import UnknownNameError
from dataops_mesh.spec.names import DUCKDBS
from dataops_mesh.store import files, locks
from dataops_mesh.store.log import GoneError, Release, as_it_was, latest, ports_of
from dataops_mesh.store.scratch import scratch_folder
from dataops_mesh.store.store import Store

_LOCK_SECONDS = 60.0
_SUFFIX = ".duckdb"
_ATTEMPTS = 5
ATTACH = "attach.sql"
# A database cannot be attached under a name that DuckDB uses itself.
_RESERVED = DUCKDBS | {"main"}
# In older versions one file had the views of all domains; left there it would answer with old rows.
_FORMER = ("catalog.duckdb", "catalog.duckdb.wal", "catalog.lock", "cache/catalog.json")


def refresh(store: Store) -> tuple[Path, ...]:
    """Bring the catalogs up to the latest release; only those of domains that changed are written.

    Returns:
        the catalogs that somebody had changed; they are written again.
    """
    with _alone(store):
        wrong = changed(store)
        names = {path.stem for path in wrong}
        _follow(store, names.__contains__)
    return wrong


def rebuild(store: Store) -> int:
    """Write every catalog from nothing but the log and return its release's number."""
    with _alone(store):
        return _follow(store, lambda _: True)


def changed(store: Store) -> tuple[Path, ...]:
    """Return the catalogs that are there and are not what was written; costs a stat of each."""
    known = note.read(store).written
    found = {path_of(store, domain) for domain in known} | set(store.catalogs.glob(f"*{_SUFFIX}"))
    return tuple(
        path for path in sorted(found) if not note.is_as_written(path, known.get(path.stem))
    )


def path_of(store: Store, domain: str) -> Path:
    """Return the catalog of a domain."""
    return store.catalogs / f"{domain}{_SUFFIX}"


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    files.make_folder(store.catalogs)
    with locks.exclusive(store.catalogs / "write.lock", seconds=_LOCK_SECONDS):
        yield


def _follow(store: Store, anew: Callable[[str], bool]) -> int:
    """Bring each domain's catalog to the latest release and return that release's number.

    Args:
        store: the store.
        anew: tells of a domain that its catalog is to be written from nothing.
    """
    for attempt in range(_ATTEMPTS):
        release = latest(store)
        try:
            _bring(store, release, anew)
        except GoneError:  # it is not pinned, and others published and collected meanwhile
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            break
    for name in _FORMER:
        if (store.root / name).exists():
            files.remove(store.root / name)
    return release.number


def _bring(store: Store, release: Release, anew: Callable[[str], bool]) -> None:
    known = note.read(store)
    if known.root != str(store.root):  # the store was moved, and views name files by their path
        stale = {domain: replace(one, node="") for domain, one in known.written.items()}
        known = Note(str(store.root), stale)
        note.put(store, known)
    nodes = ports_of(release).nodes
    for domain, node in sorted(nodes.items()):
        before = known.written.get(domain)
        there = before is not None and bool(before.state) == path_of(store, domain).exists()
        if anew(domain) or before is None or before.node != node or not there:
            _write(store, release, domain, anew=anew(domain) or not there)
    here = {path.stem for path in store.catalogs.glob(f"*{_SUFFIX}")}
    for domain in sorted((known.written.keys() | here) - nodes.keys()):
        _drop(store, domain, None)
    _write_attach(store)


def _write(store: Store, release: Release, domain: str, *, anew: bool) -> None:
    """Write a catalog aside and rename it into place."""
    # Ports of its own: what was read of the partitions of other domains is let go.
    ports, target = ports_of(release).seen({}), path_of(store, domain)
    node = ports.nodes[domain]
    if next(ports.lights(domain), None) is None:
        _drop(store, domain, Written(node))
        return
    number: int = ports.blob((domain, node))["number"]
    shown = Shown(store, domain, number, _when(store, release, number), ports)
    before = note.read(store).written.get(domain, Written())
    with scratch_folder(store) as folder:
        aside = folder / target.name
        files.before("write", aside)
        if anew or not _again(target, aside, shown):
            aside.unlink(missing_ok=True)
            views.write(aside, shown)
        files.sync(aside)
        files.freeze(aside)  # its clients read it; a copy of it can be written
        digest = files.digest(aside)
        # Noted before it is there, beside the one that is: a crash between leaves either, and
        # neither is somebody else's.
        _note_down(store, domain, replace(before, digests=(digest, *before.digests), state=()))
        files.remove(note.left_behind(target))
        files.move(aside, target)
    _note_down(store, domain, Written(node, (digest,), note.state_of(target)))


def _again(target: Path, aside: Path, shown: Shown) -> bool:
    """Write what is new into a copy; tell whether that could be done."""
    try:
        shutil.copyfile(target, aside)
        views.write(aside, shown)
    except (FileNotFoundError, sql.engine_error()):  # lost or damaged; it is derived
        return False
    return True


def _when(store: Store, release: Release, number: int) -> datetime | None:
    """Return when a domain was changed last."""
    with suppress(UnknownNameError):
        return (release if number == release.number else as_it_was(store, number)).at
    return None


def _drop(store: Store, domain: str, written: Written | None) -> None:
    """Leave no catalog of a domain of which nothing is published."""
    for path in (path_of(store, domain), note.left_behind(path_of(store, domain))):
        if path.exists():
            files.remove(path)
    _note_down(store, domain, written)


def _note_down(store: Store, domain: str, written: Written | None) -> None:
    known = dict(note.read(store).written)
    known.pop(domain, None)
    if written is not None:
        known[domain] = written
    note.put(store, Note(str(store.root), known))


def _write_attach(store: Store) -> None:
    """Write the script that opens all domains in one session, if they are others."""
    found = sorted(path for path in store.catalogs.glob(f"*{_SUFFIX}"))
    lines = [
        f"ATTACH IF NOT EXISTS {sql.literal(path)} AS {_name(path)} (READ_ONLY);" for path in found
    ]
    data = "\n".join(
        ["-- Every domain as a database; an address is `domain.port`.", *lines, ""]
    ).encode()
    path = store.catalogs / ATTACH
    try:
        known = files.read(path)
    except FileNotFoundError:
        known = b""
    if known != data:
        files.replace(path, data, durable=False)


def _name(path: Path) -> str:
    """Return under which name a catalog is attached, which is how DuckDB calls it too."""
    return sql.identifier(f"{path.stem}_db" if path.stem in _RESERVED else path.stem)
