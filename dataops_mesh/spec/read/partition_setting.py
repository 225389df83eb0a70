"""Reads the contract's setting `partitions`."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import Column
from dataops_mesh.spec.partition import Cadence, Partitioning, day_of, skipped_days
from dataops_mesh.spec.read.aside import SETTING, read_bound
from dataops_mesh.spec.read.node import Node

UTC = "UTC"
_FIRST_YEAR = 1000
_LISTABLE = ("string", "integer")


def read_zone(setting: Node | None, partitions: Node | None, problems: list[Problem]) -> str:
    """Return the time zone of a contract: of its days and its crons; UTC if nobody says another."""
    said = [setting] if setting is not None else []
    inner = partitions.child("timezone") if partitions is not None else None
    said += [inner] if inner is not None else []
    zones = [str(node.value) for node in said]
    for node, zone in zip(said, zones, strict=True):
        if not _is_zone(zone):
            what = f'there is no time zone "{zone}"{did_you_mean(zone, available_timezones())}'
            then = "say one of the IANA data base, as Europe/Zurich or UTC"
            problems.append(node.problem(what, then=then))
            return UTC
    if len(set(zones)) > 1:
        what = f'the contract says "{zones[0]}": its days and its crons are of one time zone'
        problems.append(said[-1].problem(what, [zones[0]]))
    return zones[0] if zones else UTC


def read_partitioning(
    node: Node | None, columns: tuple[Column, ...], problems: list[Problem], zone: str = UTC
) -> Partitioning | None:
    """Return how a port is cut; None for a port that is published whole."""
    if node is None:
        return None
    flagged = [column for column in columns if column.partition_position is not None]
    if len(flagged) != 1:
        what = f"needs exactly one column with `partitioned: true`, not {len(flagged)}"
        problems.append(node.problem(what, [column.name for column in columns]))
        return None
    (column,) = flagged
    values = node.texts("values")
    if values:
        return _listed(node, column, values, problems)
    cadence, start, end = node.text("cadence"), *_days(node, problems)
    if column.logical_type not in {"date", "timestamp"}:
        what = f'a cadence needs a date or timestamp, and "{column.name}" is '
        what += f"{_article(column.logical_type)} {column.logical_type}"
        then = "add a column of dates or timestamps, or list the `values`"
        problems.append(node.problem(what, then=then))
        return None
    if cadence is None or start is None:
        return None
    found = Partitioning(
        column.name,
        Cadence(cadence),
        start,
        end,
        zone=zone,
        moments=column.logical_type == "timestamp",
        zoned=bool(column.options.timezone),
        lookback=_lookback(node),
        quarantine=read_bound(node.child(SETTING), problems),
    )
    _require_hours(node, found, problems)
    if found.cadence is Cadence.DAILY and start in skipped_days(zone):
        what = f"{start} never was in {zone}, whose clocks skipped that day"
        then = f"say {start + timedelta(days=1)}"
        problems.append((node.child("start") or node).problem(what, then=then))
    return found


def _lookback(node: Node) -> int:
    child = node.child("lookback")
    return child.value if child is not None and isinstance(child.value, int) else 0


def _require_hours(node: Node, found: Partitioning, problems: list[Problem]) -> None:
    if found.cadence is not Cadence.HOURLY:
        return
    if not found.moments:
        what = f'hourly needs a timestamp, and "{found.column}" is a date'
        problems.append(node.problem(what, [c.value for c in Cadence if c is not Cadence.HOURLY]))
    elif found.zone != UTC:
        what = f"hours are those of UTC, and the contract says {found.zone}"
        then = "an hour that a zone repeats in autumn has one name only in UTC: say UTC"
        problems.append(node.problem(what, then=then))


def _days(node: Node, problems: list[Problem]) -> tuple[date | None, date | None]:
    start, end = _day(node, "start", problems), _day(node, "end", problems)
    if start is not None and end is not None and end <= start:
        problems.append((node.child("end") or node).problem("the end is not after the start"))
    return start, end


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (ValueError, OSError):  # a folder, or nothing, has that name
        return False
    except ZoneInfoNotFoundError:
        return False
    return True


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _listed(
    node: Node, column: Column, values: tuple[str, ...], problems: list[Problem]
) -> Partitioning:
    if column.logical_type not in _LISTABLE:
        what = (
            f'"{column.name}" is a {column.logical_type}; only {" or ".join(_LISTABLE)} is listed'
        )
        problems.append(node.problem(what, then="give a cadence and a start"))
    if len(set(values)) != len(values):
        problems.append((node.child("values") or node).problem("a value is listed twice"))
    bound = read_bound(node.child(SETTING), problems)
    return Partitioning(column.name, values=values, quarantine=bound)


def _day(node: Node, key: str, problems: list[Problem]) -> date | None:
    text = node.text(key)
    if text is None:
        return None
    try:
        day = day_of(text)
    except ValueError:
        problems.append((node.child(key) or node).problem("must be a day such as 2013-01-01"))
        return None
    if day.year < _FIRST_YEAR:  # no clock knew its zone then, and keys are ordered as text
        what = f"must not be before the year {_FIRST_YEAR}"
        problems.append((node.child(key) or node).problem(what))
        return None
    return day
