"""A query on PostgreSQL: batches of Arrow by ADBC, straight into a Parquet file.

Every value comes through exactly, or the query is refused with the column's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.fetch.driver import Before, Fetched, Piece, Say, Where
from dataops_mesh.fetch.faults import Fault, Refusal
from dataops_mesh.fetch.rows import FILE, Rows, answered, quoted, require_names

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMES = ("postgresql", "postgres")
_EXTRA = 'pip install "dataops-mesh[sources]"'
_BATCH = "adbc.postgresql.batch_size_hint_bytes"
_BYTES = str(16 * 2**20)
_NDIMS = "mesh array "  # before the name of a column that says how deep an array is
_PLAIN = {
    *("int2", "int4", "int8", "float4", "float8", "bool", "text", "varchar", "bpchar", "name"),
    *("bytea", "date", "time", "timestamp", "timestamptz", "uuid", "json", "jsonb"),
}
_IN_ARRAYS = _PLAIN - {"json", "jsonb", "uuid", "bytea", "time"}
_WIDEST = 38
# What PostgreSQL can say of a day and a moment, in days and microseconds since 1970.
_DAYS = (-2_440_588, 2_145_031_948)
_MOMENTS = (-210_866_803_200_000_000, 9_223_371_331_199_999_999)
_PATIENCE = (
    ("connect_timeout", 10),
    ("keepalives_idle", 60),
    ("keepalives_interval", 15),
    ("application_name", "dataops_mesh"),
)
_ABOUT_WORDS = "42"  # the class of errors about the query's own words; others may tell values
# What ends a query of which the connection lives on, and another try may mend.
_IN_PASSING = re.compile("canceling statement|conflict with recovery|could not serialize|deadlock")
_MEND = ("08", "40", "53", "55", "57")  # of errors that another try may mend


class Postgres:
    """PostgreSQL, by its own library in ADBC."""

    def fetch(self, where: Where, before: Before, into: Path, say: Say) -> Fetched:
        """Read the query in one read-only transaction; not at all if `changed` says the same."""
        with _cursor(where) as cursor:
            mark = _changed(cursor, where)
            if mark and mark == before.mark:
                return before_as_fetched(before)
            path = into / FILE
            _copy(cursor, where.remote.query, path, say)
        return Fetched((Piece(FILE, path),), mark)

    def look(self, where: Where, before: Before) -> str | None:
        """Ask `changed`; without it nobody can say."""
        del before
        if not where.remote.changed:
            return None
        with _cursor(where) as cursor:
            return _changed(cursor, where)


def before_as_fetched(before: Before) -> Fetched:
    """Return what was there as what is there."""
    return Fetched(before.pieces, before.mark)


def patient(address: str) -> str:
    """Return an address by which a server that is gone is noticed; what it says itself stays.

    >>> patient("postgresql://h/d?connect_timeout=3").partition("&")[0]
    'postgresql://h/d?connect_timeout=3'
    """
    said = address.partition("?")[2]
    more = "&".join(f"{key}={value}" for key, value in _PATIENCE if f"{key}=" not in said)
    return f"{address.rstrip('?')}{'&' if said else '?'}{more}" if more else address


@contextmanager
def _cursor(where: Where) -> Iterator[Any]:
    import pyarrow as pa

    try:
        from adbc_driver_manager import dbapi as told
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise Refusal("needs adbc-driver-postgresql, which is not installed", _EXTRA) from None
    try:
        with dbapi.connect(patient(where.address)) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            try:
                yield cursor
            except (pa.ArrowException, OSError) as error:
                if getattr(error, "errno", None):  # our own disk
                    raise
                raise _in_the_middle(connection, str(error)) from None
    except told.Error as error:
        raise _told(error) from None


def _in_the_middle(connection: Any, said: str) -> Exception:
    """Say what ended an answer, which the library does not: a row was refused, or nobody is there.

    Of what was said nothing is told: it may repeat a value.
    """
    if _IN_PASSING.search(said) or not _answers(connection):
        return Fault("the database went away in the middle")
    what = "the database cannot answer the query: some row of it fails"
    return Refusal(what, "run it there, and correct the query or the row")


def _answers(connection: Any) -> bool:
    from adbc_driver_manager import dbapi as told

    try:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchall())
    except (told.Error, OSError):
        return False


def _told(error: Any, *, planned: bool = False) -> Exception:
    """Say what the database said, without what may be a value or a password.

    Args:
        error: of the library.
        planned: the query was only planned: its own words are all that the text can repeat.
    """
    state = str(getattr(error, "sqlstate", None) or "")
    if "database" in str(error) and "does not exist" in str(error) and not state:
        return Refusal("there is no database of the connection's name", "correct the connection")
    if not state or state.startswith(_MEND):
        return Fault(f"the database cannot be reached{f' (SQLSTATE {state})' if state else ''}")
    if state.startswith("28"):
        return Refusal(f"the database refuses the user of the connection (SQLSTATE {state})")
    if planned and state.startswith(_ABOUT_WORDS):
        text = str(error).partition("ERROR:")[2].partition("\n")[0].strip()
        return Refusal(f"the database refuses the query: {text} (SQLSTATE {state})")
    return Refusal(f"the database cannot answer the query (SQLSTATE {state})", "run it there")


def _changed(cursor: Any, where: Where) -> str:
    if not where.remote.changed:
        return ""
    cursor.execute(where.remote.changed)
    return answered(cursor.fetchmany(2))


def _copy(cursor: Any, query: str, path: Path, say: Say) -> None:
    query = f"{query.strip().rstrip(';')}\n"  # it may end in a comment
    cursor.adbc_statement.set_options(**{_BATCH: _BYTES})
    schema = _planned(cursor, query)
    require_names(schema.names)
    ways = {field.name: _way(field) for field in schema}
    arrays = [field.name for field in schema if _is_list(field.type)]
    if arrays:  # the library makes one list of an array of arrays
        deep = ", ".join(
            f"array_ndims(q.{quoted(name)}) AS {quoted(_NDIMS + name)}" for name in arrays
        )
        query = f"SELECT q.*, {deep} FROM (\n{query}) AS q"
    cursor.execute(query)
    with Rows(path, say) as rows:
        for batch in cursor.fetch_record_batch():
            _require_flat(batch, arrays)
            rows.write({name: way(batch.column(name)) for name, way in ways.items()})
        rows.write({name: way(_none(schema.field(name))) for name, way in ways.items()})


def _planned(cursor: Any, query: str) -> pa.Schema:
    """Return the columns of a query that was planned, and not asked yet."""
    from adbc_driver_manager import dbapi as told

    try:
        return cursor.adbc_execute_schema(query)
    except told.Error as error:
        raise _told(error, planned=True) from None


def _none(field: pa.Field) -> pa.Array:
    import pyarrow as pa

    return pa.array([], field.type)


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind))


def _require_flat(batch: pa.RecordBatch, arrays: list[str]) -> None:
    import pyarrow.compute as pc

    for name in arrays:
        if (pc.max(batch.column(_NDIMS + name)).as_py() or 1) > 1:
            what = f'"{name}" holds arrays of arrays, which would be read as flat ones'
            raise Refusal(what, f"select to_jsonb({name}) instead")


def _way(field: pa.Field) -> Callable[[pa.Array], pa.Array]:
    """Return how a column is written so that nothing of it is lost.

    Raises:
        Refusal: there is no such way.
    """
    import pyarrow as pa

    said = {key.decode(): text.decode() for key, text in (field.metadata or {}).items()}
    kind, name = said.get("POSTGRESQL:type", ""), field.name
    if kind == "numeric":
        return _decimal(name, int(said.get("POSTGRESQL:typmod", "-1")))
    if kind in _PLAIN:
        return {
            "date": lambda column: _within(name, column, pa.int32(), _DAYS),
            "timestamp": lambda column: _within(name, column, pa.int64(), _MOMENTS),
            "timestamptz": lambda column: _within(name, column, pa.int64(), _MOMENTS),
            "json": lambda column: column.storage,
            "jsonb": lambda column: column.storage,
        }.get(kind, lambda column: column)
    if kind.startswith("_") and kind[1:] in _IN_ARRAYS:
        bounds = {"date": _DAYS, "timestamp": _MOMENTS, "timestamptz": _MOMENTS}.get(kind[1:])
        if bounds is None:
            return lambda column: column
        inside = pa.int32() if kind == "_date" else pa.int64()

        def checked(column: pa.Array) -> pa.Array:
            _within(name, column.flatten(), inside, bounds)
            return column

        return checked
    if pa.types.is_string(field.type) or pa.types.is_dictionary(field.type):
        return lambda column: column  # an enumeration
    what = f'"{name}" is of the type {kind.removeprefix("_")}{" array" * kind.startswith("_")}'
    raise Refusal(f"{what}, which would not come through exactly", f"select {name}::text instead")


def _decimal(name: str, typmod: int) -> Callable[[pa.Array], pa.Array]:
    import pyarrow as pa
    import pyarrow.compute as pc

    precision, scale = (typmod - 4) >> 16 & 0xFFFF, (typmod - 4) & 0x7FF
    if typmod < 0 or precision > _WIDEST or scale > precision:
        what = f'"{name}" is a numeric of any length'
        raise Refusal(what, f"say how long it is: {name}::numeric(18, 2)")

    def cast(column: pa.Array) -> pa.Array:
        try:
            return pc.cast(column.storage, pa.decimal128(precision, scale))
        except pa.ArrowInvalid:
            what = f'"{name}" holds NaN or an infinity, which no decimal number is'
            raise Refusal(what, f"select nullif({name}, 'NaN') or {name}::float8") from None

    return cast


def _within(name: str, column: pa.Array, as_: pa.DataType, bounds: tuple[int, int]) -> pa.Array:
    """Refuse infinities, which come as days that there are not."""
    import pyarrow.compute as pc

    if column.null_count < len(column):
        found = pc.min_max(column.view(as_)).as_py()
        if found["min"] < bounds[0] or found["max"] > bounds[1]:
            what = f'"{name}" holds infinity, or a moment that nobody can write'
            raise Refusal(what, f"select nullif({name}, 'infinity')")
    return column
