"""A query on a SQLite file, opened to be read and nothing else."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from dataops_mesh.fetch.driver import Before, Fetched, Piece, Say, Where
from dataops_mesh.fetch.faults import Fault, Refusal
from dataops_mesh.fetch.rows import FILE, Rows, answered, quoted, require_names

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMES = ("sqlite",)
_FIRST_ROWS, _ROWS, _BYTES = 100, 50_000, 16 * 2**20  # of a batch, by how wide rows are
_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION,
}
_NEVER = {"load_extension", "writefile", "readfile", "edit"}
_OF_THE_QUERY = re.compile(
    r"(no such (table|column|function)|ambiguous column name): .*|near \".*\": syntax error"
    r"|incomplete input|wrong number of arguments to function .*|misuse of aggregate.*"
)
_KINDS = ("integer", "real", "text", "blob")
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}
# What SQLite takes a declared type for, in the order in which it looks.
_DECLARED = (
    ("INT", ("integer",)),
    ("CHAR", ("text",)),
    ("CLOB", ("text",)),
    ("TEXT", ("text",)),
    ("BLOB", ("blob",)),
    ("REAL", ("real", "integer")),
    ("FLOA", ("real", "integer")),
    ("DOUB", ("real", "integer")),
)


class Sqlite:
    """SQLite, by the library of Python."""

    def fetch(self, where: Where, before: Before, into: Path, say: Say) -> Fetched:
        """Read the query in one transaction; not at all if `changed` says the same."""
        with _opened(where) as con:
            mark = _changed(con, where)
            if mark and mark == before.mark:
                return Fetched(before.pieces, before.mark)
            path = into / FILE
            _copy(con, where.remote.query.strip().rstrip(";"), path, say)
        return Fetched((Piece(FILE, path),), mark)

    def look(self, where: Where, before: Before) -> str | None:
        """Ask `changed`; without it nobody can say."""
        del before
        if not where.remote.changed:
            return None
        with _opened(where) as con:
            return _changed(con, where)


@contextmanager
def _opened(where: Where) -> Iterator[sqlite3.Connection]:
    path = where.root / unquote(where.address.partition("://")[2].removeprefix("/"))
    if not path.is_file():
        what = f'the connection "{where.remote.connection}" leads to no file'
        raise Refusal(what, "sqlite:///shop.db from the workspace, sqlite:////srv/shop.db from /")
    try:
        address = f"file:{quote(str(path.absolute()))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as con:
            con.execute("PRAGMA query_only = true")
            con.execute("BEGIN")
            yield con
    except sqlite3.Error as error:
        raise _told(error) from None


def _told(error: sqlite3.Error) -> Exception:
    """Say what SQLite said, where its words can only be those of the query."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return Fault("the database is busy")
    if code == sqlite3.SQLITE_AUTH:
        return Refusal("the database refuses the query: it may only read", "write one SELECT")
    if code == sqlite3.SQLITE_ERROR and _OF_THE_QUERY.fullmatch(str(error)):
        return Refusal(f"the database refuses the query: {error}")
    return Refusal("the database cannot answer the query", "run it there")


def _changed(con: sqlite3.Connection, where: Where) -> str:
    if not where.remote.changed:
        return ""
    con.set_authorizer(_only_reads)
    rows = con.execute(where.remote.changed).fetchmany(2)
    con.set_authorizer(None)
    return answered(rows)


def _copy(con: sqlite3.Connection, query: str, path: Path, say: Say) -> None:
    con.set_authorizer(_only_reads)
    con.execute(query).close()  # what it may not do it must not do in a view either
    con.set_authorizer(None)
    con.execute("PRAGMA query_only = false")  # of a view in memory, of a file that is read-only
    con.execute(f"CREATE TEMP VIEW mesh_query AS {query}")
    declared = [
        (str(row[1]), str(row[2])) for row in con.execute("PRAGMA temp.table_info(mesh_query)")
    ]
    require_names([name for name, _ in declared])
    con.set_authorizer(_only_reads)
    kinds = _kinds(con, declared)
    rows = con.execute("SELECT * FROM temp.mesh_query")
    with Rows(path, say) as out:
        size = _FIRST_ROWS
        while found := rows.fetchmany(size):
            columns = zip(*found, strict=True)
            batch = {n: _array(n, c, k) for (n, k), c in zip(kinds.items(), columns, strict=True)}
            out.write(batch)
            wide = sum(column.nbytes for column in batch.values()) / len(found)
            size = max(1, min(_ROWS, int(_BYTES / max(wide, 1))))
        out.write({name: _array(name, (), kind) for name, kind in kinds.items()})


def _only_reads(action: int, one: str | None, two: str | None, *_: str | None) -> int:
    del one
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if (two or "").lower() in _NEVER else sqlite3.SQLITE_OK
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _kinds(con: sqlite3.Connection, declared: list[tuple[str, str]]) -> dict[str, str]:
    """Return what each column is, by its declared type and by what is in it.

    Raises:
        Refusal: it holds values of kinds that no one type has.
    """
    asked = ", ".join(
        f"max(typeof({quoted(name)}) = '{kind}')" for name, _ in declared for kind in _KINDS
    )
    answer = con.execute(f"SELECT {asked} FROM temp.mesh_query").fetchone()
    found = {}
    for number, (name, said) in enumerate(declared):
        flags = answer[number * len(_KINDS) : (number + 1) * len(_KINDS)]
        held = {kind for kind, flag in zip(_KINDS, flags, strict=True) if flag}
        found[name] = _kind(name, said, held)
    return found


def _kind(name: str, said: str, held: set[str]) -> str:
    allowed: tuple[str, ...] = next(
        (kinds for word, kinds in _DECLARED if word in said.upper()), ()
    )
    if not allowed:  # NUMERIC, or nothing: what is in it says what it is
        numbers = ("real", "integer") if held == {"real", "integer"} else ()
        allowed = numbers or (tuple(held) if held else ("text",))[:1]
    if not held <= set(allowed):
        what = f'"{name}" holds {" and ".join(sorted(held))}'
        raise Refusal(f"{what}, which no one type has", f"select cast({name} as text)")
    return allowed[0]


def _array(name: str, values: tuple[object, ...], kind: str) -> pa.Array:
    import pyarrow as pa

    types = {
        "integer": pa.int64(),
        "real": pa.float64(),
        "text": pa.string(),
        "blob": pa.binary(),
    }
    try:
        return pa.array(values, types[kind])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        what = f'"{name}" holds a number that is not exact as {kind}'
        raise Refusal(what, f"select cast({name} as text)") from None
