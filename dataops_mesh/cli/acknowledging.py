"""`mesh incident`: a person's word on what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dataops_mesh.cli.output import say
from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from dataops_mesh.ledger import Ledger
    from dataops_mesh.ledger.trouble.incidents import Incident
    from dataops_mesh.run.environment import Environment


def acknowledge_named(name: str, reason: str, until: str) -> int:
    """Put on record that somebody looks at an incident, or at all of a product."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.settings import load_settings
    from dataops_mesh.watch.acknowledged import acknowledge, ends_at

    environment = open_environment(load_settings())
    ends = ends_at(until, datetime.now(UTC))
    found = _open(name, environment)
    acknowledge(found, environment, reason, ends)
    for one in found:
        what = f"{one.trouble.kind} {one.trouble.product} {one.trouble.subject}".strip()
        say(f"{one.incident} ({what}) is acknowledged until {ends:%Y-%m-%d %H:%M %Z}: {reason}")
    return 0


def take_back_named(name: str, reason: str) -> int:
    """Put on record that nobody looks at an incident any more."""
    from dataops_mesh.run.environment import open_environment
    from dataops_mesh.run.record import open_record
    from dataops_mesh.settings import load_settings
    from dataops_mesh.watch.acknowledged import acknowledged, take_back

    environment = open_environment(load_settings())
    found = _open(name, environment)
    with open_record(environment) as ledger:
        seen = acknowledged(ledger, found, datetime.now(UTC))
    if not seen:
        what = f"{name} is not acknowledged"
        raise UnknownNameError(Problem(what, next="mesh status --wrong"))
    ended = [one for one in found if one.incident in seen]
    take_back(ended, environment, reason)
    for one in ended:
        say(f"{one.incident} ({one.trouble.product}) is not acknowledged any more: {reason}")
    return 0


def _open(name: str, environment: Environment) -> tuple[Incident, ...]:
    """Return the open incidents that a person names.

    Raises:
        UnknownNameError: there is none of that name, or it is over.
    """
    from dataops_mesh.run.record import open_record

    with open_record(environment) as ledger:
        return _found(name, ledger)


def _found(name: str, ledger: Ledger) -> tuple[Incident, ...]:
    from dataops_mesh.ledger.trouble.incidents import incident_of, incidents_since

    every = incidents_since(ledger, datetime.max.replace(tzinfo=UTC))
    found = tuple(one for one in every if name in {one.incident, one.trouble.product})
    if found:
        return found
    past = incident_of(ledger, name)
    if past is not None and past.closed is not None:
        what = f"{name} is over since {past.closed:%Y-%m-%d %H:%M} UTC"
        raise UnknownNameError(Problem(what, next="mesh status --wrong"))
    known = sorted({word for one in every for word in (one.incident, one.trouble.product)})
    what = f"nothing is known to be wrong with {name}{did_you_mean(name, known)}"
    then = "mesh status --wrong, which looks"
    raise UnknownNameError(Problem(what, choices=tuple(known), next=then))
