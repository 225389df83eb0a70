"""What rows are like: types, nulls, ranges, values and a key, each measured on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql

if TYPE_CHECKING:
    import duckdb

FEW = 12  # so many different texts may be an enum
OFTEN = 5  # if each occurs so often, on average
_KEY_COLUMNS = 8  # of so many columns from the left a key may be made
_LONGEST = 200  # letters of a text that are looked at
_SHOWN = 200  # texts of a column that are looked at for their kind
_ORDERED = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    *("DOUBLE", "FLOAT", "DECIMAL", "DATE", "TIMESTAMP"),
)
_INEXACT = ("DOUBLE", "FLOAT")


@dataclass(frozen=True, slots=True)
class Measured:
    """One column, as it was found.

    Args:
        name: its name in the relation.
        type: DuckDB's type.
        nulls: how many rows have none.
        distinct: how many different values there are.
        low: the smallest value of what has an order; None for others and where there is none.
        high: the largest.
        lengths: the shortest and the longest text; None for others.
        values: all different texts, where they are few and each is frequent.
        sample: some different texts.
    """

    name: str
    type: str
    nulls: int
    distinct: int
    low: Any = None
    high: Any = None
    lengths: tuple[int, int] | None = None
    values: tuple[str, ...] = ()
    sample: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """All columns, how many rows there are, and the columns that tell rows apart."""

    columns: tuple[Measured, ...]
    rows: int
    key: tuple[str, ...]


def measure(con: duckdb.DuckDBPyConnection, relation: str) -> Relation:
    """Measure a view or table of a session.

    Args:
        con: the session.
        relation: its name, quoted.
    """
    described = con.execute(f"DESCRIBE FROM {relation}").fetchall()
    rows = _one(con, f"SELECT count(*) FROM {relation}")[0]
    columns = tuple(_column(con, relation, str(row[0]), str(row[1]), rows) for row in described)
    return Relation(columns, rows, _key(con, relation, columns, rows))


def is_ordered(kind: str) -> bool:
    """Tell whether a type has a smallest and a largest value that a contract may bound."""
    bare = kind.partition("(")[0] if kind.startswith("DECIMAL") else kind
    return bare.startswith(_ORDERED) and not bare.endswith(("]", ")"))


def _column(
    con: duckdb.DuckDBPyConnection, relation: str, name: str, kind: str, rows: int
) -> Measured:
    column = sql.identifier(name)
    present, distinct = _one(
        con, f"SELECT count({column}), count(DISTINCT {column}) FROM {relation}"
    )
    low = high = lengths = None
    if present and is_ordered(kind):
        odd = f"count(*) FILTER (NOT isfinite({column}))" if kind.startswith(_INEXACT) else "0"
        query = f"SELECT min({column}), max({column}), {odd} FROM {relation}"
        low, high, others = _one(con, query)
        if others:  # NaN and infinity are outside of every range
            low = high = None
    if kind != "VARCHAR" or not present:
        return Measured(name, kind, rows - present, distinct, low, high)
    short, long = f"min(length({column}))", f"max(length({column}))"
    lengths = _one(con, f"SELECT {short}, {long} FROM {relation}")
    texts = f"SELECT DISTINCT left({column}, {_LONGEST}) FROM {relation} WHERE {column} IS NOT NULL"
    found = con.execute(f"{texts} ORDER BY 1 LIMIT {_SHOWN}").fetchall()
    sample = tuple(str(row[0]) for row in found)
    few = 1 < distinct <= FEW and present >= OFTEN * distinct and lengths[1] < _LONGEST
    values = sample if few else ()
    return Measured(name, kind, rows - present, distinct, None, None, lengths, values, sample)


def _key(
    con: duckdb.DuckDBPyConnection, relation: str, columns: tuple[Measured, ...], rows: int
) -> tuple[str, ...]:
    """Return the first column, or else the first pair or three, that no two rows share."""
    if rows < 2:  # noqa: PLR2004 - one row differs from no other
        return ()
    fit = [
        one
        for one in columns
        if not one.nulls and "(" not in one.type and not one.type.startswith(_INEXACT)
    ]
    alone = next((one.name for one in fit if one.distinct == rows), None)
    if alone is not None:
        return (alone,)
    for some in _together(fit[:_KEY_COLUMNS], rows):
        names = ", ".join(sql.identifier(one.name) for one in some)
        found = _one(con, f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM {relation})")
        if found[0] == rows:
            return tuple(one.name for one in some)
    return ()


def _together(fit: list[Measured], rows: int) -> Iterator[tuple[Measured, ...]]:
    for size in (2, 3):
        for some in combinations(fit, size):
            most = 1
            for one in some:
                most *= one.distinct
            if most >= rows and all(one.distinct > 1 for one in some):
                yield some


def _one(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    return con.execute(query).fetchone()
