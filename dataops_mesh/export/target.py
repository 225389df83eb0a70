"""What every kind of target has in common: who is asked, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_mesh.export.wanted import Wanted

if TYPE_CHECKING:
    import duckdb

# Asked once the target's lock is ours: so the newest release is never followed by an older one.
Look = Callable[[], AbstractContextManager[Wanted]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One target to be brought to what the log says of one product.

    Args:
        product: its qualified name.
        store: says whose copies these are: a copy of another store is never replaced.
        look: returns what the target should have, pinned.
        con: a session of DuckDB, which reads the data.
    """

    product: str
    store: str
    look: Look
    con: duckdb.DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of it.

    Args:
        wanted: what the target has now.
        copied: the addresses whose data was copied.
        taken: the names of what was taken away.
        rows: how many were copied.
    """

    wanted: Wanted
    copied: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    rows: int = 0
