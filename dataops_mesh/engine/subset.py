"""A part of the rows of many relations, in which every foreign key holds as in the whole.

Rows are chosen by a hash of their key, so that one key means one choice wherever it occurs; then
whatever a chosen row refers to is chosen too, as often as that finds more. What had nobody to
refer to before has nobody now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.write import PARQUET
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files

if TYPE_CHECKING:
    import duckdb

_FILE, _ROW = "mesh_file__", "file_row_number"
_FINE = 1_000_000
_TEXT = "VARCHAR"
_WHOLE = {"TINYINT": 127, "SMALLINT": 32_767, "INTEGER": 2_147_483_647, "UTINYINT": 255,
          "USMALLINT": 65_535, "UINTEGER": 4_294_967_295, "BIGINT": 10**15, "UBIGINT": 10**15,
          "HUGEINT": 10**15, "UHUGEINT": 10**15}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Relation:
    """What rows are chosen of.

    Args:
        files: those of each candidate, by its ref.
        key: the columns of its primary key; empty if it has none.
        hidden: the columns whose values are not copied as they are.
    """

    address: Address
    files: Mapping[str, Sequence[Path]]
    key: tuple[str, ...] = ()
    hidden: frozenset[str] = field(default_factory=frozenset)

    @property
    def every_file(self) -> list[Path]:
        """Return the files of all candidates."""
        return [path for found in self.files.values() for path in found]


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key: columns of one relation, and those of another that they refer to."""

    child: Address
    columns: tuple[str, ...]
    parent: Address
    to: tuple[str, ...]


def copy_subset(  # noqa: PLR0913, PLR0917 - what of which, how much, and where to
    con: duckdb.DuckDBPyConnection,
    relations: Iterable[Relation],
    links: Iterable[Link],
    share: float,
    target: Path,
    salt: str,
) -> None:
    """Write a part of the rows of each relation into `<ref>/<port>/` of a folder.

    Args:
        con: the session.
        relations: all that foreign keys may lead to.
        links: the foreign keys.
        share: of the rows, between 0 and 1, to begin with.
        target: a folder that does not exist.
        salt: with what values that are not to be copied are hashed; forgotten afterwards.
    """
    found = {one.address: one for one in relations if one.every_file}
    for number, one in enumerate(found.values()):
        _choose(con, one, share, f"kept_{number}")
    kept = {address: f"kept_{number}" for number, address in enumerate(found)}
    known = [one for one in links if one.child in found and one.parent in found]
    touched = set(found)
    while touched:
        # Rows that were chosen now refer to others; to as many as there are, so this ends.
        touched = {
            one.parent for one in known if one.child in touched and _follow(con, one, found, kept)
        }
    files.make_folder(target)
    for address, one in found.items():
        for ref, own in one.files.items():
            folder = target / ref / address.port
            files.make_folder(folder)
            files.before("copy", folder)
            rows = _rows(own)
            columns = _columns(con, own, one.hidden, salt)
            query = f"SELECT {columns} FROM {rows} AS r {_only(kept[address])}"
            con.execute(f"COPY ({query}) TO {sql.literal(folder)} ({PARQUET})").fetchall()


def _choose(con: duckdb.DuckDBPyConnection, one: Relation, share: float, table: str) -> None:
    rows = _rows(one.every_file)
    names = one.key or tuple(_types(con, one.every_file))
    key = ", ".join(f"r.{sql.identifier(name)}" for name in names)
    chosen = f"hash({key}) % {_FINE} < {int(share * _FINE)}"
    query = f"SELECT r.{_FILE}, r.{_ROW} FROM {rows} AS r WHERE {chosen}"
    con.execute(f"CREATE TEMP TABLE {table} AS {query}").fetchall()


def _follow(
    con: duckdb.DuckDBPyConnection,
    link: Link,
    found: Mapping[Address, Relation],
    kept: Mapping[Address, str],
) -> bool:
    """Choose the rows that the chosen ones of a relation refer to; tell whether there are more."""
    child, parent = (_rows(found[one].every_file) for one in (link.child, link.parent))
    names = [f"k{number}" for number in range(len(link.to))]
    mine = zip(link.columns, names, strict=True)
    wanted = ", ".join(f"r.{sql.identifier(column)} AS {name}" for column, name in mine)
    same = " AND ".join(
        f"p.{sql.identifier(column)} = w.{name}"
        for column, name in zip(link.to, names, strict=True)
    )
    there = kept[link.parent]
    query = (
        f"INSERT INTO {there} SELECT p.{_FILE}, p.{_ROW} FROM {parent} AS p"
        f" SEMI JOIN (SELECT DISTINCT {wanted} FROM {child} AS r {_only(kept[link.child])}) AS w"
        f" ON {same}"
        f" ANTI JOIN {there} AS k ON p.{_FILE} = k.{_FILE} AND p.{_ROW} = k.{_ROW}"
    )
    [(added,)] = con.execute(query).fetchall()
    return bool(added)


def _only(table: str) -> str:
    return f"SEMI JOIN {table} AS k ON r.{_FILE} = k.{_FILE} AND r.{_ROW} = k.{_ROW}"


def _rows(paths: Sequence[Path]) -> str:
    options = {"union_by_name": True, "filename": _FILE, _ROW: True}
    return sql.scan("read_parquet", paths, options)


def _types(con: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> dict[str, str]:
    relation = sql.scan("read_parquet", paths, {"union_by_name": True})
    return {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE FROM {relation}").fetchall()}


def _columns(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], hidden: frozenset[str], salt: str
) -> str:
    return ", ".join(
        f"{_hidden(name, kind, salt) if name in hidden else f'r.{sql.identifier(name)}'}"
        f" AS {sql.identifier(name)}"
        for name, kind in _types(con, paths).items()
    )


def _hidden(name: str, kind: str, salt: str) -> str:
    """Return what stands for a value: the same for the same value, and of the same type."""
    value = f"r.{sql.identifier(name)}"
    hashed = f"{sql.literal(salt)} || {value}::VARCHAR"
    if kind == _TEXT:
        made = f"sha256({hashed})[1:16]"
    elif kind in _WHOLE:
        made = f"CAST(hash({hashed}) % {_WHOLE[kind]} AS {kind})"
    elif kind == "DATE" or kind.startswith("TIMESTAMP"):
        made = f"CAST(date_trunc('year', {value}) AS {kind})"
    elif kind in {"FLOAT", "DOUBLE"} or kind.startswith("DECIMAL"):
        made = f"CAST(0 AS {kind})"
    else:
        return f"CAST(NULL AS {kind})"
    return f"CASE WHEN {value} IS NOT NULL THEN {made} END"
