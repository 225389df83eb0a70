"""A person's word that a trouble is looked at: until then nobody is reminded of it.

It is an operation, so who said it, when and why stands on record like a hold. Nobody ends it by
hand who does not want to: it is over when the incident closes, when its time is over, and when
something else goes wrong than what the person saw.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dataops_mesh.cron import LENGTHS, length_of
from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.ledger import Ledger, Operation, operations
from dataops_mesh.ledger.trouble.faults import audits_after, refusals_after
from dataops_mesh.ledger.trouble.incidents import DAMAGED, Incident
from dataops_mesh.run.account import record_operation
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_ledger_of
from dataops_mesh.watch.trouble import CAUGHT, ESCAPED, FAILED

ACKNOWLEDGE, TAKE_BACK = "acknowledge", "unacknowledge"
_CLOCKS = timedelta(days=1)  # by how much those of two machines may differ
_LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who looks at an incident, since when, until when and why.

    Args:
        faults: what was wrong when it was said, without any number that changes.
    """

    incident: str
    person: str
    at: datetime
    until: datetime
    reason: str
    faults: frozenset[str] = frozenset()


def acknowledge(
    incidents: Iterable[Incident], environment: Environment, reason: str, until: datetime
) -> None:
    """Put on record that somebody looks at incidents, and until when."""
    for incident in incidents:
        with open_ledger_of(environment) as ledger:
            faults = sorted(_faults(incident, ledger))
        name, ends = incident.trouble.product, until.astimezone(UTC).isoformat()
        subjects = (name, incident.incident)
        record_operation(
            environment, ACKNOWLEDGE, subjects, reason=reason, until=ends, faults=faults
        )


def take_back(incidents: Iterable[Incident], environment: Environment, reason: str) -> None:
    """Put on record that nobody looks at incidents any more."""
    for incident in incidents:
        subjects = (incident.trouble.product, incident.incident)
        record_operation(environment, TAKE_BACK, subjects, reason=reason)


def acknowledged(
    ledger: Ledger, incidents: Collection[Incident], now: datetime
) -> dict[str, Acknowledged]:
    """Return what is acknowledged at this moment, by the incident's name."""
    asked = {one.incident: one for one in incidents if one.closed is None}
    if not asked:
        return {}
    since = min(one.opened for one in asked.values()) - _CLOCKS
    said: dict[str, Operation] = {}
    for operation in (one for word in (ACKNOWLEDGE, TAKE_BACK)
                      for one in operations(ledger, since, named=word)):  # fmt: skip
        name = operation.subjects[-1]
        if name in asked and (name not in said or said[name].at <= operation.at):
            said[name] = operation
    found = {name: _read(name, one) for name, one in said.items() if one.operation == ACKNOWLEDGE}
    return {
        name: one
        for name, one in found.items()
        if now < one.until and _faults(asked[name], ledger, one.at) <= one.faults
    }


def ends_at(text: str, now: datetime) -> datetime:
    """Return until when something is acknowledged: `4h`, or a moment.

    >>> str(ends_at("4h", datetime(2026, 1, 1, tzinfo=UTC)))
    '2026-01-01 04:00:00+00:00'
    """
    length = length_of(text)
    try:
        until = now + length if length else datetime.fromisoformat(text.strip())
    except ValueError:
        what = f'"{text}" is no length of time and no moment'
        raise UnknownNameError(Problem(what, choices=(*LENGTHS, "2026-01-31T12:00"))) from None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    if not now < until <= now + _LONGEST:
        what = f"{until:%Y-%m-%d %H:%M %Z} is not within the next {_LONGEST.days} days"
        raise UnknownNameError(Problem(what, choices=(*LENGTHS, "2026-01-31T12:00")))
    return until


def _read(name: str, said: Operation) -> Acknowledged:
    until, faults = said.details["until"], frozenset(said.details["faults"])
    return Acknowledged(
        name, said.person, said.at, datetime.fromisoformat(until), said.reason, faults
    )


def _faults(incident: Incident, ledger: Ledger, since: datetime | None = None) -> frozenset[str]:
    """Return what is wrong, as names: of a refusal the checks that failed.

    Args:
        incident: an open one.
        ledger: knows what failed.
        since: all that was wrong after this moment; only what is wrong now if absent.
    """
    trouble = incident.trouble
    if trouble.kind == CAUGHT:
        return refusals_after(ledger, trouble.product, trouble.subject, since)
    if trouble.kind in {ESCAPED, DAMAGED}:
        return audits_after(ledger, trouble.product, since)
    if trouble.kind == FAILED:
        return frozenset({re.sub(r"\d+", "#", _first(trouble.why))})
    return frozenset()


def as_text(said: Acknowledged | None) -> str:
    """Return what people are told of it, in a few words."""
    return f"{said.person} until {said.until:%Y-%m-%d %H:%M} UTC: {said.reason}" if said else ""


def _first(text: str) -> str:
    return text.partition("\n")[0]


def as_row(said: Acknowledged | None) -> dict[str, Any] | None:
    """Return what machines are told of it."""
    if said is None:
        return None
    return {"person": said.person, "at": said.at, "until": said.until, "reason": said.reason}
