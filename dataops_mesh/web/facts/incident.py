"""The page of an incident: what is wrong, since when, for whom, what to type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.ledger.trouble.faults import last_refused
from dataops_mesh.ledger.trouble.incidents import Incident, incident_of, incidents_of
from dataops_mesh.watch.acknowledged import acknowledged
from dataops_mesh.watch.copies import EXPORT
from dataops_mesh.watch.states import WATCHED
from dataops_mesh.watch.trouble import CAUGHT, FAILED
from dataops_mesh.watch.words import is_mild
from dataops_mesh.web.catalogue import downstream
from dataops_mesh.web.facts.commands import commands_of, first_command
from dataops_mesh.web.facts.wrong import Seen, owner_of, seen_of
from dataops_mesh.web.view import View

_LONGEST, _OTHERS = 64, 10


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """An incident in one line.

    Args:
        severity: `warning` of a condition that its product calls so.
        over: it is closed, or will be by the next look: what was wrong is not so any more.
    """

    incident: str
    product: str
    kind: str
    subject: str
    opened: datetime
    closed: datetime | None
    why: tuple[str, ...]
    severity: str = "error"
    over: bool = False


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """What the page of an incident says.

    Args:
        publication: of the product, that the incident is about; a copy is behind the whole mesh.
        candidate: what the gate refused.
    """

    line: IncidentLine
    publication: int | None
    run_id: str
    owner: str
    declared: bool
    readers: tuple[str, ...]
    next: tuple[str, ...]
    others: tuple[IncidentLine, ...]
    seen: Seen | None = None
    candidate: str = ""


def incident_page(view: View, name: str) -> IncidentPage:
    """Return the facts of an incident.

    Raises:
        UnknownNameError: there is none of that name.
    """
    found = incident_of(view.ledger, name) if name.isalnum() and len(name) <= _LONGEST else None
    if found is None:
        raise UnknownNameError(Problem("no incident has this name", next="mesh status --wrong"))
    product = found.trouble.product
    others = incidents_of(view.ledger, [product], limit=_OTHERS)
    said = acknowledged(view.ledger, [found], view.now).get(name)
    refused = ("", 0)
    if found.trouble.kind == CAUGHT:
        refused = last_refused(view.ledger, product, found.trouble.subject, found.closed)
    mild = is_mild(view.catalogue.products.get(product), found)
    first = first_command(found.trouble.kind, view.catalogue.products.get(product), refused)
    return IncidentPage(
        replace(incident_line(found, view), severity="warning" if mild else "error"),
        None if found.trouble.kind == EXPORT else found.trouble.publication,
        found.trouble.run_id,
        owner_of(view.catalogue.products.get(product)),
        product in view.catalogue.products,
        downstream(view.catalogue, product),
        commands_of(found, first, seen=said is not None),
        tuple(incident_line(one, view) for one in others if one.incident != name),
        seen_of(said),
        refused[0],
    )


def incident_line(one: Incident, view: View) -> IncidentLine:
    """Return an incident in one line."""
    said = one.trouble
    why = tuple(said.why.splitlines())
    return IncidentLine(
        one.incident, said.product, said.kind, said.subject, one.opened, one.closed, why,
        over=one.closed is not None or _is_over(one, view),
    )  # fmt: skip


def _is_over(one: Incident, view: View) -> bool:
    """Tell whether no page calls it wrong any more; of what nobody watches, nobody can tell."""
    product = view.catalogue.products.get(one.trouble.product)
    if product is None or product.status not in WATCHED:
        return False
    wrong = view.wrong([product.qualified_name])
    if one.trouble.kind == FAILED and any(known.kind == "withdrawn" for known in wrong):
        return False  # it is told with what was withdrawn
    return one.incident not in {known.incident for known in wrong}
