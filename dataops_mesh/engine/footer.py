"""What Parquet files hold and DuckDB reads as something else is refused, by file and column.

It reads decimals of more than 38 digits as doubles of another value, cuts nanoseconds of moments
to microseconds, and knows nothing of what Arrow's extensions mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine.arrow import meant, values_of
from dataops_mesh.engine.delivery import UnclearDelivery

if TYPE_CHECKING:
    import numpy as np
    import pyarrow.parquet as pq

_MOST_DIGITS = 38
_THEN = "have it delivered as a type that is read exactly: DECIMAL(38,...), microseconds, text"
_NANOSECONDS = 1000  # in a microsecond


def require_read_exactly(found: Sequence[Path]) -> None:
    """Make sure that DuckDB reads every value of some Parquet files as it is.

    Raises:
        UnclearDelivery: a column is of a type of which it would read something else.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in found:
        try:
            with pq.ParquetFile(path) as file:
                wrong = next(_wrong(path, file), None)
        except (pa.ArrowException, OSError) as error:
            what = f"{path.name}: nobody can tell what types it has ({type(error).__name__})"
            raise UnclearDelivery(what, _THEN) from None
        if wrong:
            raise UnclearDelivery(f'{path.name}: column "{wrong[0]}" {wrong[1]}', _THEN)


def _wrong(path: Path, file: pq.ParquetFile) -> Iterator[tuple[str, str]]:
    """Yield the columns that are not read exactly, and why."""
    for name, extension in meant(file.schema_arrow):
        yield name, f"holds numbers that mean something else ({extension})"
    for at in range(len(file.schema)):
        column = file.schema[at]
        said = json.loads(column.logical_type.to_json())
        digits = said["precision"] if said["Type"] == "Decimal" else 0
        if digits > _MOST_DIGITS:
            yield column.path, f"has decimals of {digits} digits; {_MOST_DIGITS} are read"
        cut = said.get("timeUnit") == "nanoseconds" and said.get("isAdjustedToUTC")
        may_be_cut = cut or column.physical_type == "INT96"
        if may_be_cut and _has_nanoseconds(path, column.path, column.physical_type):
            yield column.path, "has moments with nanoseconds; microseconds are read"


def _has_nanoseconds(path: Path, column: str, kind: str) -> bool:
    """Tell whether a moment of a column is between two microseconds.

    What a nanosecond's 64 bits cannot hold of an INT96 goes round in both, and not in what is left.
    """
    import numpy as np

    exact = _numbers(path, column, "ns")
    if kind != "INT96":
        return any((moments % _NANOSECONDS).any() for moments in exact)
    read = _numbers(path, column, "us")
    return any(
        (whole - cut * np.int64(_NANOSECONDS)).any() for whole, cut in zip(exact, read, strict=True)
    )


def _numbers(path: Path, column: str, unit: str) -> Iterator[np.ndarray]:
    """Yield what a column of moments counts, INT96 in a unit."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, coerce_int96_timestamp_unit=unit) as file:
        for batch in file.iter_batches(columns=[column]):
            for part in batch.columns:
                for array in values_of(part):
                    if pa.types.is_temporal(array.type):
                        yield array.cast(pa.int64()).to_numpy()
