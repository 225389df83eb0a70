"""What Arrow's types say and DuckDB does not read: digits of a nanosecond, types of extensions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_NAME = b"ARROW:extension:name"


def meant(schema: pa.Schema) -> Iterator[tuple[str, str]]:
    """Yield the columns whose values are numbers that an extension gives a meaning, and its name.

    A period of pandas is the number of months since 1970. Text and bytes are what they are.
    """
    for field in schema:
        if name := _extension(field):
            yield field.name, name


def with_digits(rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Return a stream whose nanoseconds are all read: of those with a zone DuckDB cuts digits.

    They have none then and are moments of UTC, and are converted like those without.
    """
    import pyarrow as pa

    schema = pa.schema([field.with_type(_naive(field.type)) for field in rows.schema])
    return rows if schema == rows.schema else rows.cast(schema)


def values_of(array: pa.Array) -> Iterator[pa.Array]:
    """Yield the plain arrays that a nested one is made of, without nulls."""
    import pyarrow as pa

    if isinstance(array, pa.StructArray):
        for part in array.flatten():
            yield from values_of(part)
    elif isinstance(array, pa.MapArray):
        yield from values_of(array.keys)
        yield from values_of(array.items)
    elif hasattr(array, "values") and pa.types.is_nested(array.type):
        yield from values_of(array.flatten())
    else:
        yield array.drop_null()


def _extension(field: pa.Field) -> str:
    """Return the extension that gives a meaning to numbers in a column, at any depth."""
    import pyarrow as pa

    kind, name = field.type, (field.metadata or {}).get(_NAME, b"").decode(errors="replace")
    if isinstance(kind, pa.BaseExtensionType):
        kind, name = kind.storage_type, kind.extension_name
    if name:
        return "" if _is_itself(kind) or name == "arrow.bool8" else name
    inner = (_extension(part) for part in _parts(kind))
    return next((found for found in inner if found), "")


def _is_itself(kind: Any) -> bool:
    import pyarrow as pa

    known = (
        *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        *(pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view),
        pa.types.is_fixed_size_binary,
    )
    return any(test(kind) for test in known)


def _parts(kind: pa.DataType) -> Iterator[pa.Field]:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        yield pa.field("", kind.value_type)
    elif pa.types.is_map(kind):
        yield from (kind.key_field, kind.item_field)
    elif pa.types.is_nested(kind):
        yield from (kind.field(at) for at in range(kind.num_fields))


def _naive(kind: pa.DataType) -> pa.DataType:
    """Return the type without zones of nanoseconds, at any depth."""
    import pyarrow as pa

    types = pa.types
    if types.is_timestamp(kind):
        return pa.timestamp(kind.unit) if kind.tz and kind.unit == "ns" else kind
    if types.is_struct(kind):
        return pa.struct([f.with_type(_naive(f.type)) for f in _parts(kind)])
    if types.is_map(kind):
        key, item = (f.with_type(_naive(f.type)) for f in _parts(kind))
        return pa.map_(key, item, kind.keys_sorted)
    for test, made in ((types.is_list, pa.list_), (types.is_large_list, pa.large_list)):
        if test(kind):
            return made(kind.value_field.with_type(_naive(kind.value_type)))
    if types.is_fixed_size_list(kind):
        inner = kind.value_field.with_type(_naive(kind.value_type))
        return pa.list_(inner, kind.list_size)
    return kind
