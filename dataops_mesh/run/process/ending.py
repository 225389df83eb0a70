"""Put on record how a run ended that left no candidate to say so."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from dataops_mesh.errors import MeshError, OwnershipError
from dataops_mesh.ledger import CANCELLED, FAILED, RunEnd, is_on_record, record_end
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.run.identity import person_or_user
from dataops_mesh.run.process.wire import EXPORT, Request
from dataops_mesh.run.process.work import obey, request_of, settings_of
from dataops_mesh.run.record import open_record
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.store.log import as_it_was, latest_number
from dataops_mesh.store.owners import owner_of
from dataops_mesh.store.store import Store
from dataops_mesh.transform.redact import safe_message

_LONGEST = 4000  # of what is kept of a message


class _End(NamedTuple):
    outcome: str
    why: str
    begun: datetime
    publication: int | None = None


def record_ending(  # noqa: PLR0913 - what the server knows of a call
    text: bytes, token: str, begun: datetime, user: str, why: str, *, cancelled: bool, own: bool
) -> None:
    """Record a run that was ended from outside: who had asked for it, and how far it had come.

    Args:
        text: the request.
        token: what the caller must know.
        begun: when the run began.
        user: who asked, unless the settings name a person.
        why: why it was ended.
        cancelled: a person did it.
        own: the gate is the caller's own.
    """
    request = request_of(text, token)
    if request.ask == EXPORT:  # it changes nothing here, and the next one goes on
        return
    if own:
        obey(request)
    environment = open_environment(settings_of(request, user))
    name = _product(request)
    owner = owner_of(environment.store, name.partition(".")[0])
    if owner is not None and not owner.is_(publisher_of(environment)):
        return  # a stranger's, whose caller went away when it was refused
    number = _published(environment.store, request.run_id, name, begun)
    far = f"after publication {number}" if number else "before anything was published"
    outcome, said = (CANCELLED, far) if cancelled else (FAILED, f"{why}, {far}")
    _record(environment, request, _End(outcome, said, begun, number))


def record_failure(
    request: Request, environment: Environment, error: Exception, begun: datetime
) -> None:
    """Record a run that failed before it had a candidate.

    What a stranger tries with a domain is nothing that happened to it.
    """
    if isinstance(error, OwnershipError):
        return
    known = isinstance(error, MeshError)
    why = str(error) if known else f"the gate process failed: {safe_message(error)}"
    _record(environment, request, _End(FAILED, why[:_LONGEST], begun))


def _record(environment: Environment, request: Request, end: _End) -> None:
    """Record an end; of a failure only what a candidate does not say already.

    A caller that has its answer goes away, perhaps before the process has ended that gave it.
    """
    row = RunEnd(
        request.run_id,
        _product(request),
        request.partition,
        end.outcome,
        end.why,
        person_or_user(environment.settings.person),
        end.begun,
        datetime.now(UTC),
        end.publication,
    )
    with open_record(environment) as ledger:
        known = is_on_record(ledger, row.run_id, row.product, end.begun)
        if end.outcome == CANCELLED or not known:
            record_end(ledger, row)


def _product(request: Request) -> str:
    folder = Path(request.folder)
    return f"{folder.parent.name}.{folder.name}"


def _published(store: Store, run_id: str, product: str, begun: datetime) -> int | None:
    """Return what the run had published of the product, if anything."""
    for number in range(latest_number(store), 0, -1):
        release = as_it_was(store, number)
        if release.at < begun:
            return None
        named = {switch.product for switch in release.switches if switch.candidate}
        if release.run_id == run_id and product in named:
            return number
    return None
