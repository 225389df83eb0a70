"""The files that dlt has written, as one: always the same for the same rows; called confined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import Location, Problem, SourceError

if TYPE_CHECKING:
    import dlt
    import pyarrow as pa
    from dlt.common.pipeline import NormalizeInfo
    from dlt.extract import DltSource

    from dataops_mesh.transform.dlt.job import Job

ROWS = "rows.parquet"
_OURS = "_dlt_"  # names that begin so are dlt's own: numbers of loads and rows, new each time
_GROUP, _BYTES = 250_000, 64 * 2**20
_UNKNOWN = {"seen": "nulls alone"}
_FULL = "mesh run PRODUCT --full begins again, and forgets the old types"


def hinted_columns(source: DltSource) -> frozenset[str]:
    """Return the columns of which a resource itself says the type, before it has run."""
    found = list[str]()
    for resource in source.resources.selected.values():
        said = resource.columns if isinstance(resource.columns, dict) else {}
        found += [name for name, column in said.items() if column.get("data_type")]
    return frozenset(map(source.schema.naming.normalize_identifier, found))


def table_of(pipeline: dlt.Pipeline, source: DltSource, job: Job) -> dict[str, Any]:
    """Return the columns of the one table that was extracted, as dlt describes them.

    Raises:
        SourceError: there are several, or a column has several types.
    """
    schema = pipeline.schemas[source.schema.name]
    tables = [str(one["name"]) for one in schema.data_tables(include_incomplete=True)]
    if len(tables) > 1:
        what = f"the resource makes {len(tables)} tables, and an input port is one"
        raise SourceError(Problem(what, Location(job.shown, 1), choices=tuple(tables)))
    said: Mapping[str, Any] = schema.tables[tables[0]]["columns"] if tables else {}
    _require_one_type(said, job)
    return {name: column for name, column in said.items() if not name.startswith(_OURS)}


def written(pipeline: dlt.Pipeline, done: NormalizeInfo) -> list[Path]:
    """Return the files that dlt has written, in the order of their rows."""
    found = []
    for load, steps in done.metrics.items():
        jobs = pipeline.get_load_package_info(load).jobs["new_jobs"]
        paths = {Path(one.file_path).name: Path(one.file_path) for one in jobs}
        names = (Path(one.file_path).name for s in steps for one in s["job_metrics"].values())
        found += [paths[name] for name in names if not name.startswith(_OURS)]
    return found


def _require_one_type(said: Mapping[str, Any], job: Job) -> None:
    for name, column in said.items():
        if column.get("variant"):
            own, kind = name.rpartition("__v_")[0], column.get("data_type")
            first = said.get(own, {}).get("data_type")
            what = f'"{own}" holds {first} and {kind}, which dlt makes two columns of'
            then = f'say which: @dlt.resource(columns={{"{own}": {{"data_type": "{kind}"}}}})'
            raise SourceError(Problem(what, Location(job.shown, 1), next=then))


def columns_of(
    said: Mapping[str, Any],
    files: Iterable[Path],
    before: pa.Schema | None,
    hinted: frozenset[str],
    job: Job,
) -> pa.Schema:
    """Return the columns: those that there were, which keep their types, then the new ones.

    Args:
        said: the columns as dlt describes them.
        files: what it has written.
        before: the columns that there were.
        hinted: columns of which the resource says the type; that may be another one than it was.
        job: who is told.

    Raises:
        SourceError: there are none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = dict[str, pa.DataType]()
    for file in files:
        for field in pq.read_schema(file):
            if not field.name.startswith(_OURS) and not pa.types.is_null(field.type):
                found.setdefault(field.name, field.type)
    described = _arrow(said)
    now = {name: found.get(name) or described.get(name) or pa.null() for name in said}
    kinds = {
        field.name: now.get(field.name, field.type) if field.name in hinted else field.type
        for field in before or ()
    }
    for name, kind in now.items():
        kinds.setdefault(name, kind)
    kinds |= {name: kind for name, kind in found.items() if name not in kinds}
    if not kinds:
        what = "the resource gave no rows, and does not say what columns they would have"
        then = '@dlt.resource(columns={"id": {"data_type": "bigint"}})'
        raise SourceError(Problem(what, Location(job.shown, 1), next=then))
    return pa.schema([_field(name, kind) for name, kind in kinds.items()])


def typed(columns: pa.Schema) -> pa.Schema:
    """Return the columns without those of which only nulls were seen."""
    import pyarrow as pa

    return pa.schema([column for column in columns if not column.metadata])


def _field(name: str, kind: pa.DataType) -> pa.Field:
    """Return a column; one of nothing but nulls is a text, as long as nobody knows better."""
    import pyarrow as pa

    unknown = pa.types.is_null(kind)
    return pa.field(name, pa.string(), metadata=_UNKNOWN) if unknown else pa.field(name, kind)


def _arrow(said: Mapping[str, Any]) -> dict[str, pa.DataType]:
    """Return the types of columns as dlt would write them, rows or not."""
    from dlt.common.destination.capabilities import DestinationCapabilitiesContext
    from dlt.common.libs.pyarrow import columns_to_arrow

    whole = {name: column for name, column in said.items() if column.get("data_type")}
    caps = DestinationCapabilitiesContext.generic_capabilities()
    return {field.name: field.type for field in columns_to_arrow(whole, caps, "UTC")}


def copy_rows(files: Iterable[Path], columns: pa.Schema, job: Job) -> None:
    """Copy the rows, a batch at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetWriter(str(job.folder / ROWS), columns, compression="zstd") as writer:
        held, size = list[pa.RecordBatch](), 0
        for file in files:
            for batch in _batches(file):
                made = _as(batch, columns, job)
                held.append(made)
                size += made.nbytes
                if size >= _BYTES or sum(one.num_rows for one in held) >= _GROUP:
                    writer.write_table(pa.Table.from_batches(held))
                    held, size = [], 0
        writer.write_table(pa.Table.from_batches(held, columns))


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    """Read a file as it was written, a group of rows at a time: nobody knows how wide they are."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        for group in range(opened.num_row_groups):
            yield from opened.iter_batches(row_groups=[group])


def _as(batch: pa.RecordBatch, columns: pa.Schema, job: Job) -> pa.RecordBatch:
    """Return a batch with all columns, in their types."""
    import pyarrow as pa

    there, made = set(batch.schema.names), []
    for column in columns:
        if column.name not in there:
            made.append(pa.nulls(batch.num_rows, column.type))
            continue
        values = batch.column(column.name)
        try:
            made.append(values if values.type == column.type else values.cast(column.type))
        except pa.ArrowInvalid:
            what = f'"{column.name}" was {column.type}, and not all that comes now fits'
            raise SourceError(Problem(what, Location(job.shown, 1), next=_FULL)) from None
    return pa.RecordBatch.from_arrays(made, schema=columns)
