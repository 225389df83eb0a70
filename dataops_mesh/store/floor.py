"""Up to which number releases are closed: what they showed may be deleted, and nobody reads it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dataops_mesh.errors import FULL
from dataops_mesh.store import files
from dataops_mesh.store.store import Store

_FLOOR = "floor"


def floor(store: Store) -> int:
    """Return the number of the newest release that is closed; 0 if none is."""
    return number_in(store.releases / _FLOOR) or 0


def raise_floor(store: Store, number: int) -> int:
    """Close releases up to a number, before anything that they show is deleted.

    Returns:
        Up to which number they are closed; a full disk may keep one from being so.
    """
    path = store.releases / _FLOOR
    data = f"{number:08d}".encode()
    try:
        files.replace(path, data)
    except OSError as error:
        if error.errno not in FULL:
            raise
        with suppress(OSError):  # in its place it needs no room
            _write_in_place(path, data)
    return floor(store)


def number_in(path: Path) -> int | None:
    """Return the number that a small file holds, if it does."""
    try:
        return int(files.read(path))
    except (OSError, ValueError):
        return None


def _write_in_place(path: Path, data: bytes) -> None:
    files.before("write", path)
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.pwrite(descriptor, data, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
