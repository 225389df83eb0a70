"""The rows of a query as a Parquet file, a batch at a time."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dataops_mesh.fetch.driver import Say
from dataops_mesh.fetch.faults import Refusal

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "rows.parquet"
_GROUP, _BYTES = 250_000, 64 * 2**20  # rows of a row group at most, and bytes
_SAID_EVERY = 5.0


class Rows:
    """Writes columns to a file, and says now and then how many rows there are."""

    def __init__(self, path: Path, say: Say) -> None:
        self._path, self._say = path, say
        self._writer: Any = None
        self._held: list[Any] = []
        self._waiting, self._bytes, self._count, self._told = 0, 0, 0, time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def write(self, columns: Mapping[str, pa.Array]) -> None:
        """Take a batch."""
        import pyarrow as pa

        batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        if self._writer is None:
            import pyarrow.parquet as pq

            self._writer = pq.ParquetWriter(str(self._path), batch.schema, compression="zstd")
        self._held.append(batch)
        self._waiting += batch.num_rows
        self._bytes += batch.nbytes
        self._count += batch.num_rows
        if self._waiting >= _GROUP or self._bytes >= _BYTES:
            self._flush()
        if time.monotonic() - self._told > _SAID_EVERY:
            self._told = time.monotonic()
            self._say(f"{self._count:,} rows")

    def _flush(self) -> None:
        import pyarrow as pa

        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held))
            self._held, self._waiting, self._bytes = [], 0, 0


def require_names(names: Sequence[str]) -> None:
    """Make sure that each column can be called by its name.

    Raises:
        Refusal: there is none, one has no name, or two have the same.
    """
    if not names:
        raise Refusal("the query has no columns")
    known = set[str]()
    for name in names:
        if not name or name == "?column?":
            raise Refusal("a column of the query has no name", "name it: `as total`")
        if name.lower() in known:
            raise Refusal(f'two columns of the query are called "{name}"', "name each: `as ...`")
        known.add(name.lower())


def quoted(name: str) -> str:
    """Return an identifier of SQL.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def answered(rows: Sequence[Sequence[Any]]) -> str:
    """Return the answer of `changed` as a mark.

    Raises:
        Refusal: it is not one row.
    """
    if len(rows) != 1:
        raise Refusal("`changed` must answer with one row", "select max(updated_at) from ...")
    # A digest: what it says may be a value that is published masked.
    return f"changed {hashlib.sha256(repr(list(rows[0])).encode()).hexdigest()[:32]}"
