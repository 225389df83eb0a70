"""Reads service levels (ODCS `slaProperties`): which are known, in which units."""

from __future__ import annotations

from datetime import date, datetime

from dataops_mesh.cron import cron_problem
from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import Column, Sla
from dataops_mesh.spec.read.node import Node

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


def hours(sla: Sla) -> float | None:
    """Return the length of a service level in hours, or None if it is not a duration.

    >>> from dataops_mesh.errors import Location
    >>> hours(Sla("freshness", 2, Location("x", 1), unit="d"))
    48.0
    """
    if sla.unit not in _UNITS or isinstance(sla.value, str | bool) or sla.value is None:
        return None
    return float(sla.value) * _UNITS[sla.unit][0]


def read_slas(
    node: Node, relation: str, columns: tuple[Column, ...], problems: list[Problem]
) -> tuple[Sla, ...]:
    """Return the service levels of a contract.

    Args:
        node: the contract.
        relation: the name of its schema object.
        columns: its columns; an `element` must be one of them.
        problems: receives what is wrong.
    """
    slas: list[Sla] = []
    for entry in node.items("slaProperties"):
        sla = _read(entry, relation, columns, problems)
        if sla is None:
            continue
        if any((sla.property, sla.element) == (other.property, other.element) for other in slas):
            problems.append(entry.problem(f"{sla.property} is promised twice"))
        slas.append(sla)
    for name in CHECKED:
        several = [sla for sla in slas if sla.property == name and sla.element]
        problems += [
            Problem(f"only one {name} with an element can be checked", sla.where)
            for sla in several[1:]
        ]
    return tuple(slas)


def _read(
    entry: Node, relation: str, columns: tuple[Column, ...], problems: list[Problem]
) -> Sla | None:
    entry.refuse({"valueExt": ""}, problems)
    child = entry.child("property")
    if child is None or not isinstance(child.value, str):
        return None  # the schema has reported it
    name = _NAMES.get(child.value.lower())
    if name is None:
        what = f'unknown service level "{child.value}"{did_you_mean(child.value, PROPERTIES)}'
        problems.append(child.problem(what, PROPERTIES))
        return None
    _check_value(entry, name, problems)
    scheduler, schedule = _schedule(entry, problems)
    elements = _elements(entry, name, relation, columns, problems)
    return Sla(
        property=name,
        value=entry.scalar("value"),
        where=entry.where,
        unit=_unit(entry, name, problems),
        element=elements[0] if elements else None,
        until=elements[1] if len(elements) > 1 else None,
        driver=entry.text("driver"),
        scheduler=scheduler,
        schedule=schedule,
    )


def _check_value(entry: Node, name: str, problems: list[Problem]) -> None:
    child = entry.child("value") or entry
    value = child.value
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


def _elements(
    entry: Node, name: str, relation: str, columns: tuple[Column, ...], problems: list[Problem]
) -> list[str]:
    """Return the columns that a service level is about: one, or two for a latency between them."""
    child = entry.child("element")
    if child is None or not isinstance(child.value, str):
        return []
    texts = [text.strip() for text in child.value.split(",")]
    if len(texts) > 1 and (name != "latency" or len(texts) > _PAIR):
        problems.append(child.unsupported("give each element a service level of its own"))
        return []
    found = [_element(child, text, relation, columns, problems) for text in texts]
    kinds = {"date", "timestamp"}
    if name in CHECKED and any(c.logical_type not in kinds for c in found if c is not None):
        problems.append(child.problem(f"{name} needs a column of type date or timestamp"))
    return [column.name for column in found if column is not None]


def _element(
    node: Node, text: str, relation: str, columns: tuple[Column, ...], problems: list[Problem]
) -> Column | None:
    head, dot, tail = text.rpartition(".")
    found = next((c for c in columns if c.name == tail), None)
    if found is None or (dot and head != relation):
        names = [f"{relation}.{column.name}" for column in columns]
        what = f'no column "{text}"{did_you_mean(text, names)}'
        problems.append(node.problem(what, names))
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
