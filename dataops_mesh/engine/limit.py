"""A limit in time for what a connection does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataops_mesh.errors import Problem, TransformError

if TYPE_CHECKING:
    import duckdb

_AGAIN_SECONDS = 0.1


@contextmanager
def time_limit(con: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what the connection does after so many seconds; 0 for never.

    Raises:
        TransformError: it took longer.
    """
    if not seconds:
        yield
        return
    done, over = threading.Event(), threading.Event()

    def watch() -> None:
        if done.wait(seconds):
            return
        over.set()
        while not done.wait(_AGAIN_SECONDS):  # whoever runs statements may try the next one
            con.interrupt()

    watcher = threading.Thread(target=watch, name="transform limit", daemon=True)
    watcher.start()
    try:
        yield
    except Exception:  # of an interrupt DuckDB says many things; what it means is said below
        if not over.is_set():
            raise
    finally:
        done.set()
        watcher.join()
    if over.is_set():
        what = f"the transform took longer than {seconds:g} seconds, the setting `transform_limit`"
        raise TransformError(Problem(what))
