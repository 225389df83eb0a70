"""Reads service levels (ODCS `slaProperties`): which are known, in which units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from dataops_mesh.cron import cron_problem
from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import Column, Scalar, Severity, Sla
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.rule import Unexecuted

DURATIONS = ("freshness", "latency", "frequency", "retention", "timeToDetect", "timeToNotify",
             "timeToRepair")  # fmt: skip
PERCENTS = ("availability", "errorRate")
DATES = ("generalAvailability", "endOfSupport", "endOfLife")
PLAIN = ("throughput", "timeOfAvailability")
# With an element these are checked on every candidate; the others are on record.
CHECKED = ("freshness", "latency", "retention")
_PAIR = 2
PROPERTIES = (*DURATIONS, *PERCENTS, *DATES, *PLAIN)
# "Those values are case-insensitive": ODCS, Valid Values for SLA Properties.
_NAMES = {name.lower(): name for name in PROPERTIES} | {
    "av": "availability", "th": "throughput", "er": "errorRate", "ga": "generalAvailability",
    "es": "endOfSupport", "el": "endOfLife", "re": "retention", "fy": "frequency",
    "ly": "latency", "td": "timeToDetect", "tn": "timeToNotify", "tr": "timeToRepair",
}  # fmt: skip

# Canonical unit: its hours and the other ways to write it. `m` is left out on purpose: it
# could be minutes or months.
_UNITS = {
    "ms": (1 / 3_600_000, "millisecond milliseconds"),
    "s": (1 / 3600, "sec second seconds"),
    "min": (1 / 60, "minute minutes"),
    "h": (1.0, "hr hour hours"),
    "d": (24.0, "day days"),
    "w": (168.0, "wk week weeks"),
    "mo": (720.0, "month months"),
    "y": (8760.0, "yr year years"),
}
_ALIASES = {alias: unit for unit, (_, text) in _UNITS.items() for alias in (unit, *text.split())}
_PERCENT = ("percent", "%")
_HUNDRED = 100
_PERCENTAGE = re.compile(r"(\d+(?:\.\d+)?) ?%")
_WITH_UNIT = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]+)")
# ISO 8601, of one unit.
_ISO = re.compile(r"P(T?)(\d+)([YMWDHS])")
_ISO_UNITS = {"Y": "y", "M": "mo", "W": "w", "D": "d", "TH": "h", "TM": "min", "TS": "s"}


def hours(sla: Sla) -> float | None:
    """Return the length of a service level in hours, or None if it is not a duration.

    >>> from dataops_mesh.errors import Location
    >>> hours(Sla("freshness", 2, Location("x", 1), unit="d"))
    48.0
    """
    if sla.unit not in _UNITS or isinstance(sla.value, str | bool) or sla.value is None:
        return None
    return float(sla.value) * _UNITS[sla.unit][0]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the service levels of a contract are about: its schema object.

    Args:
        relation: the name of the port.
        columns: an `element` must be one of them.
        objects: what the object may be called: as the port, by its `name` and `physicalName`.
        aliases: the name of the column, by each of its own.
        system: the other system that the contract is for, if there is one; what of its levels
            has no meaning here is not executed, and in a contract of ours it is a mistake.
        default: `slaDefaultElement`.
    """

    relation: str
    columns: tuple[Column, ...]
    objects: frozenset[str]
    aliases: Mapping[str, str]
    system: str = ""
    default: Node | None = None


def read_slas(
    node: Node, scope: Scope, problems: list[Problem]
) -> tuple[tuple[Sla, ...], tuple[Unexecuted, ...]]:
    """Return the service levels of a contract, and those that nobody executes here."""
    slas: list[Sla] = []
    left: list[Unexecuted] = []
    for entry in node.items("slaProperties"):
        wrong: list[Problem] = []
        sla = _read(entry, scope, wrong)
        if sla is None or wrong:
            if not scope.system:
                problems += wrong
            elif wrong:
                what = f'service level "{entry.text("property")}": nobody executes it here'
                told = f"{what}: {wrong[0].what}"
                left.append(Unexecuted(told, entry.where, Severity.WARNING))
            continue
        same = [o for o in slas if (sla.property, sla.element) == (o.property, o.element)]
        if any(sla.property not in PLAIN or sla.driver == other.driver for other in same):
            problems.append(entry.problem(f"{sla.property} is promised twice"))
        slas.append(sla)
    for name in CHECKED:
        several = [sla for sla in slas if sla.property == name and sla.element]
        problems += [
            Problem(f"only one {name} with an element can be checked", sla.where)
            for sla in several[1:]
        ]
    return tuple(slas), tuple(left)


def _read(entry: Node, scope: Scope, problems: list[Problem]) -> Sla | None:
    child = entry.child("property")
    if child is None or not isinstance(child.value, str):
        return None  # the schema has reported it
    name = _NAMES.get(child.value.lower())
    if name is None:
        what = f'unknown service level "{child.value}"{did_you_mean(child.value, PROPERTIES)}'
        problems.append(child.problem(what, PROPERTIES))
        return None
    value, unit = _amount(entry, name)
    _check_value(entry, name, value, problems)
    scheduler, schedule = _schedule(entry, problems)
    elements = _elements(entry, name, scope, problems)
    if name in CHECKED and elements:
        entry.refuse({"valueExt": "one value is checked"}, problems)
    return Sla(
        property=name,
        value=value,
        where=entry.where,
        unit=unit or _unit(entry, name, problems),
        element=elements[0] if elements else None,
        until=elements[1] if len(elements) > 1 else None,
        driver=entry.text("driver"),
        scheduler=scheduler,
        schedule=schedule,
    )


def _amount(entry: Node, name: str) -> tuple[Scalar, str | None]:
    """Return the value of a level and its unit where it says both: `99.9%`, `24h`, `P1Y`."""
    value = entry.scalar("value")
    if not isinstance(value, str):
        return value, None
    if name in PERCENTS and (found := _PERCENTAGE.fullmatch(value)):
        return float(found[1]), None
    if name in DURATIONS and entry.child("unit") is None:
        if (found := _WITH_UNIT.fullmatch(value)) and found[2].lower() in _ALIASES:
            return float(found[1]), _ALIASES[found[2].lower()]
        found = _ISO.fullmatch(value)
        if found and (unit := _ISO_UNITS.get(found[1] + found[3])):
            return int(found[2]), unit
    return value, None


def _check_value(entry: Node, name: str, value: Scalar, problems: list[Problem]) -> None:
    child = entry.child("value") or entry
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if name in DURATIONS and (number is None or number <= 0):
        problems.append(child.problem(f"{name} needs a number above 0"))
    if name in PERCENTS and (number is None or not 0 <= number <= _HUNDRED):
        problems.append(child.problem(f"{name} needs a number of percent between 0 and 100"))
    if name in DATES and not _is_date(value):
        then = "write it as '2028-02-01' or '2028-02-01T00:00:00Z'"
        problems.append(child.problem(f"{name} needs a date", then=then))


def _is_date(value: object) -> bool:
    if not isinstance(value, str):
        return False
    for parse in (date.fromisoformat, datetime.fromisoformat):
        try:
            parse(value)
        except ValueError:
            continue
        return True
    return False


def _unit(entry: Node, name: str, problems: list[Problem]) -> str | None:
    child = entry.child("unit")
    if name in DURATIONS:
        text = child.value if child else None
        unit = _ALIASES.get(text.lower()) if isinstance(text, str) else None
        if unit is None:
            given = f'"{text}" is not a unit of time' if child else f"{name} needs a unit"
            problems.append((child or entry).problem(given, tuple(_ALIASES)))
        return unit
    if child is None or not isinstance(child.value, str):
        return "percent" if name in PERCENTS else None
    if name in PERCENTS:
        if child.value not in _PERCENT:
            problems.append(child.problem(f'"{child.value}" is not a unit of {name}', _PERCENT))
        return "percent"
    if name != "throughput":
        problems.append(child.problem(f"{name} has no unit"))
    return child.value


def _elements(entry: Node, name: str, scope: Scope, problems: list[Problem]) -> list[str]:
    """Return the columns that a service level is about: one, or two for a latency between them."""
    child = entry.child("element") or (scope.default if name in CHECKED else None)
    if child is None or not isinstance(child.value, str):
        return []
    texts = [text.strip() for text in child.value.split(",")]
    if len(texts) > 1 and (name != "latency" or len(texts) > _PAIR):
        problems.append(child.unsupported("give each element a service level of its own"))
        return []
    found = [_element(child, text, scope, problems) for text in texts]
    kinds = {"date", "timestamp"}
    if name in CHECKED and any(c.logical_type not in kinds for c in found if c is not None):
        problems.append(child.problem(f"{name} needs a column of type date or timestamp"))
    return [column.name for column in found if column is not None]


def _element(node: Node, text: str, scope: Scope, problems: list[Problem]) -> Column | None:
    head, dot, tail = text.rpartition(".")
    found = next((c for c in scope.columns if c.name == scope.aliases.get(tail, tail)), None)
    if found is None or (dot and head not in scope.objects):
        choices = [f"{scope.relation}.{column.name}" for column in scope.columns]
        what = f'no column "{text}"{did_you_mean(text, choices)}'
        problems.append(node.problem(what, choices))
        return None
    return found


def _schedule(entry: Node, problems: list[Problem]) -> tuple[str | None, str | None]:
    scheduler, schedule = entry.child("scheduler"), entry.child("schedule")
    if scheduler and isinstance(scheduler.value, str) and scheduler.value != "cron":
        problems.append(scheduler.problem(f'"{scheduler.value}" is not supported yet', ["cron"]))
    if scheduler and schedule is None:
        problems.append(scheduler.problem("a scheduler needs a `schedule`"))
    if schedule is None or not isinstance(schedule.value, str):
        return None, None
    wrong = cron_problem(schedule.value)
    if wrong is not None:
        then = "minute hour day month weekday, for example `0 6 * * *`"
        problems.append(schedule.problem(f'"{schedule.value}" is not cron: {wrong}', then=then))
        return None, None
    return "cron", " ".join(schedule.value.split())
