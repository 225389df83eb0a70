"""Semaphores for `multiprocessing` that need no folder which all processes of a machine share.

Python's own lie in `/dev/shm` under a name, where a transform could leave what another one reads.
These are nothing but a descriptor of the kernel's, which forked processes inherit. So pools,
queues and locks work in a transform where processes are forked, Python's default on Linux.
"""

from __future__ import annotations

import os
import select
import threading
import time
from contextlib import suppress
from typing import Any, Self

_RECURSIVE = 0  # the kind of `multiprocessing.RLock`


class Semaphore:
    """What `_multiprocessing.SemLock` is to `multiprocessing.synchronize`.

    Args:
        kind: 0 for a lock that its owner may take again, 1 for a counter.
        value: to begin with.
        maxvalue: above which it may not be released.
        name: not used, and so nobody keeps track of it.
        unlink: the same.
    """

    SEM_VALUE_MAX = 2**31 - 1

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: object) -> None:
        del name, unlink
        self.kind, self.maxvalue, self.name = kind, maxvalue, None
        self.handle = os.eventfd(value, os.EFD_SEMAPHORE | os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._taken, self._owner = 0, 0

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 - Python's signature
        """Take one; wait for it as long as the timeout says, or for ever."""
        if self.kind == _RECURSIVE and self._is_mine():
            self._taken += 1
            return True
        until = None if timeout is None else time.monotonic() + max(timeout, 0.0)
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        while True:
            with suppress(BlockingIOError):
                os.eventfd_read(self.handle)
                self._taken, self._owner = self._taken + 1, threading.get_ident()
                return True
            left = None if until is None else until - time.monotonic()
            if not block or (left is not None and left <= 0):
                return False
            poll.poll(None if left is None else left * 1000)

    def release(self) -> None:
        """Give one back."""
        if self.kind == _RECURSIVE:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._taken > 1:
                self._taken -= 1
                return
        elif self.maxvalue == 1 and not self._is_zero():  # more than one nobody counts
            raise ValueError("semaphore or lock released too many times")
        self._taken -= 1
        os.eventfd_write(self.handle, 1)

    def _count(self) -> int:
        return self._taken

    def _is_mine(self) -> bool:
        return self._taken > 0 and self._owner == threading.get_ident()

    def _get_value(self) -> int:
        raise NotImplementedError("nobody counts it; as on macOS")

    def _is_zero(self) -> bool:
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        return not poll.poll(0)

    def _after_fork(self) -> None:
        self._taken = 0

    @classmethod
    def _rebuild(cls, *_: Any) -> Self:
        raise OSError("locks reach forked processes only: use the start method `fork`")

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        with suppress(OSError, AttributeError):
            os.close(self.handle)


def install() -> None:
    """Give these to `multiprocessing`, in a process that will be confined."""
    from multiprocessing import heap, synchronize

    vars(synchronize)["_multiprocessing"].SemLock = Semaphore
    # Its shared memory lies in /dev/shm, or else where TMPDIR is.
    vars(heap)["Arena"]._dir_candidates = []  # noqa: SLF001 - Python offers no other way
