"""What was written, so that a catalog that somebody changed is seen and written again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dataops_mesh.store import files
from dataops_mesh.store.store import Store

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Written:
    """One catalog, as it was written.

    Args:
        node: the digest of the domain's node that it shows.
        digests: of its content; two while another is put in its place.
        state: of the file, by which it is known without being read.
    """

    node: str = ""
    digests: tuple[str, ...] = ()
    state: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """All catalogs of a store, by their domains.

    Args:
        root: where the store was; its catalogs name files there.
    """

    root: str
    written: Mapping[str, Written] = field(default_factory=dict)


def read(store: Store) -> Note:
    """Return what was written; nothing where nobody knows."""
    try:
        found = json.loads(files.read(_path(store)))
        if found["format"] == _FORMAT:
            written = {
                domain: Written(one["node"], tuple(one["digests"]), tuple(one["state"]))
                for domain, one in found["written"].items()
            }
            return Note(found["root"], written)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return Note(str(store.root))


def put(store: Store, note: Note) -> None:
    """Keep what was written."""
    data = json.dumps({"format": _FORMAT, **asdict(note)})
    files.replace(_path(store), data.encode(), durable=False)


def is_as_written(path: Path, written: Written | None) -> bool:
    """Tell whether a catalog that is there is what was written; costs a stat normally."""
    if left_behind(path).exists():
        return False
    state = state_of(path)
    if not state or written is None:
        return not state
    return state == written.state or files.digest(path) in written.digests


def left_behind(path: Path) -> Path:
    """Return what a client leaves that wrote and did not end well; others would read it."""
    return path.with_name(f"{path.name}.wal")


def state_of(path: Path) -> tuple[int, ...]:
    """Return by what a file is known; nothing of one that is not there."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return ()
    return state.st_ino, state.st_size, state.st_ctime_ns


def _path(store: Store) -> Path:
    return store.cache / "catalogs.json"
