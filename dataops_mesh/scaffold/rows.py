"""Where the rows come from that a contract is made of: a file, a table of a file, a SELECT."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.engine.read import connect
from dataops_mesh.engine.session import bind_source, session_in
from dataops_mesh.errors import Location, Problem, SourceError
from dataops_mesh.spec.model import Source, SourceFormat
from dataops_mesh.spec.read.inputs.ports import infer_format

if TYPE_CHECKING:
    import duckdb

DATABASES = frozenset({".duckdb", ".ddb", ".db"})
_NOTHING = ("", "NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "nan", "\\N", "-", "?")
_NUMBER = r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?"
_EXACT = 16  # letters, so at most 15 digits beside the point
_DELIMITERS = (";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in a session.

    Args:
        con: the session.
        relation: the view, quoted.
        origin: what people call it.
        options: how the file is read, where it is not our way.
        select: what they are of, where it is a SELECT.
    """

    con: duckdb.DuckDBPyConnection
    relation: str
    origin: str
    options: Mapping[str, Any] = field(default_factory=dict)
    select: str = ""


@contextmanager
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session that is not the store's."""
    with (
        TemporaryDirectory(prefix="mesh-new-") as folder,
        session_in(Path(folder), memory_limit="2GB", threads=2, now=datetime.now(UTC)) as con,
    ):
        yield con


@contextmanager
def rows_of_file(file: Path, name: str, table: str = "") -> Iterator[Rows]:
    """Read CSV, Parquet or JSON files as a run would, or a table of a DuckDB file.

    Args:
        file: the file, or a pattern of names such as `data/*.csv`.
        name: the view.
        table: of a DuckDB file, which one.

    Raises:
        SourceError: it is not there, or cannot be read.
    """
    where = Location(str(file), 1)
    found = (file,) if file.is_file() else tuple(map(Path, sorted(glob.glob(str(file)))))  # noqa: PTH207 - of any folder
    found = tuple(one for one in found if one.is_file())
    if not found:
        then = 'name a file that is there, or a pattern in quotes: "data/*.csv"'
        raise SourceError(Problem(f"there is no file {file}", next=then))
    with session() as con:
        if file.suffix in DATABASES:
            yield Rows(con, _attached(con, file, table), f"{file.name}, table {table}")
            return
        form = infer_format(file.name)
        if form is SourceFormat.FILE:
            what = f"{file.name} is no file of rows that SQL can read"
            then = "name a .csv, .tsv, .parquet, .json, .ndjson or .duckdb file"
            raise SourceError(Problem(what, where, next=then))
        source = Source(str(file), form, where)
        options = _spelled(con, found, name, source) if form is SourceFormat.CSV else {}
        bind_source(con, name, found, _with(source, options))
        origin = file.name if len(found) == 1 else f"{len(found)} files {file.name}"
        yield Rows(con, sql.identifier(name), origin, options)


@contextmanager
def rows_of_select(query: str, store: Path) -> Iterator[Rows]:
    """Run a SELECT on what is published, as a consumer would.

    Args:
        query: one SELECT; addresses are `domain.port`.
        store: the store's folder.

    Raises:
        SourceError: the SELECT is not valid.
    """
    with connect(store) as published:
        try:
            found = published.execute(query).arrow()
        except sql.engine_error() as error:
            raise SourceError(Problem(f"the SELECT: {sql.reason(error)}")) from None
    with session() as con:
        con.register("selected", found)
        yield Rows(con, "selected", "a SELECT", select=query)


def _attached(con: duckdb.DuckDBPyConnection, file: Path, table: str) -> str:
    try:
        con.execute(f"ATTACH {sql.literal(str(file))} AS given (READ_ONLY)")
    except sql.engine_error() as error:
        what = f"{file} cannot be opened as a DuckDB file: {sql.reason(error)}"
        raise SourceError(Problem(what)) from None
    query = "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'given'"
    query += " UNION ALL SELECT schema_name, view_name FROM duckdb_views()"
    query += " WHERE database_name = 'given' AND NOT internal ORDER BY ALL"
    found = {f"{schema}.{name}": (schema, name) for schema, name in con.execute(query).fetchall()}
    place = found.get(table) or found.get(f"main.{table}")
    if place is None:
        what = f'{file.name} has no table "{table}"' if table else f"{file.name} has tables"
        choices = tuple(name.removeprefix("main.") for name in found)
        raise SourceError(Problem(what, choices=choices, next="say which: --table NAME"))
    return ".".join(map(sql.identifier, ("given", *place)))


def _spelled(
    con: duckdb.DuckDBPyConnection, files: tuple[Path, ...], name: str, source: Source
) -> dict[str, Any]:
    """Return how CSV files write their columns and what is missing, where it is not our way."""
    with files[0].open("rb") as stream:
        first = stream.readline(2**16).decode("utf-8", "replace")
    options: dict[str, Any] = {}
    delimiter = next((one for one in _DELIMITERS if first.count(one) > first.count(",")), "")
    if delimiter and not (delimiter == "\t" and files[0].suffix == ".tsv"):
        options["delim"] = delimiter
    bind_source(con, name, files, _with(source, options))
    view = sql.identifier(name)
    nothing: set[str] = set()
    for column in _texts(con, view):
        nothing |= _missing(con, view, sql.identifier(column))
    if nothing:
        options["nullstr"] = ["", *sorted(nothing)]
        bind_source(con, name, files, _with(source, options))
    numbers = [one for one in _texts(con, view) if _is_number(con, view, sql.identifier(one))]
    if numbers:
        options["types"] = dict.fromkeys(numbers, "DOUBLE")
    return options


def _with(source: Source, options: Mapping[str, Any]) -> Source:
    """Return the source with these options, as the loader keeps them."""
    return replace(source, options=tuple((key, _kept(options[key])) for key in sorted(options)))


def _kept(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple(value.items())
    return tuple(value) if isinstance(value, list) else value


def _texts(con: duckdb.DuckDBPyConnection, view: str) -> list[str]:
    found = con.execute(f"DESCRIBE FROM {view}").fetchall()
    return [str(column) for column, kind, *_ in found if kind == "VARCHAR"]


def _is_number(con: duckdb.DuckDBPyConnection, view: str, column: str) -> bool:
    """Tell whether all texts are plain numbers that a double holds: 1.10 is one, 007 is not."""
    plain = f"regexp_full_match({column}, {sql.literal(_NUMBER)})"
    query = (
        f"SELECT count({column}), count({column}) FILTER ({plain} AND length({column}) <= {_EXACT})"
        f" FROM {view}"
    )
    found = con.execute(query).fetchone()
    return found is not None and 0 < found[0] == found[1]


def _missing(con: duckdb.DuckDBPyConnection, view: str, column: str) -> set[str]:
    """Return the words for nothing in a column whose other texts are numbers."""
    words = sql.literal(list(_NOTHING))
    query = (
        f"SELECT count(*) FILTER (try_cast({column} AS DOUBLE) IS NULL AND NOT {column} IN {words})"
        f", count(*) FILTER (isfinite(try_cast({column} AS DOUBLE))),"
        f" list(DISTINCT {column}) FILTER ({column} IN {words} AND {column} <> '') FROM {view}"
    )
    others, numbers, found = con.execute(query).fetchone() or (1, 0, None)
    return set(found or ()) if numbers and not others else set()
