"""A session of the engine for an attempt: with its limits, its clock and its partition."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataops_mesh.engine.session import session
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.partition import define_partition

if TYPE_CHECKING:
    import duckdb


@contextmanager
def attempt_session(attempt: Attempt) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection with the attempt's limits, clock and partition."""
    environment, settings = attempt.environment, attempt.environment.settings
    with session(
        environment.store,
        memory_limit=settings.memory_limit,
        threads=environment.threads,
        now=settings.clock(),
    ) as connection:
        define_partition(connection, attempt.partition)
        yield connection
