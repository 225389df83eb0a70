"""Reads the columns of a contract (ODCS `schema[0].properties`)."""

from __future__ import annotations

from dataclasses import replace

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Column, ColumnOptions, Scalar
from dataops_mesh.spec.names import COLUMN
from dataops_mesh.spec.node import Node
from dataops_mesh.spec.physical import FAMILIES, accepted_types, is_accepted, normalise, suggest
from dataops_mesh.spec.protection import masking
from dataops_mesh.spec.rules import Target, read_pattern, read_rules
from dataops_mesh.spec.values import fits, read_values

LOGICAL_TYPES = tuple(FAMILIES)
_NOT_YET = {
    "items": "a column holds one value",
    "properties": "a column holds one value",
    "map": "a column holds one value",
}
_OPTIONS_NOT_YET = {
    "format": "write it as a pattern or as physicalType",
    "multipleOf": "",
    "defaultTimezone": "",
}
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def read_columns(node: Node, problems: list[Problem]) -> tuple[Column, ...]:
    """Return the columns of a schema object; what would be ignored is a problem."""
    entries = node.items("properties")
    names = tuple(entry.text("name") or "" for entry in entries)
    if not entries:
        problems.append(node.problem("needs at least one column under `properties`"))
    _report_twice(entries, problems)
    key = _positions(entries, "primaryKey", "primaryKeyPosition", problems)
    partition = _positions(entries, "partitioned", "partitionKeyPosition", problems)
    return tuple(
        replace(
            _column(entry, names, problems),
            key_position=key.get(index),
            partition_position=partition.get(index),
        )
        for index, entry in enumerate(entries)
    )


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


def _column(entry: Node, names: tuple[str, ...], problems: list[Problem]) -> Column:
    name = entry.text("name") or ""
    entry.refuse(_NOT_YET, problems)
    if name and not COLUMN.fullmatch(name):
        child = entry.child("name") or entry
        what = f'"{name}" must be letters, digits and _, not starting with a digit'
        problems.append(child.problem(what))
    physical_name = entry.child("physicalName")
    if physical_name is not None and physical_name.value != name:
        problems.append(physical_name.unsupported("a column has its `name`"))
    if entry.text("semanticType") == "measure":
        child = entry.child("semanticType") or entry
        problems.append(child.problem('"measure" is not supported yet', ["column", "dimension"]))
    logical = _logical_type(entry, problems)
    options = _options(entry, logical, problems)
    return Column(
        name=name,
        logical_type=logical or "string",
        where=entry.where,
        physical_type=_physical_type(entry, logical, options, problems),
        description=entry.text("description") or "",
        required=entry.flag("required"),
        unique=entry.flag("unique"),
        classification=entry.text("classification"),
        critical=entry.flag("criticalDataElement"),
        options=options,
        enum=_enum(entry, logical, problems),
        tags=entry.texts("tags"),
        rules=read_rules(entry.items("quality"), Target(name, logical, names), problems),
        id=entry.text("id") or "",
        masking=masking(entry),
        transform_sources=entry.texts("transformSourceObjects"),
    )


def _logical_type(entry: Node, problems: list[Problem]) -> str | None:
    child = entry.child("logicalType")
    if child is None:
        problems.append(entry.problem("needs a logicalType", LOGICAL_TYPES))
        return None
    if not isinstance(child.value, str):
        return None  # the schema has reported it
    problem = child.choose(LOGICAL_TYPES)
    if child.value in {"object", "array", "map", "vector"}:
        problem = child.problem(f'the type "{child.value}" is not supported yet', LOGICAL_TYPES)
    if problem is not None:
        problems.append(problem)
        return None
    return child.value


def _physical_type(
    entry: Node, logical: str | None, options: ColumnOptions, problems: list[Problem]
) -> str | None:
    child = entry.child("physicalType")
    if child is None or not isinstance(child.value, str):
        return None
    name = normalise(child.value)
    if name is None:
        what = f'"{child.value}" is not a type of DuckDB{suggest(child.value)}'
        choices = accepted_types(logical) if logical else ()
        problems.append(child.problem(what, choices))
        return None
    if logical is None:
        return name
    accepted = accepted_types(logical, timezone=options.timezone)
    whole = logical == "integer" and name.startswith("DECIMAL(") and name.endswith(",0)")
    if not is_accepted(name, accepted) and not whole:
        aware = "" if options.timezone is None else f" with timezone: {options.timezone}".lower()
        what = f"{name} is no physical type of logicalType {logical}{aware}"
        problems.append(child.problem(what, accepted))
    return name


def _options(entry: Node, logical: str | None, problems: list[Problem]) -> ColumnOptions:
    node = entry.child("logicalTypeOptions")
    if node is None or not isinstance(node.value, dict):
        return ColumnOptions()
    node.refuse(_OPTIONS_NOT_YET, problems)
    bounds = {key: _bound(node, key, logical, problems) for key in _BOUNDS}
    for plain, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if bounds[plain] is not None and bounds[exclusive] is not None:
            problems.append(node.problem(f"give {plain} or {exclusive}, not both"))
    low = bounds["exclusiveMinimum"] if bounds["minimum"] is None else bounds["minimum"]
    high = bounds["exclusiveMaximum"] if bounds["maximum"] is None else bounds["maximum"]
    if _above(low, high):
        problems.append(node.problem("the minimum is above the maximum"))
    shortest, longest = node.integer("minLength"), node.integer("maxLength")
    if _above(shortest, longest):
        problems.append(node.problem("minLength is above maxLength"))
    pattern = node.child("pattern")
    zone = node.child("timezone")
    return ColumnOptions(
        min_length=shortest,
        max_length=longest,
        pattern=read_pattern(pattern, logical, problems) if pattern else None,
        minimum=bounds["minimum"],
        maximum=bounds["maximum"],
        exclusive_minimum=bounds["exclusiveMinimum"],
        exclusive_maximum=bounds["exclusiveMaximum"],
        timezone=zone.value if zone and isinstance(zone.value, bool) else None,
    )


def _bound(node: Node, key: str, logical: str | None, problems: list[Problem]) -> Scalar:
    child = node.child(key)
    if child is None or not isinstance(child.value, str | int | float):
        return None
    if logical in {"date", "timestamp", "time"} and not fits(child.value, logical):
        problems.append(child.problem(f"must be a {logical} in ISO 8601"))
        return None
    return child.value


def _above(low: Scalar, high: Scalar) -> bool:
    if isinstance(low, str) and isinstance(high, str):
        return low > high
    if isinstance(low, int | float) and isinstance(high, int | float):
        return low > high
    return False


def _enum(entry: Node, logical: str | None, problems: list[Problem]) -> tuple[Scalar, ...]:
    nodes = [item.child("value") for item in entry.items("enum")]
    return read_values([node for node in nodes if node is not None], logical, problems)
