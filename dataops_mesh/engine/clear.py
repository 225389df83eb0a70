"""Writes the clear values of masked columns for whoever has a role, apart from the masked form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.whole import Pair, whole
from dataops_mesh.engine.write import ONE_FILE
from dataops_mesh.store import files

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept of a port, and where.

    Args:
        places: for each column whose values are kept, an empty folder.
    """

    places: Mapping[str, Path]

    def pair(self, path: Path, names: Sequence[str]) -> Pair:
        """Return a masked file with the files that are kept beside it."""
        clear = {name: place / path.name for name, place in self.places.items()}
        return Pair(path, names, clear)


def keep_clear(con: duckdb.DuckDBPyConnection, keep: Keep, before: Sequence[Path]) -> None:
    """Write the clear values of each file, in the order of its rows.

    Args:
        con: keeps the order of rows, and may write the folder.
        keep: what to keep, and where.
        before: the port's files as they were built.
    """
    for path in before:
        rows = sql.scan("read_parquet", [path])
        for name, place in keep.places.items():
            target = place / path.name
            files.before("copy", target)
            query = f"SELECT {sql.identifier(name)} FROM {rows}"
            con.execute(f"COPY ({query}) TO {sql.literal(target)} ({ONE_FILE})").fetchall()


def is_whole(
    con: duckdb.DuckDBPyConnection,
    keep: Keep,
    names: Sequence[str],
    before: Sequence[Path],
    written: Sequence[Path],
) -> bool:
    """Tell whether the masked form and the clear values are the rows as they were built.

    Args:
        con: may read all of them.
        keep: what was kept.
        names: the columns that are kept or not masked.
        before: the port's files as they were built.
        written: their masked forms.
    """
    pairs = [keep.pair(path, names) for path in written]
    said = ", ".join(sql.identifier(name) for name in names)
    first, again = (
        con.execute(f"SELECT count(*), sum(hash({said})) FROM {form}").fetchall()
        for form in (sql.scan("read_parquet", before), whole(pairs))
    )
    return first == again
