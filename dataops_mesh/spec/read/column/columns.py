"""Reads the columns of a contract (ODCS `schema[0].properties`)."""

from __future__ import annotations

import re
from dataclasses import replace

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Column, ColumnOptions, Scalar
from dataops_mesh.spec.names import is_column
from dataops_mesh.spec.read.aside import SETTING, read_bound
from dataops_mesh.spec.read.column.inside import classified, read_inside
from dataops_mesh.spec.read.column.nested import NESTED, read_logical, read_shape_of, unlike
from dataops_mesh.spec.read.column.options import read_options
from dataops_mesh.spec.read.column.values import read_values
from dataops_mesh.spec.read.extras import Extras
from dataops_mesh.spec.read.mask import SETTING as MASK
from dataops_mesh.spec.read.mask import read_mask
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.protection import masking
from dataops_mesh.spec.read.quality.custom import Target
from dataops_mesh.spec.read.quality.rules import read_rules
from dataops_mesh.spec.read.servers import physical_of
from dataops_mesh.spec.rule import Severity, Unexecuted
from dataops_mesh.spec.types.formats import NUMBERS
from dataops_mesh.spec.types.physical import accepted_types, is_accepted
from dataops_mesh.spec.types.systems import (
    Physical,
    is_encoding,
    is_not_kept,
    is_ours,
    length_in_brackets,
    listed,
    physical,
    slip,
)

# What only columns of another type have, by the type that has it.
# Of a format of dates, what DuckDB's strptime does not know.
_UNKNOWN = re.compile(r"%(?!-[djmyHIMS]|[a-dfghjmnpuwxyzABGHIMSTUVWXYZ])[-\w]?")
_PARTS = {"properties": "object", "items": "array", "map": "map"}


def read_columns(
    node: Node,
    extras: Extras,
    problems: list[Problem],
    own: Target,
    *,
    source: bool = False,
) -> tuple[Column, ...]:
    """Return the columns of a schema object; what would be ignored is a problem.

    Args:
        node: the schema object.
        extras: the settings of its document.
        problems: receives what is wrong.
        own: what rules may call it, and for whom they are written.
        source: they are a source's, where a column may have another name.
    """
    entries = node.items("properties")
    names = tuple(entry.text("name") or "" for entry in entries)
    if not entries:
        problems.append(node.problem("needs at least one column under `properties`"))
    _report_twice(entries, problems)
    key = _positions(entries, "primaryKey", "primaryKeyPosition", problems)
    partition = _positions(entries, "partitioned", "partitionKeyPosition", problems)
    target = replace(own, columns=names)
    columns = []
    for index, entry in enumerate(entries):
        column = _column(entry, target, extras, problems)
        column = _at_source(column, entry, extras, problems, source=source)
        column = replace(
            column, key_position=key.get(index), partition_position=partition.get(index)
        )
        setting = extras.get(entry.keys, {}).get(MASK)
        mask = read_mask(setting, column, problems, source=source)
        impersonal = extras.get(entry.keys, {}).get("pii") is not None
        columns.append(replace(column, mask=mask, impersonal=impersonal))
    return tuple(columns)


def _report_twice(entries: list[Node], problems: list[Problem]) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        child, name = entry.child("name"), entry.text("name")
        if child is None or name is None:
            continue
        if name.lower() in seen:
            what = f'the column "{name}" is given twice (case makes no difference)'
            problems.append(child.problem(what, then=f"see {seen[name.lower()]}"))
        seen.setdefault(name.lower(), str(child.where))


def _positions(
    entries: list[Node], flag: str, position: str, problems: list[Problem]
) -> dict[int, int]:
    """Return 1, 2, ... for the flagged columns; without positions, in their own order."""
    seen: dict[int, str] = {}
    for entry in entries:
        child, value = entry.child(position), entry.integer(position)
        if child is None or value is None or value == -1:  # -1 is the standard's default
            continue
        if not entry.flag(flag):
            problems.append(child.problem(f"has no effect without `{flag}: true`"))
        elif value < 1:
            problems.append(child.problem("positions count from 1"))
        elif value in seen:
            problems.append(child.problem(f'"{seen[value]}" has the same position'))
        seen[value] = entry.text("name") or ""
    flagged = [index for index, entry in enumerate(entries) if entry.flag(flag)]
    given = {index: entries[index].integer(position) or -1 for index in flagged}
    order = sorted(flagged, key=lambda index: (given[index] < 1, given[index], index))
    return {index: number for number, index in enumerate(order, 1)}


def _column(entry: Node, table: Target, extras: Extras, problems: list[Problem]) -> Column:
    name = entry.text("name") or ""
    if entry.text("name") is not None and not is_column(name):
        child = entry.child("name") or entry
        what = f"{name!a} cannot name a column"
        then = 'no quotes ("), braces or control characters, and no spaces around it'
        problems.append(child.problem(what, then=then))
    if entry.text("semanticType") == "measure":
        child = entry.child("semanticType") or entry
        problems.append(child.problem('"measure" is not supported yet', ["column", "dimension"]))
    logical = read_logical(entry, problems)
    options = read_options(entry, logical, problems)
    _refuse_parts(entry, logical, problems)
    target = replace(table, column=name, logical=logical)
    found = _physical_type(entry, logical, options, table.system, problems)
    inner = read_inside(entry, name, logical, problems)
    return Column(
        name=name,
        logical_type=logical or "string",
        where=entry.where,
        physical_type=found.name if found else None,
        description=entry.text("description") or "",
        required=entry.flag("required"),
        unique=entry.flag("unique"),
        classification=classified(entry.text("classification"), inner, problems),
        critical=entry.flag("criticalDataElement"),
        options=_narrowed(options, found),
        enum=_enum(entry, logical, problems),
        tags=entry.texts("tags"),
        rules=(*read_rules(entry.items("quality"), target, problems, extras), *inner.rules),
        shape=read_shape_of(entry, logical, problems),
        id=entry.text("id") or "",
        masking=masking(entry),
        transform_sources=entry.texts("transformSourceObjects"),
        quarantine=read_bound(extras.get(entry.keys, {}).get(SETTING), problems),
        inside=tuple(inner.checks.values()),
        unexecuted=(*inner.unexecuted, *_unlike(entry, name, logical, found)),
    )


def _at_source(
    column: Column, entry: Node, extras: Extras, problems: list[Problem], *, source: bool
) -> Column:
    """Return the column with its name and its format at the source."""
    written = extras.get(entry.keys, {}).get("dateformat")
    if not source:
        if written is not None:
            problems.append(written.problem("dateformat is a setting of a source's column"))
        return column
    if column.physical_type == "DECIMAL":
        child = entry.child("physicalType") or entry
        problems.append(child.problem("say how wide it is", then="DECIMAL(18,2)"))
    if written is not None and column.logical_type not in {"date", "timestamp", "time"}:
        problems.append(written.problem(f"a {column.logical_type} is not written by a dateformat"))
    if written is not None and (what := _odd_form(str(written.value).replace("%%", ""))):
        problems.append(written.problem(what, then="write it as %d/%m/%Y, or %Y-%m-%d %H:%M:%S"))
    return replace(
        column,
        physical_name=entry.text("physicalName") or "",
        date_format="" if written is None else str(written.value),
    )


def _odd_form(form: str) -> str:
    """Return what is wrong with a format of dates; nothing if it says one moment."""
    if odd := _UNKNOWN.search(form):
        return f'"{odd[0]}" is no word of strptime'
    if re.search("%-?I", form) and "%p" not in form:
        return "%I is an hour of half a day, and no %p says of which half"
    if re.search("%-?[jUWVG]", form) and re.search("%[zZ]", form):
        return "days and weeks of a year are not counted together with a zone"
    return ""


def _physical_type(
    entry: Node, logical: str | None, options: ColumnOptions, system: str, problems: list[Problem]
) -> Physical | None:
    """Return what `physicalType` says, where that is exactly a type we have.

    Another system's type is recorded and the logical one decides. What is nearly ours, or ours
    and of another logical type, is a mistake, except in a contract for another system.
    """
    child = entry.child("physicalType")
    if child is None or not isinstance(child.value, str) or logical in NESTED:
        return None
    found = physical_of(entry)
    if is_not_kept(child.value, logical) and not system:
        what = f"{child.value} is no type that a published column has"
        problems.append(child.problem(what, accepted_types(logical) if logical else ()))
        return None
    if logical == "string" and (length := length_in_brackets(child.value)) is not None:
        return Physical("VARCHAR", length)
    if found is None and not system and (hint := slip(child.value)):
        what = f'"{child.value}" is not a type of DuckDB{hint}'
        problems.append(child.problem(what, accepted_types(logical) if logical else ()))
    if found is None or found.name == "ENUM":
        return None
    if logical is None:
        return found
    accepted = column_types(logical, options)
    whole = logical == "integer" and found.name.startswith("DECIMAL(") and found.name[-3:] == ",0)"
    if is_accepted(found.name, accepted) or whole:
        return found
    free = options.timezone is None and options.format is None
    if is_ours(child.value) and not system and not is_encoding(found.name, logical, free=free):
        aware = "" if options.timezone is None else f" with timezone: {options.timezone}".lower()
        bits = f" with format: {options.format}" if logical in NUMBERS and options.format else ""
        what = f"{found.name} is no physical type of logicalType {logical}{aware}{bits}"
        problems.append(child.problem(what, accepted))
    return None


def _unlike(
    entry: Node, name: str, logical: str | None, found: Physical | None
) -> tuple[Unexecuted, ...]:
    """Return the remark that a physical type is not that in which the column is stored here."""
    child = entry.child("physicalType")
    if child is None or not isinstance(child.value, str) or logical is None:
        return ()
    if logical in NESTED:
        return tuple(unlike(entry, logical, name))
    known = physical(child.value)
    if found is not None or known is None or known.name == "ENUM":
        return ()
    what = f'physicalType "{child.value}" of {name}: here it is stored as logicalType {logical}'
    return (Unexecuted(what, child.where, Severity.WARNING),)


def _narrowed(options: ColumnOptions, found: Physical | None) -> ColumnOptions:
    """Return the options with what the physical type says besides: a length, digits of a second."""
    if found is None:
        return options
    lengths = [n for n in (options.max_length, found.length) if n is not None]
    return replace(options, max_length=min(lengths, default=None), digits=found.digits)


def column_types(logical: str, options: ColumnOptions) -> tuple[str, ...]:
    """Return the DuckDB types that a column of a plain logical type may have."""
    if logical in NUMBERS and options.format is not None:
        return NUMBERS[logical][options.format]
    return accepted_types(logical, timezone=options.timezone)


def _refuse_parts(entry: Node, logical: str | None, problems: list[Problem]) -> None:
    """Report parts of a type that the column does not have, and constraints on its parts."""
    for key, owner in _PARTS.items():
        child = entry.child(key)
        if child is not None and logical is not None and logical != owner:
            problems.append(child.problem(f"has no meaning for a column of type {logical}"))
    enum = entry.child("enum")
    if enum is not None and logical in NESTED:
        problems.append(enum.unsupported(f"a column of type {logical}"))


def _enum(entry: Node, logical: str | None, problems: list[Problem]) -> tuple[Scalar, ...]:
    nodes = [item.child("value") for item in entry.items("enum")]
    found = read_values([node for node in nodes if node is not None], logical, problems)
    return found or (listed(entry.text("physicalType") or "") if logical == "string" else ())
