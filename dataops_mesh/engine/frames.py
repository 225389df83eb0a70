"""Frames and Arrow data that a transform returned: what cannot be taken is refused by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dataops_mesh.engine import sql
from dataops_mesh.engine.arrow import meant
from dataops_mesh.errors import Problem, TransformError
from dataops_mesh.spec.types.shape import Kind, Shape

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_PROBE = "_mesh_column"
_MEANT = "return `.astype(str)` of it, or `.dt.to_timestamp()` of a period"
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


def table_of(frame: Any, wanted: Mapping[str, Shape]) -> Any:
    """Return a pandas frame as a table; its dictionaries are maps where the contract says so."""
    import pyarrow as pa

    _require_once(list(frame.columns))
    names = [n for n in frame.columns if n in wanted and wanted[n].kind is Kind.MAP]
    table = _as_arrow(frame.drop(columns=names))
    for name in names:
        keys, values, offsets = [], [], [0]
        for cell in frame[name]:
            pairs = dict(cell) if isinstance(cell, Mapping | list) else None
            keys += list(pairs or ())
            values += list((pairs or {}).values())
            offsets += [len(keys)]
        absent = [not isinstance(cell, Mapping | list) for cell in frame[name]]
        places = [None if gone else at for at, gone in zip(offsets, absent, strict=False)]
        parts = pa.array([*places, offsets[-1]], pa.int32()), pa.array(keys), pa.array(values)
        table = table.add_column(
            list(frame.columns).index(name), name, pa.MapArray.from_arrays(*parts)
        )
    return table


def _as_arrow(frame: Any) -> pa.Table:
    import pyarrow as pa

    # Whatever Arrow does not take, it says with one of these; whose column it is, it does not say.
    refusals = (pa.ArrowException, TypeError, ValueError, NotImplementedError)
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except refusals as error:
        if len(frame.columns) == 1:
            (name,) = frame.columns
            what = f"has the dtype {frame[name].dtype} and values of no one type"
            raise _refused(name, what) from error
        for name in frame.columns:
            _as_arrow(frame[[name]])
        raise


def _require_once(names: Sequence[object]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise _refused(name, "is there twice", "return one of each name")


def _is_taken(con: duckdb.DuckDBPyConnection, fields: Any) -> bool:
    import pyarrow as pa

    try:
        con.register(_PROBE, pa.schema(fields).empty_table())
        con.execute(f"DESCRIBE FROM {_PROBE}").fetchall()
    except sql.engine_error():
        return False
    finally:
        con.unregister(_PROBE)
    return True


def _refused(name: object, what: str, cure: str = _TAKEN) -> TransformError:
    # Whoever tells people of it adds where the whole text is.
    return TransformError(Problem(f'column "{name}" {what}: {cure}'))
