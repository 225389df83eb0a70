"""Folders for spilling and for files not yet in place, gone when their user is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dataops_mesh.errors import FULL
from dataops_mesh.store import files, locks
from dataops_mesh.store.store import Store


@contextmanager
def scratch_folder(store: Store) -> Iterator[Path]:
    """Make a folder of our own: on the store's disk, or elsewhere if that may only be read."""
    if not os.access(store.scratch, os.W_OK):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    with ExitStack() as stack:
        own = store.scratch / files.unique_name()
        try:
            stack.enter_context(locks.alive(lock_of(own)))
            files.make_folder(own)
        except OSError as error:
            if error.errno not in FULL:
                raise
            # A full disk: what needs no room, as most reading, still works.
            own = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        try:
            yield own
        finally:
            files.before("remove", own)
            shutil.rmtree(own, ignore_errors=True)


def lock_of(own: Path) -> Path:
    """Return the lock file that the folder's user holds."""
    return own.with_suffix(locks.SUFFIX)
