"""Quote what goes into SQL, and tell what an error may say in public."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import FULL, Problem, SourceError, StoreError
from dataops_mesh.spec.types.casts import cast_in

if TYPE_CHECKING:
    import duckdb

_CUT = ("read_csv", "read_parquet", "read_json")
_MANY = 16  # files
_OPTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPLAIN = re.compile(r"\s*explain(\s+analyze)?(\s*\([^()]*\))?\s", re.IGNORECASE)
# Logging to a file that a sealed connection may not open ends the process (DuckDB 1.5.6, 2.0).
_DEADLY = re.compile(r"enable_logging|write_log", re.IGNORECASE)
# These speak of the statement only; all others may repeat a value of the data.
_SPEAKS_OF_SQL = frozenset(
    {"BinderException", "CatalogException", "ParserException", "OutOfMemoryException"}
)

_CAST = "ConversionException"
_FULL = tuple(os.strerror(number) for number in sorted(FULL))


def identifier(name: str) -> str:
    """Quote a name.

    >>> identifier('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """Quote a value: text, numbers, lists and structs.

    >>> literal({"nulls": ["NA", "it's"], "header": True})
    "{'nulls': ['NA', 'it''s'], 'header': true}"
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    text = str(value).replace("'", "''")
    return f"'{text}'"


def scan(
    reader: str,
    paths: Iterable[Path],
    options: Mapping[str, Any] | None = None,
    *,
    listed: bool = True,
    short: bool = False,
) -> str:
    """Return the call of a table function over an explicit list of files.

    Args:
        reader: the table function.
        paths: the files.
        options: more arguments.
        listed: whoever will read it may list the folders that we may list.
        short: say once what the names of many files have in common; to keep it costs less then.
    """
    wrong = [name for name in options or {} if not _OPTION.fullmatch(name)]
    if wrong:
        raise SourceError(
            Problem(f"{wrong[0]!r} is not an option of {reader}", next="see DuckDB's manual")
        )
    names = [as_it_stands(path) if listed else str(path) for path in paths]
    said = _short(names) if short else literal(names)
    arguments = [literal(names[0]) if reader == "sniff_csv" else said]
    if reader in _CUT:
        arguments.append("hive_partitioning = false")  # folders are never columns
    arguments += [f"{name} = {literal(value)}" for name, value in (options or {}).items()]
    return f"{reader}({', '.join(arguments)})"


def _short(names: list[str]) -> str:
    """Return an expression for the very same list, which begins and end of names stand in once.

    DuckDB computes it while a query is planned. Of many thousand names, one text takes a quarter
    of the room of a list, and of the time to open it.

    >>> _short(["/a/1/x", "/a/2/x"])
    "['/a/1/x', '/a/2/x']"
    """
    if len(names) < _MANY or any("\n" in name for name in names):
        return literal(names)
    begin = _begin(names)
    rest = [name[len(begin) :] for name in names]
    end = _begin([name[::-1] for name in rest])[::-1]
    middle = literal("\n".join(name[: len(name) - len(end)] for name in rest))
    between = literal(f"{end}\n{begin}")
    whole = f"{literal(begin)} || replace({middle}, '\n', {between}) || {literal(end)}"
    return f"string_split({whole}, '\n')"


def _begin(names: list[str]) -> str:
    """Return with what all of some texts begin."""
    first, last = min(names), max(names)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(one for one, _ in same)


def as_it_stands(path: Path) -> str:
    """Return the spelling of a path in which nothing is a pattern: a name is a name.

    DuckDB finds the match of an escaped name by listing its folder. A confined transform may open
    a file and not list the folder; then DuckDB finds no match of the plain name either, and takes
    it as it stands.
    """
    escaped = glob.escape(str(path))
    marked = [one.parent for one in (path, *path.parents) if glob.escape(one.name) != one.name]
    return escaped if all(map(_is_listed, marked)) else str(path)


def _is_listed(folder: Path) -> bool:
    try:
        with os.scandir(folder):
            return True
    except OSError:
        return False


def reason(error: Exception, query: str = "", columns: Collection[str] = ()) -> str:
    """Return what an engine's error says without any value of the data.

    Args:
        error: the error.
        query: what was run; of a cast that failed, it says which names may be told.
        columns: of what the query reads, and of what it returns.

    >>> reason(ValueError("Could not convert string 'DE89 3704' to INT32"))
    'ValueError'
    """
    name = type(error).__name__
    if name == _CAST and (said := cast_in(str(error), query, columns)):
        return f"{name}: {said}"
    if name not in _SPEAKS_OF_SQL:
        full = next((text for text in _FULL if text in str(error)), "")
        return f"{name}: {full}" if full else name
    return f"{name}: {str(error).splitlines()[0]}"


def require_select(con: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return the statement if it only reads: one SELECT, or EXPLAIN of one.

    A sealed connection may still COPY over the very files it may read (DuckDB's
    `allowed_paths` does not tell reading from writing), so people's SQL passes here first.
    """
    found = _kinds(con, sql)
    if found == ["EXPLAIN"]:
        with suppress(engine_error()):  # not plainly EXPLAIN of something: refused below
            found = _kinds(con, _EXPLAIN.sub("", sql, count=1))
    if found != ["SELECT"] or _DEADLY.search(sql):
        raise StoreError(
            Problem(
                "published data is only read, with one SELECT at a time",
                next="copy the rows into a database of your own to work on them",
            )
        )
    return sql


def _kinds(con: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return [str(item.type).rpartition(".")[2] for item in con.extract_statements(sql)]


def out_of_range() -> tuple[type[Exception], ...]:
    """Return the classes of what DuckDB raises where a type cannot hold a result."""
    import duckdb

    return (duckdb.ConversionException, duckdb.OutOfRangeException)


def engine_error() -> type[Exception]:
    """Return the class of every error that DuckDB raises, without importing it early."""
    import duckdb

    return duckdb.Error
