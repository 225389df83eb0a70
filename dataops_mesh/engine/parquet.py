"""Reads Parquet files as one relation, each value as its own file has it.

DuckDB reads all files by the types of the first one: in a second file with other types 1.5 becomes
2, and a text a number. Files with other types are converted exactly here, or refused by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.engine.convert import conversions, holds_all, inexact
from dataops_mesh.engine.delivery import UnclearDelivery
from dataops_mesh.engine.footer import require_read_exactly
from dataops_mesh.engine.promised import Promised, new_of, require_columns
from dataops_mesh.spec.types.shape import read_shape

if TYPE_CHECKING:
    import duckdb

READER = "read_parquet"
_DELIVER = "deliver the promised type, or promise what is delivered"
_DECLARE = "deliver all files alike, or write a contract of the source: inputs/<input>.odcs.yaml"
_FOOTER = "name, type, type_length, num_children, converted_type, scale, precision, logical_type"


@dataclass(frozen=True, slots=True)
class _Alike:
    """Files with the same columns.

    Args:
        files: which.
        kinds: their columns and types.
        relation: that reads them.
    """

    files: tuple[Path, ...]
    kinds: Mapping[str, str]
    relation: str


def parquet(
    con: duckdb.DuckDBPyConnection, found: Sequence[Path], options: Mapping[str, Any]
) -> str:
    """Return the relation over Parquet files that nobody promised anything of.

    Raises:
        UnclearDelivery: a file has a column less than the first, or values that its type for
            the column does not hold.
    """
    parts = _alike(con, found, options)
    if len(parts) == 1:
        return parts[0].relation
    first, by_name = parts[0], bool(options.get("union_by_name"))
    every = {name: "" for part in parts for name in part.kinds} if by_name else first.kinds
    kinds = {name: _widest([p.kinds[name] for p in parts if name in p.kinds]) for name in every}
    shapes = {name: read_shape(kind) for name, kind in kinds.items()}
    wanted = {name: shape for name, shape in shapes.items() if shape is not None}
    relations = []
    for part in parts:
        file = part.files[0].name
        gone = [name for name in kinds if name not in part.kinds]
        if more := [name for name in part.kinds if name not in kinds]:
            what = f'{file} has a column "{more[0]}", which {first.files[0].name} has not'
            raise UnclearDelivery(what, _DECLARE)
        if gone and not by_name:
            what = f'{file} has no column "{gone[0]}", which {first.files[0].name} has'
            raise UnclearDelivery(what, _DECLARE)
        made = conversions(part.kinds, wanted)
        odd = [n for n in kinds if n not in made and part.kinds.get(n, kinds[n]) != kinds[n]]
        wrong = [*odd, *inexact(con, f"FROM {part.relation}", made)]
        if wrong:
            name = wrong[0]
            what = f'{file} has "{name}" as {part.kinds[name]}, which is not exactly {kinds[name]},'
            raise UnclearDelivery(f"{what} as in other files", _DECLARE)
        nulls = {name: f"CAST(NULL AS {kinds[name]})" for name in gone}
        relations.append(_select({n: n for n in kinds}, {**made, **nulls}, part.relation))
    return f"({' UNION ALL '.join(relations)})"


def promised_parquet(
    con: duckdb.DuckDBPyConnection,
    found: Sequence[Path],
    options: Mapping[str, Any],
    columns: Sequence[Promised],
) -> tuple[str, list[str]]:
    """Return the relation over Parquet files as promised, and the columns that are new.

    Raises:
        UnclearDelivery: a column is gone from a file, or a value is none of its type.
    """
    wanted = {column.at: column.shape for column in columns}
    relations, parts = [], _alike(con, found, options)
    for part in parts:
        require_columns(part.files[0].name, list(part.kinds), columns)
        made = conversions(part.kinds, wanted)
        gone = set(inexact(con, f"FROM {part.relation}", made))
        if gone:
            told = "; ".join(
                f'{part.files[0].name}: column "{c.at}" is {part.kinds[c.at]}, which is not '
                f"exactly {c.shape}"
                for c in columns
                if c.at in gone
            )
            raise UnclearDelivery(told, _DELIVER)
        relations.append(_select({c.name: c.at for c in columns}, made, part.relation))
    return f"({' UNION ALL '.join(relations)})", new_of([list(p.kinds) for p in parts], columns)


def _alike(
    con: duckdb.DuckDBPyConnection, found: Sequence[Path], options: Mapping[str, Any]
) -> list[_Alike]:
    """Return the files by what their columns are, the first file among the first of them."""
    groups: dict[object, list[Path]] = defaultdict(list)
    if len(found) > 1:
        footers = defaultdict[str, list[str]](list)
        query = f"SELECT file_name, concat_ws('|', {_FOOTER}) FROM "
        for name, column in con.execute(query + sql.scan("parquet_schema", found)).fetchall():
            footers[str(name)].append(str(column))
        for file in found:
            groups[tuple(sorted(footers[str(file)]))].append(file)
    else:
        groups[()] = list(found)
    parts = []
    for files in groups.values():
        relation = sql.scan(READER, files, options)
        described = con.execute(f"DESCRIBE FROM {relation}").fetchall()
        parts.append(_Alike(tuple(files), {str(n): str(k) for n, k, *_ in described}, relation))
    require_read_exactly(found)
    return parts


def _widest(kinds: Sequence[str]) -> str:
    """Return the type that holds the values of all others, else the first.

    >>> _widest(["INTEGER", "BIGINT", "TINYINT"]), _widest(["BIGINT", "DOUBLE"])
    ('BIGINT', 'BIGINT')
    """
    for kind in kinds:
        if all(other == kind or holds_all(other, kind) for other in kinds):
            return kind
    return kinds[0]


def _select(names: Mapping[str, str], made: Mapping[str, str], relation: str) -> str:
    shown = ", ".join(
        f"{made.get(at, sql.identifier(at))} AS {sql.identifier(name)}"
        for name, at in names.items()
    )
    return f"SELECT {shown} FROM {relation}"
