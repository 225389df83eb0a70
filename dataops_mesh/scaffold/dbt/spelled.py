"""Columns of a CSV source that are spelled otherwise than their type: read as text, then cast.

dbt's adapter lets DuckDB guess: ` 2025` becomes a number, `3:15` a time, `10/22/2024` a date. Here
nothing is guessed when a delivery is read, so the source is text there, and the product says by
what cast it becomes what dbt has read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.spelling import spells
from dataops_mesh.spec.types.shape import Kind, read_shape

if TYPE_CHECKING:
    import duckdb


def casts_of(
    connection: duckdb.DuckDBPyConnection,
    files: Iterable[Path],
    columns: Iterable[tuple[str, str]],
) -> Mapping[str, str]:
    """Return, by column, the expression that makes of its text what DuckDB has guessed.

    Args:
        connection: any; nothing is kept in it.
        files: CSV, all of one kind.
        columns: names and types as DuckDB has guessed them.
    """
    paths = list(files)
    texts = sql.scan("read_csv", paths, {"all_varchar": True})
    typed = [(n, k) for n, k in columns if (shape := read_shape(k)) and shape.kind is Kind.SCALAR]
    tests = [
        f"bool_and({sql.identifier(n)} IS NULL OR coalesce("
        f"{spells(sql.identifier(n), k, printed=True)}, false))"
        for n, k in typed
    ]
    if not tests:
        return {}
    (kept,) = connection.execute(f"SELECT {', '.join(tests)} FROM {texts}").fetchall()
    odd = [column for column, one in zip(typed, kept, strict=True) if one is False]
    found = sql.scan("sniff_csv", paths[:1])
    (formats,) = connection.execute(f"SELECT DateFormat, TimestampFormat FROM {found}").fetchall()
    return {name: _cast(sql.identifier(name), kind, *formats) for name, kind in odd}


def _cast(text: str, kind: str, day: str | None, moment: str | None) -> str:
    form = day if kind == "DATE" else moment if kind.startswith("TIMESTAMP") else None
    if form:
        return f"CAST(strptime({text}, {sql.literal(form)}) AS {kind})"
    return f"CAST({text} AS {kind})"
