"""Which pages there are: a path, what is asked with it, and the facts that answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.errors import Problem, QuestionError, UnknownNameError
from dataops_mesh.watch.dataops.measures import Measures
from dataops_mesh.web.draw.flow import flow_of
from dataops_mesh.web.facts.dataops import DataOpsPage, dataops_page
from dataops_mesh.web.facts.domain import DomainPage, domain_page
from dataops_mesh.web.facts.happened import HappenedPage, WrongPage, happened_page, wrong_page
from dataops_mesh.web.facts.incident import IncidentPage, incident_page
from dataops_mesh.web.facts.mesh import MAPPED, MeshPage, mesh_page
from dataops_mesh.web.facts.planned import PlanPage, plan_page
from dataops_mesh.web.facts.product import ProductPage, product_page
from dataops_mesh.web.facts.record import RecordPage, candidate_page, publication_page
from dataops_mesh.web.facts.sandboxes import (
    SandboxesPage,
    SandboxPage,
    sandbox_page,
    sandboxes_page,
)
from dataops_mesh.web.facts.search import SearchPage, search_page
from dataops_mesh.web.links import Link
from dataops_mesh.web.render import render
from dataops_mesh.web.view import View

Asked = Mapping[str, str]
_LAST_PAGE, _LONGEST = 100_000, 300
_COLUMNS, _CHECKS = 120, 100
MENU = ("mesh", "search", "happened", "metrics", "plan", "sandboxes", "api", "form")


@dataclass(frozen=True, slots=True)
class Page:
    """One page, as HTML and as JSON.

    Args:
        kind: what links call it.
        path: with `{name}` where something is named.
        template: the file that shows it.
        facts: answers it, by what the path and the query say.
        answer: the type of the facts.
        query: what may be asked with it.
    """

    kind: str
    path: str
    template: str
    summary: str
    facts: Callable[[View, Asked], Any]
    answer: type
    query: tuple[str, ...] = ()


PAGES = (
    Page("mesh", "/", "mesh.html", "How the whole mesh stands, what is wrong first.",
         lambda view, asked: mesh_page(view, _page(asked)), MeshPage, ("page",)),
    Page("wrong", "/wrong", "wrong.html", "All that is wrong, and all that is held.",
         lambda view, asked: wrong_page(view, _page(asked)), WrongPage, ("page",)),
    Page("happened", "/happened", "happened.html", "What ran, newest first.",
         lambda view, asked: happened_page(view, _before(asked)), HappenedPage,
         ("before",)),
    Page("search", "/search", "search.html", "Products by name, column, description and tag.",
         lambda view, asked: search_page(
             view, asked.get("q", ""), asked.get("domain", ""), _page(asked)),
         SearchPage, ("q", "domain", "page")),
    Page("metrics", "/dataops", "dataops.html", "How often, how fast and how well it changes.",
         lambda view, asked: dataops_page(view, asked.get("domain", "")[:_LONGEST]), DataOpsPage,
         ("domain",)),
    Page("plan", "/plan", "plan.html", "What publishing the declarations would change.",
         lambda view, _: plan_page(view), PlanPage),
    Page("sandboxes", "/sandboxes", "sandboxes.html", "Which sandboxes are open.",
         lambda view, _: sandboxes_page(view), SandboxesPage),
    Page("sandbox", "/sandboxes/{name}", "sandbox.html", "A sandbox and what it would change.",
         lambda view, asked: sandbox_page(view, _name(asked)), SandboxPage),
    Page("domain", "/domains/{name}", "domain.html", "A domain and its products.",
         lambda view, asked: domain_page(view, _name(asked), _page(asked)), DomainPage, ("page",)),
    Page("product", "/products/{name}", "product.html", "All that is known of a product.",
         lambda view, asked: product_page(view, _name(asked)), ProductPage),
    Page("publication", "/publications/{name}", "record.html", "What one publication switched.",
         lambda view, asked: publication_page(view, _number(asked)), RecordPage),
    Page("candidate", "/candidates/{name:path}", "record.html", "What one candidate was built of.",
         lambda view, asked: candidate_page(view, _name(asked)), RecordPage),
    Page("incident", "/incidents/{name}", "incident.html", "What is or was wrong, and for whom.",
         lambda view, asked: incident_page(view, _name(asked)), IncidentPage),
)  # fmt: skip


def html_of(page: Page, facts: Any, view: View, link: Link, menu: tuple[str, ...] = MENU) -> str:
    """Return a page as HTML."""
    drawn = None
    if isinstance(facts, MeshPage | DomainPage) and len(facts.standing) <= MAPPED:
        drawn = flow_of(view.catalogue, facts.standing)
    domains = facts.domains_in_all if isinstance(facts, MeshPage) else 0
    return render(
        page.template,
        link,
        page=facts,
        drawn=drawn,
        known=view.catalogue.products,
        mesh=view.environment.settings.root.name,
        now=view.now,
        release=view.release.number,
        sandbox=view.environment.store.sandbox,
        here=page.kind,
        menu=menu,
        domain_pages=max(1, -(-domains // 60)),
        columns_shown=_COLUMNS,
        checks_shown=_CHECKS,
        series=_series(facts) if isinstance(facts, DataOpsPage) else {},
    )


def _series(page: DataOpsPage) -> dict[str, list[tuple[str, float | None]]]:
    """Return each number by week."""
    return {
        one.name: [
            (f"{week.begin:%Y-%m-%d}", getattr(week.measures, one.name)) for week in page.weeks
        ]
        for one in fields(Measures)
    }


def _page(asked: Asked) -> int:
    text = asked.get("page", "1")
    if not (text.isascii() and text.isdecimal() and text.strip("0")):
        raise QuestionError(Problem("page is a whole number from 1", next="leave it out"))
    return min(int(text), _LAST_PAGE) if len(text) <= len(str(_LAST_PAGE)) else _LAST_PAGE


def _before(asked: Asked) -> str:
    text = asked.get("before")
    if text is None:
        return ""
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC).isoformat()
    what = "before is a moment with its time zone, as 2013-01-31T12:00:00+00:00"
    raise QuestionError(Problem(what, next="leave it out"))


def _name(asked: Asked) -> str:
    return asked["name"][:_LONGEST]


def _number(asked: Asked) -> int:
    text = asked["name"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):  # noqa: PLR2004
        raise UnknownNameError(Problem("a publication is a number", next="mesh status"))
    return int(text)
