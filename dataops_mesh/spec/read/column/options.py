"""Reads `logicalTypeOptions` (ODCS): what the values of a column must be, by its logical type."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import ColumnOptions, Scalar
from dataops_mesh.spec.read.column.values import PARSERS, fits
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.quality.rules import read_pattern
from dataops_mesh.spec.threshold import Number, exactly
from dataops_mesh.spec.types.formats import NUMBERS, TEXT, time_format

BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_NUMBER = (*BOUNDS, "multipleOf", "format")
_CLOCK = (*BOUNDS, "format", "timezone", "defaultTimezone")
_VECTOR = (
    "dimensions", "elementType", "distanceMetric", "embeddingModel", "embeddingModelVersion",
    "normalized",
)  # fmt: skip
# What each logical type may have; objects and vectors are read where their shape is.
OPTIONS: dict[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "integer": _NUMBER,
    "number": _NUMBER,
    "boolean": (),
    "date": (*BOUNDS, "format"),
    "timestamp": _CLOCK,
    "time": _CLOCK,
    "object": ("required", "minProperties", "maxProperties"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "map": (),
    "vector": _VECTOR,
}
# Words of JSON Schema for any value of the type: they say nothing more.
_SAYS_THE_TYPE = {"date": "date", "timestamp": "date-time", "time": "time"}
_Plain = int | float | Decimal
Moment = date | time  # a datetime is a date
_UTC = {"UTC", "Etc/UTC", "Z"}


def read_options(entry: Node, logical: str | None, problems: list[Problem]) -> ColumnOptions:
    """Return the options of a column; one that its type does not have is a problem."""
    node = entry.child("logicalTypeOptions")
    if node is None or not isinstance(node.value, dict) or logical is None:
        return ColumnOptions()
    for key in node.value:
        child = node.child(key)
        if child is not None and key not in OPTIONS[logical]:
            hint = did_you_mean(key, OPTIONS[logical])
            what = f"a column of type {logical} has no option {key}{hint}"
            problems.append(child.problem(what, OPTIONS[logical]))
    bounds = {key: _bound(node, key, logical, problems) for key in BOUNDS}
    _compare(node, bounds, logical, problems)
    pattern = node.child("pattern")
    _check_default_zone(node, problems)
    return ColumnOptions(
        min_length=node.integer("minLength"),
        max_length=node.integer("maxLength"),
        pattern=read_pattern(pattern, logical, problems) if pattern else None,
        minimum=bounds["minimum"],
        maximum=bounds["maximum"],
        exclusive_minimum=bounds["exclusiveMinimum"],
        exclusive_maximum=bounds["exclusiveMaximum"],
        timezone=_zone(node, logical, problems),
        format=_format(node, logical, problems),
        multiple_of=_multiple(node),
        min_items=node.integer("minItems" if logical == "array" else "dimensions"),
        max_items=node.integer("maxItems" if logical == "array" else "dimensions"),
        unique_items=node.flag("uniqueItems"),
    )


def _compare(node: Node, bounds: dict[str, Scalar], logical: str, problems: list[Problem]) -> None:
    """Report bounds that nothing can satisfy."""
    for plain, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if bounds[plain] is not None and bounds[exclusive] is not None:
            problems.append(node.problem(f"give {plain} or {exclusive}, not both"))
    low = bounds["exclusiveMinimum"] if bounds["minimum"] is None else bounds["minimum"]
    high = bounds["exclusiveMaximum"] if bounds["maximum"] is None else bounds["maximum"]
    if _above(_moment(low, logical), _moment(high, logical)):
        problems.append(node.problem("the minimum is above the maximum"))
    for least, most in (("minLength", "maxLength"), ("minItems", "maxItems")):
        if _above(node.integer(least), node.integer(most)):
            problems.append(node.problem(f"{least} is above {most}"))


def _bound(node: Node, key: str, logical: str, problems: list[Problem]) -> Scalar:
    child = node.child(key)
    if child is None or not isinstance(child.value, str | int | float | Decimal):
        return None
    if logical in {"date", "timestamp", "time"} and not fits(child.value, logical):
        problems.append(child.problem(f"must be a {logical} in ISO 8601"))
        return None
    return child.value


def _moment(bound: Scalar, logical: str) -> Scalar | Moment:
    """Return what a bound of a date or time means; without a zone it is UTC."""
    if not isinstance(bound, str) or logical not in {"date", "timestamp", "time"}:
        return bound
    found: Moment = PARSERS[logical](bound)
    if isinstance(found, datetime | time) and found.tzinfo is None:
        return found.replace(tzinfo=UTC)
    return found


def _above(low: Scalar | Moment, high: Scalar | Moment) -> bool:
    if isinstance(low, time | date) and isinstance(high, time | date):
        return low > high  # type: ignore[operator]  # both are of the column's type
    if isinstance(low, _Plain) and isinstance(high, _Plain):
        return exactly(low) > exactly(high)
    return False


def _multiple(node: Node) -> Number | None:
    value = node.scalar("multipleOf")
    # What is no positive number the schema has reported.
    if isinstance(value, bool) or not isinstance(value, _Plain) or value <= 0:
        return None
    return value


def _format(node: Node, logical: str, problems: list[Problem]) -> str | None:
    child = node.child("format")
    if child is None or not isinstance(child.value, str):
        return None
    known: tuple[str, ...] = tuple(TEXT)
    if logical in NUMBERS:
        known = tuple(NUMBERS[logical])
    elif _SAYS_THE_TYPE.get(logical) == child.value:
        return None
    elif logical in {"date", "timestamp", "time"}:
        found = time_format(child.value, logical)
        if isinstance(found, str):
            problems.append(child.problem(f'"{child.value}" {found}'))
            return None
        return child.value
    if child.value not in known:
        hint = did_you_mean(child.value, known)
        what = f'the format "{child.value}" is not supported yet{hint}'
        then = "write what it means as a pattern" if logical == "string" else ""
        problems.append(child.problem(what, known, then))
        return None
    return child.value


def _zone(node: Node, logical: str, problems: list[Problem]) -> bool | None:
    """Return whether the type has a zone; a format that shows one says so too."""
    child, zone = node.child("format"), node.child("timezone")
    timezone = zone.value if zone and isinstance(zone.value, bool) else None
    if child is None or not isinstance(child.value, str) or logical not in {"timestamp", "time"}:
        return timezone
    found = time_format(child.value, logical)
    if isinstance(found, str) or not found.zone or child.value == _SAYS_THE_TYPE[logical]:
        return timezone
    if timezone is False:
        problems.append(child.problem(f'"{child.value}" shows a zone, against `timezone: false`'))
    return True


def _check_default_zone(node: Node, problems: list[Problem]) -> None:
    child = node.child("defaultTimezone")
    if child is not None and isinstance(child.value, str) and child.value not in _UTC:
        what = f'the time zone "{child.value}" is not supported yet: times without a zone are UTC'
        problems.append(child.problem(what, sorted(_UTC), "convert them in the transform"))
