"""Locks that the kernel frees when their process dies, so that nobody asks a clock who lives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataops_mesh.engine import files
from dataops_mesh.errors import Problem, StoreError

SUFFIX = ".lock"
_POLL_SECONDS = 0.005
_OWN_SECONDS = 10.0


@contextmanager
def alive(path: Path) -> Iterator[None]:
    """Hold a lock file of our own, and delete it at the end."""
    from filelock import FileLock

    lock = FileLock(path, thread_local=False)
    while True:
        lock.acquire(timeout=_OWN_SECONDS, poll_interval=_POLL_SECONDS)
        if path.exists():
            break
        lock.release()  # buried before we held it
    try:
        yield
    finally:
        try:
            files.remove(path)
        finally:
            lock.release()


def is_alive(path: Path) -> bool:
    """Tell whether a process holds the lock file."""
    from filelock import FileLock, Timeout

    if not path.exists():
        return False
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return path.exists()
    lock.release()
    return False


def bury(path: Path, *others: Path) -> bool:
    """Delete the lock file of a dead process, after what belongs to it; tell whether it was."""
    from filelock import FileLock, Timeout

    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    try:
        for other in others:
            files.remove_tree(other)
        files.remove(path)
    finally:
        lock.release()
    return True


@contextmanager
def exclusive(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold a shared lock file that stays, waiting for it if needed."""
    from filelock import FileLock, Timeout

    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=seconds, poll_interval=_POLL_SECONDS)
    except Timeout:
        raise StoreError(
            Problem(f"another process holds {path}", next="wait for it to end, then try again")
        ) from None
    try:
        yield
    finally:
        lock.release()
