"""The page of a product: what it is, what it promises, what is known of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.errors import MeshError, Problem, UnknownNameError, did_you_mean
from dataops_mesh.ledger import changes, history
from dataops_mesh.ledger.trends import trends
from dataops_mesh.ledger.trouble.incidents import incidents_of, last_audit
from dataops_mesh.policy.load import load_waivers
from dataops_mesh.spec.checks.coverage import coverage
from dataops_mesh.spec.model import Product
from dataops_mesh.web.facts.checks import RUNS, CheckLine, check_lines
from dataops_mesh.web.facts.columns import PortLine, port_lines
from dataops_mesh.web.facts.held import Held, holds_of
from dataops_mesh.web.facts.incident import IncidentLine, incident_line
from dataops_mesh.web.facts.mesh import standings
from dataops_mesh.web.facts.pieces import piece_of
from dataops_mesh.web.facts.promises import PromiseLine, promise_lines
from dataops_mesh.web.facts.reading import Reading, readings
from dataops_mesh.web.facts.standing import Standing
from dataops_mesh.web.facts.unusual import UnusualLine, unusual_lines
from dataops_mesh.web.facts.wrong import Wrong
from dataops_mesh.web.view import View

_EVENTS, _LOOKED_AT, _INCIDENTS = 12, 50, 10


@dataclass(frozen=True, slots=True)
class InputLine:
    """One input port: a product of the mesh, or a source outside."""

    name: str
    product: str
    source: str
    version: str


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """Who reads a product: a product, one of another repository, or something outside the mesh."""

    name: str
    kind: str
    owner: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of a product's history, and what it changed."""

    at: datetime
    what: str
    publication: int | None
    candidate: str
    rows: int
    seconds: float | None
    person: str
    partition: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WaiverLine:
    """A rule of the organisation that does not count for a time."""

    rule: str
    who: str
    why: str
    until: str


@dataclass(frozen=True, slots=True)
class ProductPage:
    """What the page of a product says."""

    standing: Standing
    wrong: tuple[Wrong, ...]
    version: str
    folder: str
    description: str
    usage: str
    limitations: str
    team: str
    members: tuple[str, ...]
    support: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    built_by: str
    promises: tuple[PromiseLine, ...]
    ports: tuple[PortLine, ...]
    unusual: tuple[UnusualLine, ...]
    checks: tuple[CheckLine, ...]
    not_executed: tuple[str, ...]
    events: tuple[EventLine, ...]
    inputs: tuple[InputLine, ...]
    readers: tuple[ReaderLine, ...]
    reading: tuple[Reading, ...]
    incidents: tuple[IncidentLine, ...]
    holds: tuple[Held, ...]
    waivers: tuple[WaiverLine, ...]


def product_page(view: View, name: str) -> ProductPage:
    """Return the facts of a product.

    Raises:
        UnknownNameError: there is no such product.
    """
    catalogue = view.catalogue
    product = catalogue.products.get(name)
    if product is None:
        what = f'no product "{name}"{did_you_mean(name, catalogue.products)}'
        raise UnknownNameError(Problem(what, next="mesh status"))
    (mine,) = standings(view, [name])
    state, ledger = view.states([name])[name], view.ledger
    audit = last_audit(ledger, name)
    looked = audit if audit and audit.publication == state.publication else None
    checks = check_lines(product, trends(ledger, name, RUNS), looked)
    events = history(ledger, name, _LOOKED_AT)
    numbers = [e.publication for e in events[:_EVENTS] if e.publication is not None]
    changed = changes(ledger, name, numbers)
    return ProductPage(
        standing=mine,
        wrong=view.wrong([name]),
        version=product.version,
        folder=str(product.folder.relative_to(view.environment.settings.root)),
        description=product.description,
        usage=product.usage,
        limitations=product.limitations,
        team=product.team.name if product.team else "",
        members=tuple(
            f"{one.username}{f' ({one.role})' if one.role else ''}"
            for one in (product.team.members if product.team else ())
        ),
        support=tuple((one.channel, one.url) for one in product.support),
        tags=product.tags,
        built_by=product.transform.kind.value,
        promises=promise_lines(product, state, events, checks, view.now),
        ports=port_lines(product, catalogue.lineage(product)),
        unusual=unusual_lines(ledger, product, view.now, state),
        checks=checks,
        not_executed=_not_executed(product),
        events=tuple(
            EventLine(
                e.at, e.what, e.publication, e.candidate, e.rows, e.seconds, e.person,
                piece_of(view, name, e.candidate, e.partition),
                (*e.reasons, *(one.what for one in changed.get(e.publication or 0, ()))),
            )
            for e in events[:_EVENTS]
        ),
        inputs=_inputs(view, product),
        readers=_readers(view, name),
        reading=readings(product),
        incidents=tuple(
            incident_line(one, view) for one in incidents_of(ledger, [name], limit=_INCIDENTS)
        ),
        holds=holds_of(state),
        waivers=_waivers(view, product),
    )  # fmt: skip


def _not_executed(product: Product) -> tuple[str, ...]:
    """Return the rules that no machine checks here: those for people, those nobody executes."""
    found = coverage(product)
    texts = (f'rule "{name}": written as text, so only people can check it' for name in found.text)
    return (*texts, *found.unexecuted)


def _inputs(view: View, product: Product) -> tuple[InputLine, ...]:
    made_by = view.catalogue.made_by
    return tuple(
        InputLine(
            port.name,
            made_by.get(port.address, "") if port.address else "",
            port.source.path if port.source else "",
            port.version or "",
        )
        for port in product.inputs
    )


def _readers(view: View, name: str) -> tuple[ReaderLine, ...]:
    catalogue = view.catalogue
    found = []
    for one in catalogue.readers.get(name, ()):
        here = catalogue.products.get(one)
        product = here or catalogue.elsewhere[one]
        team = product.team.name if product.team else ""
        found.append(ReaderLine(one, "product" if here else "another repository", team))
    found += [
        ReaderLine(one.name, one.kind, one.owner, one.url)
        for one in catalogue.exposures.get(name, ())
    ]
    return tuple(found)


def _waivers(view: View, product: Product) -> tuple[WaiverLine, ...]:
    with suppress(MeshError):  # `mesh check` says what is wrong with the file
        found = load_waivers(view.environment.settings.root, (product,))
        return tuple(
            WaiverLine(one.rule, one.who, one.why, one.until.isoformat())
            for one in found
            if one.product == product.qualified_name
        )
    return ()
