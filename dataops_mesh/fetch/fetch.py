"""Fetching a source, looking whether there is anything new, and what is known without either."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_IMODE

from dataops_mesh.connections import Connections, parts_of
from dataops_mesh.engine.source import fingerprint
from dataops_mesh.errors import Problem, SourceError
from dataops_mesh.fetch import note as notes
from dataops_mesh.fetch.driver import Driver, Fetched, Piece, Say, Where
from dataops_mesh.fetch.faults import Absent, Fault, Refusal, retrying
from dataops_mesh.fetch.note import Note
from dataops_mesh.spec.model import InputPort, Product, Source
from dataops_mesh.spec.remote import Remote
from dataops_mesh.store import files
from dataops_mesh.store.store import Store

_OURS = 0o700
EVERY = 300.0  # seconds between two looks, where nobody said
_DATABASES = ("postgresql://", "sqlite:///")


@dataclass(frozen=True, slots=True)
class Asked:
    """A remote source, of one product and partition.

    Args:
        product: whose it is.
        port: the input port.
        source: what the port says.
        remote: what is fetched for the partition.
        folder: where what was fetched lies, with its note.
    """

    product: Product
    port: InputPort
    source: Source
    remote: Remote
    folder: Path

    @classmethod
    def of(cls, store: Store, product: Product, port: InputPort, key: str) -> Asked:
        """Return the source of an input port that has a remote one."""
        if port.source is None or port.source.remote is None:
            raise ValueError(port.name)
        folder = notes.place(store, product, port.source, key)
        return cls(product, port, port.source, port.source.remote.of(key), folder)

    def where(self, connections: Connections) -> Where:
        """Return what a driver is asked.

        Raises:
            SourceError: its connection is not known here, or is not for this product.
        """
        name = self.remote.connection
        found = connections.find(name, self.product, self.source.where) if name else ""
        if isinstance(found, Problem):
            raise SourceError(found)
        return Where(self.remote, found, connections.root)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was fetched: the files, and what the next fetch goes on from, if it does."""

    paths: tuple[Path, ...] = ()
    state: bytes = b""


def fetch(
    store: Store, asked: Asked, connections: Connections, say: Say, driver: Driver | None = None
) -> Delivered:
    """Return the files of a remote source, fetched unless they are here already.

    They are written beside the last ones, and the note leads to them once all are whole; so
    nobody ever reads half a file, and a run that reads the last ones goes on.

    Args:
        store: in whose cache they lie.
        asked: the source.
        connections: where this process finds them.
        say: told how far it is.
        driver: what fetches it; absent for the one of its address.

    Raises:
        SourceError: it cannot be fetched; says where it stands, and no secret.
    """
    name, folder = asked.port.name, asked.folder
    old = notes.read(folder)
    before = notes.before(folder, old)
    where = asked.where(connections)
    driver = driver or _driver(where, asked.source)

    def once() -> Fetched:
        into = folder / files.unique_name()
        files.make_folder(into)
        try:
            return driver.fetch(where, before, into, lambda text: say(f"fetching {name}: {text}"))
        except BaseException:
            files.remove_tree(into)
            raise

    _shut(store.fetched)
    say(f"fetching {name}")
    found = _told(asked, lambda: retrying(once, lambda text: say(f"{name} {text}")), old)
    paths = tuple(piece.path for piece in found.pieces)
    for path in paths:
        files.sync(path)
    content = fingerprint(store, paths)
    if before.pieces and content == old.content:
        found = replace(found, pieces=_same(found, before.pieces))
    new = notes.after_fetch(folder, found.pieces, content, found.mark, old)
    notes.write(folder, new)
    _drop_unnamed(found, paths)
    notes.sweep(folder, new)
    return Delivered(tuple(piece.path for piece in found.pieces), found.state)


def look(asked: Asked, connections: Connections) -> str:
    """Ask whether a source has anything new, unless somebody asked a moment ago.

    Nothing is fetched, and nothing is raised: what went wrong is on the note, and returned.
    """
    old = notes.read(asked.folder)
    if not is_look_due(asked):
        return old.trouble
    try:
        new = _looked(asked, old, connections)
    except (Fault, Refusal) as error:
        new = notes.after_look(old, old.seen, f'source "{asked.port.name}" {error}')
    except SourceError as error:
        new = notes.after_look(old, old.seen, error.problems[0].what)
    with suppress(OSError):  # a full disk: asked again at the next look
        files.make_folder(asked.folder)
        notes.write(asked.folder, new)
    return new.trouble


def is_look_due(asked: Asked) -> bool:
    """Tell whether nobody has looked for as long as the source says."""
    return time.time() - notes.read(asked.folder).looked >= (asked.remote.every or EVERY)


def known(asked: Asked) -> str:
    """Return a digest of what a source holds as far as anybody has seen; empty if nothing.

    Right after a fetch it is the fingerprint of the files. Asks nobody.
    """
    return notes.known(notes.read(asked.folder))


def delivered(asked: Asked) -> float | None:
    """Return when what a source holds was delivered, in seconds; None if nothing is there.

    Asks nobody: what nobody has ever looked at is not known to be missing, and is as new as can be.
    """
    note = notes.read(asked.folder)
    return notes.delivered(note) if note != Note() else math.inf


def _looked(asked: Asked, old: Note, connections: Connections) -> Note:
    where = asked.where(connections)
    try:
        seen = _seen(where, asked, old)
    except Absent:
        return notes.after_look(old, notes.ABSENT)
    if seen is None:  # nobody can say: it may be new each time, if somebody said how often
        every = asked.remote.every
        is_time = not old.content or (every and time.time() - old.fetched >= every)
        seen = f"{notes.UNKNOWN}{old.fetched}" if is_time else old.mark
    return notes.after_look(old, seen)


def _seen(where: Where, asked: Asked, old: Note) -> str | None:
    if where.remote.resource:  # it would have to be run
        return None
    return _driver(where, asked.source).look(where, notes.before(asked.folder, old))


def _shut(folder: Path) -> None:
    """Let nobody but the pipeline's user in: some of it is published masked."""
    files.make_folder(folder)
    if S_IMODE(folder.stat().st_mode) != _OURS:
        files.allow(folder, _OURS)


def _driver(where: Where, source: Source) -> Driver:
    if where.remote.url:
        from dataops_mesh.fetch.bucket import Bucket
        from dataops_mesh.fetch.web import Web

        return Bucket() if where.remote.is_bucket else Web()
    from dataops_mesh.fetch import postgres, sqlite

    parts = parts_of(where.address)
    scheme = parts.scheme if parts else ""
    if scheme in postgres.SCHEMES:
        return postgres.Postgres()
    if scheme in sqlite.SCHEMES:
        return sqlite.Sqlite()
    what = f'the connection "{where.remote.connection}" is of no database that can be asked'
    raise SourceError(Problem(what, source.where, "connection", _DATABASES))


def _told(asked: Asked, work: Callable[[], Fetched], old: Note) -> Fetched:
    head = f'source "{asked.port.name}" ({asked.source.path})'
    key = next(key for key in ("url", "query", "resource") if getattr(asked.remote, key))
    then = "run it again later; nothing was published"
    try:
        return work()
    except Fault as error:
        what = f"{head} {error}"
        with suppress(OSError):
            notes.write(asked.folder, notes.after_fault(old, what))
    except Refusal as error:
        then = error.then or "correct the source, its connection, or what that may read"
        what = f"{head} {error}"
    raise SourceError(Problem(what, asked.source.where, key, next=then))


def _same(found: Fetched, before: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Return the files of before with the marks of now: the content is the same."""
    paths = {piece.name: piece.path for piece in before}
    return tuple(
        Piece(piece.name, paths.get(piece.name, piece.path), piece.mark) for piece in found.pieces
    )


def _drop_unnamed(found: Fetched, paths: tuple[Path, ...]) -> None:
    """Delete what was fetched and turned out to be here already."""
    named = {piece.path for piece in found.pieces}
    for path in paths:
        if path not in named:
            files.remove(path)
            with suppress(OSError):
                path.parent.rmdir()  # refused by the system unless it is empty
