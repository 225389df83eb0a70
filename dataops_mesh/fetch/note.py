"""What is known of a source without asking it: a note beside the files that were fetched last."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dataops_mesh.fetch.driver import Before, Piece
from dataops_mesh.spec.model import Product, Source
from dataops_mesh.store import files
from dataops_mesh.store.store import Store

SPARE = 7200.0  # seconds for which a run may still read what another has replaced
_NOTE = "note.json"


@dataclass(frozen=True, slots=True)
class Note:
    """What was fetched last, and what was seen since.

    Args:
        files: name, path below the note's folder, mark.
        content: the fingerprint of these files; empty if nothing was fetched yet.
        mark: what a look answered then.
        fetched: when, in seconds.
        since: when this content was fetched for the first time, in seconds.
        looked: when somebody last asked.
        seen: what a look has found since: another mark; `absent`; empty for the same.
        trouble: why the last look or fetch failed.
        failed: when a fault ended the last fetch, in seconds; 0 if none did. Once the source
            answers again, it is fetched again.
    """

    files: tuple[tuple[str, str, str], ...] = ()
    content: str = ""
    mark: str = ""
    fetched: float = 0.0
    looked: float = 0.0
    seen: str = ""
    trouble: str = ""
    failed: float = 0.0
    since: float = 0.0


ABSENT = "absent"
UNKNOWN = "after "  # of what was fetched at that time, it may be something new


def place(store: Store, product: Product, source: Source, key: str) -> Path:
    """Return the folder of what is fetched of a source; each product has its own."""
    remote = source.remote.of(key) if source.remote else None
    what = remote and (remote.query or remote.resource)
    asked = repr(remote and (remote.url, what, remote.connection, remote.changed))
    name = hashlib.sha256(asked.encode()).hexdigest()[:24]
    return of_product(store, product.qualified_name) / name


def of_product(store: Store, name: str) -> Path:
    """Return the folder of all that is fetched for a product."""
    return store.fetched / name


def read(folder: Path) -> Note:
    """Return the note; an empty one where there is none, or a damaged one."""
    try:
        found = json.loads((folder / _NOTE).read_bytes())
        found["files"] = tuple((str(n), str(p), str(m)) for n, p, m in found["files"])
        return Note(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return Note()


def write(folder: Path, note: Note) -> None:
    """Put a note in the place of the last one, at once."""
    files.replace(folder / _NOTE, json.dumps(asdict(note)).encode(), durable=False)


def pieces(folder: Path, note: Note) -> tuple[Piece, ...]:
    """Return the files of a note; none if one of them is gone."""
    found = tuple(Piece(name, folder / path, mark) for name, path, mark in note.files)
    return found if all(piece.path.is_file() for piece in found) else ()


def before(folder: Path, note: Note) -> Before:
    """Return what a driver may leave as it is."""
    found = pieces(folder, note)
    return Before(found, note.mark) if found else Before()


def known(note: Note) -> str:
    """Return a digest of what there is, as far as anybody has seen; empty if there is nothing.

    >>> known(Note(content="c", seen=ABSENT)), known(Note(content="c")), known(Note(seen="etag 2"))
    ('', 'c', '68675f5eae9b8c0b')
    """
    if note.seen == ABSENT:
        return ""
    failed = f" after {note.failed}" if note.failed and not note.trouble else ""
    if note.seen or failed:
        return hashlib.sha256(f"{note.seen or note.content}{failed}".encode()).hexdigest()[:16]
    return note.content


def delivered(note: Note) -> float | None:
    """Return when what there is was delivered, as far as anybody has seen; None if nothing is.

    >>> delivered(Note(content="c", since=7.0, looked=9.0))
    7.0
    >>> delivered(Note(content="c", since=7.0, looked=9.0, seen="etag 2"))
    9.0
    """
    if note.seen == ABSENT or not (note.content or note.seen):
        return None
    if note.seen and not note.seen.startswith(UNKNOWN):
        return note.looked
    return note.since or note.fetched


def after_fetch(
    folder: Path, found: Iterable[Piece], content: str, mark: str, old: Note | None = None
) -> Note:
    """Return the note of what was just fetched."""
    listed = tuple((p.name, str(p.path.relative_to(folder)), p.mark) for p in found)
    now = time.time()
    known = old.since or old.fetched if old and old.content == content else 0.0
    return Note(listed, content, mark, fetched=now, looked=now, since=known or now)


def after_look(note: Note, seen: str, trouble: str = "") -> Note:
    """Return the note after somebody asked; after trouble what was seen before still counts."""
    if trouble:
        return replace(note, looked=time.time(), trouble=trouble)
    return replace(note, looked=time.time(), trouble="", seen="" if seen == note.mark else seen)


def after_fault(note: Note, trouble: str) -> Note:
    """Return the note after a fetch that a fault has ended."""
    now = time.time()
    return replace(note, looked=now, failed=now, trouble=trouble)


def sweep(folder: Path, note: Note) -> None:
    """Delete what earlier fetches left, once nobody can be reading it any more."""
    kept = {folder / path for _, path, _ in note.files}
    for path in sorted(folder.rglob("*"), reverse=True):
        with suppress(OSError):
            if path.is_dir():
                if time.time() - path.stat().st_mtime > SPARE:
                    path.rmdir()  # refused by the system unless it is empty
            elif path not in kept and path != folder / _NOTE:
                _unlink_old(path)


def forget(folder: Path, age: float = 0.0) -> None:
    """Delete what was fetched and keep the note: what it was is known, and it is fetched again.

    Args:
        folder: of a source, or of all that is fetched for a product.
        age: in seconds; what was fetched since is left.
    """
    for path in folder.rglob("*"):
        if path.is_file() and path.name != _NOTE:
            _unlink_old(path, age)


def _unlink_old(path: Path, age: float = SPARE) -> None:
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_ctime >= age:
            files.remove(path)
