"""DuckDB instances that a server opens before it forks; each is one fork's first session.

Opening one registers thousands of functions: 10 to 20 ms of CPU, several times for each product.
Such an instance has one thread, the caller's own, so a fork may have it; a session gives it more.
What is random belongs to a connection, and that is made after the fork.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_opened: list[duckdb.DuckDBPyConnection] = []
_used: list[duckdb.DuckDBPyConnection] = []


def open_ahead(count: int) -> tuple[duckdb.DuckDBPyConnection, ...]:
    """Have as many instances at hand, for the processes that are forked from this one.

    Returns:
        them; whoever warms one up leaves nothing in it.
    """
    _opened[:] = [_open() for _ in range(count)]
    return tuple(_opened)


def memory() -> duckdb.DuckDBPyConnection:
    """Return a connection to an empty instance that nobody else has; it has one thread."""
    if not _opened:
        return _open()
    # Kept until the fork ends: to take it apart would copy every page that it is in.
    _used.append(_opened.pop())
    return _used[-1].cursor()


def _open() -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(":memory:", config={"threads": 1})
