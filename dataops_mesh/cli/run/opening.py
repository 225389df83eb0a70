"""Which files the query of `mesh publish` may open: those that a source may be, and no other."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.errors import Problem, SourceError

if TYPE_CHECKING:
    import duckdb

Whose = Callable[[Path], str]
_REMOTE = ("http", "https", "s3", "s3a", "s3n", "gs", "gcs", "r2", "hf", "az", "azure", "abfss")


def open_named(connection: duckdb.DuckDBPyConnection, query: str, into: Path, whose: Whose) -> None:
    """Let a connection open what the text of a query names, and write one file.

    A path that is put together while the query runs names nothing here, and so is not opened.

    Args:
        connection: which will run the query.
        query: the SELECT.
        into: the file that it may write.
        whose: tells to whom a file belongs; nothing if a source may be it.

    Raises:
        SourceError: the query names a file that no source may be.
    """
    allowed = [str(into), str(into.absolute())]
    for text in _named(query):
        scheme, separator, _ = text.partition("://")
        if separator and scheme.lower() in _REMOTE:
            with suppress(sql.engine_error()):  # DuckDB says itself what it lacks
                connection.execute("LOAD httpfs")
            allowed.append(text)
            continue
        found = _found(text)
        for path in found:
            if said := whose(path):
                what = f"the query reads {said}"
                then = "read what others publish as an input port: `- name: <domain>.<port>`"
                raise SourceError(Problem(what, next=then))
        if found:
            plain = Path(text).expanduser()
            allowed += [text, *map(str, (plain, plain.absolute(), *found))]
    paths = {spelled for path in allowed for spelled in (path, glob.escape(path))}
    connection.execute(f"SET allowed_paths = {sql.literal(sorted(paths))}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _named(query: str) -> Iterator[str]:
    """Yield every text and every quoted name of a query: any may be a path."""
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    try:
        tokens = Dialect.get_or_raise("duckdb").tokenize(query)
    except SqlglotError:  # DuckDB says what is wrong with it
        return
    yield from dict.fromkeys(
        token.text
        for token in tokens
        if token.token_type.name.endswith("STRING") or token.token_type.name == "IDENTIFIER"
    )


def _found(text: str) -> list[Path]:
    try:
        place = str(Path(text).expanduser())
        plain = [Path(place)] if Path(place).is_file() else []
        names = glob.glob(place, recursive=True, include_hidden=True)  # noqa: PTH207 - of any folder
    except (OSError, ValueError, RuntimeError):
        return []
    return plain + [path for path in map(Path, names) if path.is_file()]
