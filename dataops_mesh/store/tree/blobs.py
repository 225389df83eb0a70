"""Blobs of the tree: JSON that people can read, under the digest of its content."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from dataops_mesh.errors import CorruptError, Problem, StoreError
from dataops_mesh.store import files
from dataops_mesh.store.store import Store

Blob = dict[str, Any]
Place = tuple[str, str]  # domain and digest
_SUFFIX = ".json"
_CACHED_BYTES = 32_000_000


class GoneError(StoreError):
    """A blob is not there: its release was closed by a collection, or the store is damaged."""


@dataclass(frozen=True, slots=True)
class Found:
    """A blob's file, as a list of the folder says it."""

    place: Place
    path: Path
    bytes: int
    made: float


def encode(blob: Blob) -> tuple[str, bytes]:
    """Return a blob's digest and its file's content; what is equal is the same."""
    text = json.dumps(blob, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    data = text.encode()
    return digest_of(data), data


def digest_of(data: bytes) -> str:
    """Return the name of a blob with this content."""
    return hashlib.sha256(data).hexdigest()[:40]


def path_of(root: Path, place: Place) -> Path:
    """Return the file of a blob in the store's folder."""
    domain, digest = place
    return root / "tree" / domain / f"{digest}{_SUFFIX}"


def read(root: Path, place: Place) -> Blob:
    """Return a blob. Nobody may change it: it is kept for whoever asks next.

    Raises:
        GoneError: it is not there.
        CorruptError: it is not what its name says.
    """
    found = _CACHE.get(root, place)
    if found is not None:
        return found
    path = path_of(root, place)
    try:
        data = files.read(path)
    except FileNotFoundError:
        raise GoneError(
            Problem(
                f"{path} is gone",
                next="try again: a collection may have been faster; "
                "`mesh store verify` says if it is damage",
            )
        ) from None
    if digest_of(data) != place[1]:
        raise CorruptError(
            Problem(
                f"{path} is not what its name says",
                next="`mesh store verify` says what is damaged and what mends it",
            )
        )
    blob = decode(data)
    _CACHE.put(root, place, blob, len(data))
    return blob


def write(store: Store, pending: Mapping[Place, bytes]) -> None:
    """Put blobs on the disk; each is there whole before this returns."""
    for domain in {domain for domain, _ in pending}:
        files.make_folder(store.tree / domain)
    files.write({path_of(store.root, place): data for place, data in pending.items()})


def listed(store: Store) -> list[Found]:
    """Return every blob that there is, in no order."""
    return [
        Found((folder.name, item.path.stem), item.path, item.bytes, item.changed)
        for folder in sorted(store.tree.iterdir())
        for item in files.listed(folder)
        if item.path.suffix == _SUFFIX
    ]


class _Cache:
    """The blobs that were read last, up to some size; they never change."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._found: OrderedDict[tuple[Path, Place], tuple[Blob, int]] = OrderedDict()
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Let go of what another thread held when a process was forked."""
        self._lock = threading.Lock()

    def get(self, root: Path, place: Place) -> Blob | None:
        with self._lock:
            found = self._found.get((root, place))
            if found is None:
                return None
            self._found.move_to_end((root, place))
            return found[0]

    def put(self, root: Path, place: Place, blob: Blob, size: int) -> None:
        with self._lock:
            if (root, place) in self._found:
                return
            self._found[root, place] = (blob, size)
            self._size += size
            while self._size > self._most and len(self._found) > 1:
                _, (_, freed) = self._found.popitem(last=False)
                self._size -= freed

    def forget(self, root: Path) -> None:
        with self._lock:
            for key in [key for key in self._found if key[0] == root]:
                self._size -= self._found.pop(key)[1]


_CACHE = _Cache(_CACHED_BYTES)
os.register_at_fork(after_in_child=_CACHE.renew)


def forget(store: Store) -> None:
    """Read every blob of the store from the disk again: `verify` and `restore` ask for that."""
    _CACHE.forget(store.root)


def decode(data: bytes) -> Blob:
    """Return the blob in a file's content."""
    found: Blob = orjson.loads(data)
    return found
