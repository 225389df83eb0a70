"""A team's own page: what is wrong with its products, how they stand, what happened to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean
from dataops_mesh.ledger.days import Day, Happening, days, happenings
from dataops_mesh.web.facts.held import Held, held_now
from dataops_mesh.web.facts.mesh import DAYS, standings
from dataops_mesh.web.facts.paging import require_page
from dataops_mesh.web.facts.pieces import with_pieces
from dataops_mesh.web.facts.standing import Standing
from dataops_mesh.web.facts.wrong import Wrong, unreadable
from dataops_mesh.web.view import View

PAGE = 40
_WRONG, _RECENT = 12, 12


@dataclass(frozen=True, slots=True)
class DomainPage:
    """What the page of a domain says.

    Args:
        wrong: with its products; and, in `upstream`, with what they read.
        standing: of the products on this page.
    """

    domain: str
    at: datetime
    teams: tuple[str, ...]
    levels: dict[str, int]
    wrong: tuple[Wrong, ...]
    wrong_in_all: int
    upstream: tuple[Wrong, ...]
    held: tuple[Held, ...]
    standing: tuple[Standing, ...]
    products: int
    page: int
    pages: int
    reads: tuple[str, ...]
    read_by: tuple[str, ...]
    recent: tuple[Happening, ...]
    quality: tuple[Day, ...]


def require_domain(view: View, name: str) -> tuple[str, ...]:
    """Return the products of a domain.

    Raises:
        UnknownNameError: there is no such domain.
    """
    known = view.catalogue.domains
    if name not in known:
        what = f'no domain "{name}"{did_you_mean(name, known)}'
        raise UnknownNameError(Problem(what, next="mesh status"))
    return known[name]


def domain_page(view: View, name: str, page: int = 1) -> DomainPage:
    """Return the facts of a domain.

    Raises:
        UnknownNameError: there is no such domain.
    """
    names = require_domain(view, name)
    every = standings(view, names)
    others = {read for one in names for read in view.catalogue.feeds[one]} - set(names)
    mine = [*view.wrong(names)]
    mine += [one for one in unreadable(view.catalogue) if one.product.partition(".")[0] == name]
    upstream = view.wrong([one for one in others if one in view.catalogue.products])
    readers = {read for one in names for read in view.catalogue.readers[one]} - set(names)
    pages = require_page(page, len(names), PAGE)
    teams = (one.team.name for one in (view.catalogue.products[n] for n in names) if one.team)
    return DomainPage(
        name,
        view.now,
        tuple(dict.fromkeys(teams)),
        dict(Counter(one.level for one in every)),
        tuple(mine[:_WRONG]),
        len(mine),
        upstream[:_WRONG],
        tuple(one for one in held_now(view.release) if one.product in names)[:_WRONG],
        every[(page - 1) * PAGE : page * PAGE],
        len(names),
        page,
        pages,
        tuple(sorted(others))[:PAGE],
        tuple(sorted(readers))[:PAGE],
        with_pieces(view, happenings(view.ledger, _RECENT, products=names)),
        days(view.ledger, view.now.date(), DAYS, names),
    )
