"""Splits the files of a port in two: the rows that remain, and those that are set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.write import PARQUET, not_built, plain_files
from dataops_mesh.errors import Problem, RunError
from dataops_mesh.spec.model import Address
from dataops_mesh.spec.names import WHY
from dataops_mesh.store import files

if TYPE_CHECKING:
    import duckdb

Condition = tuple[str, str, str]  # a rule, what is true for a row that breaks it, its alias


def bind_files(con: duckdb.DuckDBPyConnection, folder: Path, address: Address) -> dict[str, str]:
    """Make what a transform has left of a port a view at its address; return its columns."""
    found = plain_files(folder / address.port, address)
    schema, view = sql.identifier(address.domain), sql.identifier(address.port)
    relation = sql.scan("read_parquet", found)
    try:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        con.execute(f"CREATE VIEW {schema}.{view} AS FROM {relation}")
        rows = con.execute(f"DESCRIBE FROM {relation}").fetchall()
    except sql.engine_error() as error:
        raise not_built(address, error) from None
    return {str(row[0]): str(row[1]) for row in rows}


def split_port(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    address: Address,
    conditions: Sequence[Condition],
    aside: Path,
) -> Mapping[str, int]:
    """Move the rows that meet a condition into a folder of their own, each with the rules' names.

    Where no row does, the files stay as they are and there is no such folder.

    Args:
        con: may read and write both folders.
        folder: the candidate's folder.
        address: the port, whose files are in `<port>/`.
        conditions: at least one.
        aside: the folder to make.

    Returns:
        How many rows break each rule.

    Raises:
        RunError: not every row is in one of the two.
    """
    target = folder / address.port
    before = plain_files(target, address)
    told = con.execute(f"DESCRIBE FROM {sql.scan('read_parquet', before)}").fetchall()
    columns = ", ".join(sql.identifier(str(row[0])) for row in told)
    judged, flags = _judged(before, conditions)
    broken = " OR ".join(flags)
    counts = ", ".join(f"count(*) FILTER ({flag})" for flag in flags)
    [(total, out, *each)] = con.execute(
        f"SELECT count(*), count(*) FILTER ({broken}), {counts} FROM ({judged})"
    ).fetchall()
    rules = {rule: int(count) for (rule, *_), count in zip(conditions, each, strict=True)}
    if not out:
        return rules
    names = ", ".join(
        f"CASE WHEN {flag} THEN {sql.literal(rule)} END"
        for flag, (rule, *_) in zip(flags, conditions, strict=True)
    )
    why = f"list_filter([{names}], lambda n: n IS NOT NULL) AS {sql.identifier(WHY)}"
    files.make_folder(aside)
    with TemporaryDirectory(dir=folder) as kept:
        _copy(con, f"SELECT {columns} FROM ({judged}) WHERE NOT ({broken})", Path(kept))
        _copy(con, f"SELECT {columns}, {why} FROM ({judged}) WHERE {broken}", aside)
        remained, set_aside = _rows(con, Path(kept)), _rows(con, aside)
        if (remained, set_aside) != (total - out, out):
            what = f"{address}: {total} rows were split into {remained} and {set_aside}"
            raise RunError(Problem(what, next="run the product again"))
        for path in before:
            files.remove(path)
        for path in sorted(Path(kept).iterdir()):
            files.before("move", target / path.name)
            path.replace(target / path.name)
    return rules


def _judged(found: Sequence[Path], conditions: Sequence[Condition]) -> tuple[str, list[str]]:
    """Return the rows with one more column for each condition, and the names of these.

    Each condition stands in a SELECT of its own, because each may call the relation by a name of
    its own.
    """
    relation = sql.scan("read_parquet", found)
    flags = [f"__mesh_broken_{number}" for number in range(len(conditions))]
    for flag, (_, condition, alias) in zip(flags, conditions, strict=True):
        source = f"(SELECT * FROM {relation})" if relation.startswith("read_") else relation
        tested = f"coalesce((\n{condition}\n), false) AS {flag}"
        relation = f"(SELECT *, {tested} FROM {source} AS {sql.identifier(alias)})"
    return f"SELECT * FROM {relation}", flags


def _copy(con: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    files.before("copy", target)
    con.execute(f"COPY ({query}) TO {sql.literal(target)} ({PARQUET})").fetchall()


def _rows(con: duckdb.DuckDBPyConnection, folder: Path) -> int:
    scan = sql.scan("read_parquet", sorted(folder.iterdir()))
    return int(con.execute(f"SELECT count(*) FROM {scan}").fetchall()[0][0])
