"""Frames and Arrow data that a transform returned: what cannot be taken is refused by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.engine.arrow import meant
from dataops_mesh.engine.objects import are_exact, are_same, in_utc, is_missing, is_of_objects
from dataops_mesh.errors import Problem, TransformError
from dataops_mesh.spec.types.shape import Kind, Shape

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_PROBE = "_mesh_column"
_MEANT = "return `.astype(str)` of it, or `.dt.to_timestamp()` of a period"
_ONE = "return values of one type, as with `pd.to_datetime(...)`, `.astype(...)` or `str`"
_TAKEN = "return a type of Arrow that DuckDB reads, as with `.astype(...)` of pandas"


def require_taken(con: duckdb.DuckDBPyConnection, schema: pa.Schema) -> None:
    """Make sure that every column is of a type that DuckDB reads as what it is.

    Raises:
        TransformError: one is not.
    """
    _require_once(schema.names)
    for name, extension in meant(schema):
        raise _refused(name, f"holds numbers that mean something else ({extension})", _MEANT)
    if not _is_taken(con, schema):
        for field in schema:
            if not _is_taken(con, [field]):
                raise _refused(field.name, f"is of the type {field.type}, which cannot be written")


def require_plain(rows: Any) -> None:
    """Make sure that no column of a polars frame is of Python objects: it gives their addresses.

    Raises:
        TransformError: one is.
    """
    if type(rows).__module__.partition(".")[0] != "polars":
        return
    for name, kind in getattr(rows, "schema", {}).items():
        if str(kind) == "Object":
            raise _refused(name, "is of Python objects", _ONE)


def table_of(frame: Any, wanted: Mapping[str, Shape]) -> Any:
    """Return a pandas frame as a table; its dictionaries are maps where the contract says so.

    Raises:
        TransformError: a column cannot be taken, or some value of it would be another one.
    """
    _require_once(list(frame.columns))
    frame = frame.copy(deep=False)
    for name in frame.columns:
        if frame[name].dtype == object:
            frame[name] = in_utc(frame[name])
    names = [n for n in frame.columns if n in wanted and wanted[n].kind is Kind.MAP]
    rest = frame.drop(columns=names)
    table = _as_arrow(rest)
    for at, name in enumerate(rest.columns):
        if is_of_objects(rest[name]):
            _require_same(name, list(rest[name]), table.column(at))
    for name in names:
        maps = _maps(name, list(frame[name]))
        table = table.add_column(list(frame.columns).index(name), name, maps)
    return table


def _maps(name: object, cells: Sequence[Any]) -> pa.MapArray:
    """Return mappings, or lists of pairs as Arrow gives them, as maps."""
    import pyarrow as pa

    keys, values, offsets, places = [], [], [0], []
    for cell in cells:
        places.append(None if is_missing(cell) else offsets[-1])
        pairs = {} if is_missing(cell) else _pairs(name, cell)
        keys += list(pairs)
        values += list(pairs.values())
        offsets.append(len(keys))
    arrays = []
    for items in (keys, values):
        try:
            arrays.append(pa.array(items, from_pandas=False))
        except _refusals() as error:
            raise _refused(name, "has values of no one type") from error
        _require_same(name, items, arrays[-1])
    return pa.MapArray.from_arrays(pa.array([*places, offsets[-1]], pa.int32()), *arrays)


def _pairs(name: object, cell: Any) -> dict[Any, Any]:
    try:
        pairs = dict(cell) if isinstance(cell, Mapping | list) else None
    except (TypeError, ValueError):
        pairs = None
    if pairs is None or len(pairs) != len(cell):
        raise _refused(name, "has values that are no maps, or a key twice", _ONE)
    return pairs


def _require_same(name: object, values: Sequence[Any], made: Any) -> None:
    """Make sure that the values of a column are in Arrow what they were in Python."""
    if are_exact(values):
        return
    try:
        same = are_same(values, made.to_pylist())
    except (TypeError, ValueError, ArithmeticError):  # as of a moment beyond the years of Python
        same = False
    if not same:
        raise _refused(name, "has values of several types, of which some would be cut", _ONE)


def _as_arrow(frame: Any) -> pa.Table:
    import pyarrow as pa

    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except _refusals() as error:
        if len(frame.columns) == 1:
            (name,) = frame.columns
            what = f"has the dtype {frame[name].dtype} and values of no one type"
            raise _refused(name, what) from error
        for name in frame.columns:
            _as_arrow(frame[[name]])
        raise


def _refusals() -> tuple[type[Exception], ...]:
    """Return what Arrow says of values that it does not take; of which column, it does not say."""
    import pyarrow as pa

    return (pa.ArrowException, TypeError, ValueError, NotImplementedError, OverflowError)


def _require_once(names: Sequence[object]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise _refused(name, "is there twice", "return one of each name")


def _is_taken(con: duckdb.DuckDBPyConnection, fields: Any) -> bool:
    import pyarrow as pa

    try:
        con.register(_PROBE, pa.schema(fields).empty_table())
        con.execute(f"DESCRIBE FROM {_PROBE}").fetchall()
    except (sql.engine_error(), pa.ArrowException):  # a union of types
        return False
    finally:
        con.unregister(_PROBE)
    return True


def _refused(name: object, what: str, cure: str = _TAKEN) -> TransformError:
    # Whoever tells people of it adds where the whole text is.
    return TransformError(Problem(f'column "{name}" {what}: {cure}'))
