"""What differs between two versions of a relation: counted by the engine, row by row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_mesh.engine.sql import identifier

if TYPE_CHECKING:
    import duckdb

_HERE = "mesh_is_here"
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """One column of the rows that both versions have.

    Args:
        rows: in how many it differs.
        largest: of numbers that may be shown, the largest change.
    """

    name: str
    rows: int
    largest: float | None = None


@dataclass(frozen=True, slots=True)
class RowDifference:
    """What differs between two versions of a port.

    Args:
        added: rows that only the new one has.
        removed: rows that only the old one has.
        changed: rows of one key that differ; None where the port has no key.
        columns: those that differ in such rows, the most first.
        keys: a few keys of such rows, in the columns that may be shown.
        schema: what differs in the columns themselves, one sentence each.
    """

    added: int = 0
    removed: int = 0
    changed: int | None = None
    columns: tuple[ColumnDifference, ...] = ()
    keys: tuple[Mapping[str, str | None], ...] = ()
    schema: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.added or self.removed or self.changed or self.schema)


def row_difference(
    con: duckdb.DuckDBPyConnection,
    relations: tuple[str, str],
    key: Sequence[str],
    safe: Collection[str],
    samples: int = 0,
) -> RowDifference:
    """Return what differs between two relations.

    Args:
        con: where both can be read.
        relations: the old one and the new one, as SQL after FROM.
        key: the columns that say which row is which; without them rows are counted alone.
        safe: the columns whose values may be shown.
        samples: how many keys of changed rows to show.
    """
    old, new = (_columns(con, relation) for relation in relations)
    schema = (
        *(f"{name} {kind} was added" for name, kind in new.items() if name not in old),
        *(f"{name} {kind} was removed" for name, kind in old.items() if name not in new),
        *(
            f"{name} was {old[name]} and is {kind}"
            for name, kind in new.items()
            if name in old and old[name] != kind
        ),
    )
    common = [name for name in new if name in old]
    if not key or not set(key) <= set(common):
        added, removed = (_only(con, common, *pair) for pair in (relations[::-1], relations))
        return RowDifference(added, removed, schema=schema)
    others = [name for name in common if name not in set(key)]
    joined = _joined(relations, key)
    differs = {name: _differs(name, same=old[name] == new[name]) for name in others}
    numbers = [n for n in others if n in safe and old[n] == new[n] and new[n].startswith(_NUMBERS)]
    any_ = " OR ".join(differs.values()) or "false"
    both = f"o.{_HERE} AND n.{_HERE}"
    asked = [
        f"count(*) FILTER (o.{_HERE} IS NULL)",
        f"count(*) FILTER (n.{_HERE} IS NULL)",
        f"count(*) FILTER ({both} AND ({any_}))",
        *(f"count(*) FILTER ({both} AND {differs[name]})" for name in others),
        *(f"max(CASE WHEN {both} THEN {_change(name)} END)" for name in numbers),
    ]
    row = con.execute(f"SELECT {', '.join(asked)} FROM {joined}").fetchone() or ()
    added, removed, changed, *counts = row
    largest = dict(zip(numbers, counts[len(others) :], strict=True))
    columns = sorted(
        (
            ColumnDifference(name, count, largest.get(name))
            for name, count in zip(others, counts, strict=False)
            if count
        ),
        key=lambda one: (-one.rows, one.name),
    )
    shown = [name for name in key if name in safe]
    keys = _keys(con, joined, f"{both} AND ({any_})", shown, samples) if changed and shown else ()
    return RowDifference(added, removed, changed, tuple(columns), keys, schema)


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    rows = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {row[0]: row[1] for row in rows}


def _only(con: duckdb.DuckDBPyConnection, names: Sequence[str], mine: str, theirs: str) -> int:
    """Return how many rows a relation has that the other has not, copies counted."""
    listed = ", ".join(map(identifier, names)) or "1"
    rest = f"SELECT {listed} FROM {mine} EXCEPT ALL SELECT {listed} FROM {theirs}"
    (count,) = con.execute(f"SELECT count(*) FROM ({rest})").fetchone() or (0,)
    return int(count)


def _joined(relations: tuple[str, str], key: Sequence[str]) -> str:
    old, new = (f"(SELECT *, true AS {_HERE} FROM {relation})" for relation in relations)
    same = " AND ".join(
        f"o.{identifier(name)} IS NOT DISTINCT FROM n.{identifier(name)}" for name in key
    )
    return f"{old} o FULL OUTER JOIN {new} n ON {same}"


def _differs(name: str, *, same: bool) -> str:
    column = identifier(name)
    if same:
        return f"o.{column} IS DISTINCT FROM n.{column}"
    return f"o.{column}::VARCHAR IS DISTINCT FROM n.{column}::VARCHAR"


def _change(name: str) -> str:
    column = identifier(name)
    return f"abs(n.{column}::DOUBLE - o.{column}::DOUBLE)"


def _keys(
    con: duckdb.DuckDBPyConnection, joined: str, where: str, shown: Sequence[str], samples: int
) -> tuple[Mapping[str, str | None], ...]:
    if not samples:
        return ()
    names = ", ".join(f"n.{identifier(name)}::VARCHAR" for name in shown)
    rows = con.execute(f"SELECT {names} FROM {joined} WHERE {where} ORDER BY ALL LIMIT {samples}")
    return tuple(dict(zip(shown, row, strict=True)) for row in rows.fetchall())
