"""What a person asks for: from when a sandbox is opened, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime

from dataops_mesh.cron import LENGTHS, length_of
from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import person_or_user
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.known import NAME, find
from dataops_mesh.store.line.opening import NOBODY
from dataops_mesh.store.log import as_it_was, latest_number, numbers
from dataops_mesh.store.store import PRODUCTION, Store


def asked_by(environment: Environment, reason: str = "") -> Asked:
    """Return who asks for a release of a sandbox: it needs to own no domain."""
    return Asked(person_or_user(environment.settings.person), reason, NOBODY)


def lease_until(text: str, now: datetime) -> datetime:
    """Return until when a lease goes.

    >>> lease_until("2d", datetime(2013, 1, 1, tzinfo=UTC)).day
    3
    """
    found = length_of(text)
    if found is None:
        what = f'"{text}" is no length of time'
        raise UnknownNameError(Problem(what, choices=LENGTHS))
    return now + found


def opened_from(store: Store, text: str) -> tuple[Store, int | None]:
    """Return the line and the release that a person names; None for the newest.

    Args:
        store: the store.
        text: `production`, a sandbox, a release of production, or a moment.

    Raises:
        UnknownNameError: it is none of these.
    """
    production = store.production
    if text == PRODUCTION:
        return production, None
    if text.isdecimal():
        return production, int(text)
    if NAME.fullmatch(text):
        return find(store, text), None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        what = f'"{text}" is no line, release or time'
        choices = (PRODUCTION, "a sandbox", "57", "2013-01-31T12:00")
        raise UnknownNameError(Problem(what, choices=choices)) from None
    return production, _at(production, at if at.tzinfo else at.replace(tzinfo=UTC))


def _at(store: Store, at: datetime) -> int:
    """Return the newest release at a moment, of those that are whole."""
    newest = latest_number(store)
    for number in sorted(numbers(store), reverse=True):
        if as_it_was(store, number).at <= at:
            return number
    what = f"no release before {at:%Y-%m-%d %H:%M %Z} is whole any more"
    raise UnknownNameError(Problem(what, next=f"name a newer time; {newest} is the newest release"))
