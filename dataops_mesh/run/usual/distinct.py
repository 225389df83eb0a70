"""How many different values columns have: the same answer for the same rows, in any order.

DuckDB's own estimate is off by 15 %, and exact counts of a million names cost more than everything
else that is looked at. So of a port of many rows the values are counted whose hash says so, one of
16 or more: where that finds many, they stand for all, within a few percent; where it finds few,
there are few, and these columns are counted exactly in a second look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql

if TYPE_CHECKING:
    import duckdb

_HELD = 65_536  # values of a column that are held in memory at a time
_ENOUGH = 256  # values whose hash says so, that stand for all
_NESTED = ("STRUCT", "MAP", "UNION", "VARIANT", "JSON")


def is_plain(kind: str) -> bool:
    """Tell whether the values of a DuckDB type are one thing each.

    >>> is_plain("DECIMAL(10,2)"), is_plain("VARCHAR[]"), is_plain("STRUCT(a INTEGER)")
    (True, False, False)
    """
    return not kind.startswith(_NESTED) and not kind.endswith("]")


def sampled(rows: int, held: int = _HELD) -> int:
    """Return of how many values one is counted in a port of so many rows: a power of two.

    >>> sampled(50_000), sampled(1_000_000), sampled(100_000_000)
    (1, 16, 2048)
    """
    one_of = 1
    while rows > one_of * held:
        one_of *= 2
    return one_of


def different(column: str, one_of: int) -> str:
    """Return what asks how many different values of a column there are, or of the sampled ones."""
    if one_of == 1:
        return f"count(DISTINCT {column})"
    chosen = f"{column} IS NOT NULL AND hash({column}) % {one_of} = 0"
    return f"count(DISTINCT hash({column})) FILTER (WHERE {chosen})"


def distinct_counts(
    connection: duckdb.DuckDBPyConnection, view: str, seen: Mapping[str, int], one_of: int
) -> dict[str, int]:
    """Return how many different values each column has.

    Args:
        connection: has the view.
        view: its name in SQL.
        seen: by the name of a column, what `different` told of it.
        one_of: with which it was asked.
    """
    few = [name for name, count in seen.items() if one_of > 1 and count < _ENOUGH]
    exact: tuple[int, ...] = ()
    if few:
        asked = ", ".join(different(sql.identifier(name), 1) for name in few)
        exact = connection.execute(f"SELECT {asked} FROM {view}").fetchone() or ()
    return {name: count * one_of for name, count in seen.items()} | dict(
        zip(few, exact, strict=True)
    )
