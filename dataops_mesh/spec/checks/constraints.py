"""The checks that a contract's columns and foreign keys stand for."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.spec.checks.check import Check
from dataops_mesh.spec.checks.making import having, must
from dataops_mesh.spec.checks.measures import (
    ColumnShape,
    ColumnType,
    Duplicates,
    Length,
    NotMultiple,
    Nulls,
    OutsideSet,
    Query,
    Range,
    RepeatedItems,
    TooFine,
    Unformatted,
    Unmatched,
    Unreferenced,
)
from dataops_mesh.spec.model import Address, Column, OutputPort, Relationship
from dataops_mesh.spec.names import stem
from dataops_mesh.spec.read.column.columns import column_types
from dataops_mesh.spec.types.formats import TEXT, TimeFormat, time_format
from dataops_mesh.spec.types.stored import declared, stored


def column_checks(port: OutputPort, column: Column) -> Iterator[Check]:
    """Return the checks of what the values of one column must be."""
    name, where, options = column.name, column.where, column.options
    called = stem(name)
    if column.required or column.key_position is not None:
        yield must(port, f"{called}_required", Nulls(name), where, "completeness")
    if column.unique:
        yield must(port, f"{called}_unique", Duplicates((name,)), where, "uniqueness")
    if options.min_length is not None or options.max_length is not None:
        length = Length(name, options.min_length, options.max_length)
        yield must(port, f"{called}_length", length, where, "conformity")
    bounds = _range(column)
    if bounds is not None:
        yield must(port, f"{called}_range", bounds, where, "conformity")
    if options.pattern is not None:
        pattern = Unmatched(name, options.pattern)
        yield must(port, f"{called}_pattern", pattern, where, "conformity")
    if column.enum:
        yield must(port, f"{called}_enum", OutsideSet(name, column.enum), where, "conformity")
    yield from _items(port, column)
    for one in column.inside:
        sql = f"SELECT count(*) FROM {{object}} WHERE {one.broken}"
        measure = Query(sql, told=f"against {one.told}")
        yield must(port, one.name, measure, one.where, "conformity")
    yield from _format(port, column)


def reference_check(port: OutputPort, one: Relationship) -> Check:
    """Return the check of one foreign key."""
    # Without an address there is a problem, and no product.
    measure = Unreferenced(one.columns, one.address or Address("", one.relation), one.to)
    check = must(port, one.name, measure, one.where, "consistency")
    return having(check, one.threshold, one.severity)


def column_type(column: Column) -> ColumnType | ColumnShape:
    """Return the type that the contract says of a column."""
    shape = stored(declared(column))
    if column.shape is not None:
        return ColumnShape(column.name, shape, column.shape)
    family = () if column.physical_type else column_types(column.logical_type, column.options)
    return ColumnType(column.name, shape.accepted, family if family != shape.accepted else ())


def _items(port: OutputPort, column: Column) -> Iterator[Check]:
    name, where, options = column.name, column.where, column.options
    called = stem(name)
    if options.min_items is not None or options.max_items is not None:
        count = Length(name, options.min_items, options.max_items)
        yield must(port, f"{called}_items", count, where, "conformity")
    if options.unique_items:
        yield must(port, f"{called}_unique_items", RepeatedItems(name), where, "uniqueness")
    if options.multiple_of is not None:
        multiple = NotMultiple(name, options.multiple_of)
        yield must(port, f"{called}_multiple", multiple, where, "conformity")


def _format(port: OutputPort, column: Column) -> Iterator[Check]:
    """Return the check of a format; that of a number is its type."""
    name, where, text = column.name, column.where, column.options.format
    called = stem(name)
    if (digits := column.options.digits) is not None:
        fine = TooFine(name, f"{column.logical_type}({digits})", 10 ** (6 - digits))
        yield must(port, f"{called}_digits", fine, where, "conformity")
    if text is None:
        return
    if column.logical_type == "string":
        found = TEXT[text]
        measure = Unformatted(name, text, found.pattern, found.type)
        yield must(port, f"{called}_format", measure, where, "conformity")
    elif column.logical_type in {"timestamp", "time"}:
        shown = time_format(text, column.logical_type)
        if isinstance(shown, TimeFormat) and shown.step > 1:
            fine = TooFine(name, text, shown.step)
            yield must(port, f"{called}_format", fine, where, "conformity")


def _range(column: Column) -> Range | None:
    options = column.options
    low = options.minimum if options.minimum is not None else options.exclusive_minimum
    high = options.maximum if options.maximum is not None else options.exclusive_maximum
    if low is None and high is None:
        return None
    return Range(
        column.name,
        low,
        high,
        exclusive_minimum=options.exclusive_minimum is not None,
        exclusive_maximum=options.exclusive_maximum is not None,
    )
