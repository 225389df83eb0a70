"""Locks that the kernel frees when their process dies, so that nobody asks a clock who lives.

Plain `flock`: filelock 4.2 can raise KeyError out of a release when the garbage collector runs
the destructor of another lock at the wrong moment (found by test_state_machine.py).
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.store import files

SUFFIX = ".lock"
_POLL_SECONDS = 0.005


@contextmanager
def alive(path: Path) -> Iterator[None]:
    """Hold a lock file of our own, and delete it at the end."""
    descriptor = _wait(path, seconds=10.0)
    try:
        yield
    finally:
        try:
            files.remove(path)
        finally:
            os.close(descriptor)


@contextmanager
def exclusive(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold a shared lock file that stays, waiting for it if needed."""
    descriptor = _wait(path, seconds)
    try:
        yield
    finally:
        os.close(descriptor)


def is_alive(path: Path) -> bool:
    """Tell whether a process holds the lock file."""
    try:
        descriptor = _take(path, create=False)
    except FileNotFoundError:
        return False
    if descriptor is None:
        return path.exists()
    os.close(descriptor)
    return False


def bury(path: Path, *others: Path) -> bool:
    """Delete the lock file of a dead process, after what belongs to it; tell whether it was."""
    descriptor = _take(path)
    if descriptor is None:
        return False
    try:
        for other in others:
            files.remove_tree(other)
        files.remove(path)
    finally:
        os.close(descriptor)
    return True


def _wait(path: Path, seconds: float) -> int:
    until = time.monotonic() + seconds
    while (descriptor := _take(path)) is None:
        if time.monotonic() > until:
            raise StoreError(
                Problem(f"another process holds {path}", next="wait for it to end, then try again")
            )
        time.sleep(_POLL_SECONDS)
    return descriptor


def _take(path: Path, *, create: bool = True) -> int | None:
    """Lock the file and return its descriptor, or None if another process holds it."""
    try:
        descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o644)
    except PermissionError:  # somebody else's: it is enough to read it
        if not os.access(path, os.R_OK):
            raise
        descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if os.fstat(descriptor).st_nlink == 0:  # buried between opening and locking: a lock on nothing
        os.close(descriptor)
        return None
    return descriptor
