"""The first page: what is wrong, how every domain stands, what happened today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.ledger.days import Day, Happening, days, happenings
from dataops_mesh.web.facts.because import roots
from dataops_mesh.web.facts.held import Held, held_now
from dataops_mesh.web.facts.paging import require_page
from dataops_mesh.web.facts.pieces import with_pieces
from dataops_mesh.web.facts.standing import WRONG, Standing, standing
from dataops_mesh.web.facts.wrong import Wrong
from dataops_mesh.web.view import View

DAYS = 30
_WRONG, _HELD, _RECENT, _DOMAINS = 12, 12, 12, 60


@dataclass(frozen=True, slots=True)
class DomainLine:
    """How a domain stands.

    Args:
        levels: how many products stand how, by level.
        reads: the domains that it reads.
        oldest: when the oldest of what it publishes was built.
    """

    domain: str
    products: int
    levels: dict[str, int]
    reads: tuple[str, ...]
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class MeshPage:
    """What the first page says.

    Args:
        levels: how many products stand how.
        wrong: the gravest, without what waits for them; `wrong_in_all` says how many there are,
            warnings not counted.
        waiting: how many products wait for one of these.
        today: how the runs of this day, in UTC, ended.
        quality: how the runs of each of the last days ended.
        standing: of a small mesh, each product, for the map; of a large one nothing.
    """

    name: str
    at: datetime
    release: int
    levels: dict[str, int]
    wrong: tuple[Wrong, ...]
    wrong_in_all: int
    waiting: int
    held: tuple[Held, ...]
    held_in_all: int
    domains: tuple[DomainLine, ...]
    domains_in_all: int
    domains_page: int
    today: dict[str, int]
    recent: tuple[Happening, ...]
    quality: tuple[Day, ...]
    standing: tuple[Standing, ...]


def mesh_page(view: View, page: int = 1) -> MeshPage:
    """Return the facts of the first page."""
    every, wrong = standings(view), roots(view.wrong())
    lines = domain_lines(view, every)
    require_page(page, len(lines), _DOMAINS)
    held = held_now(view.release)
    recent = with_pieces(view, happenings(view.ledger, _RECENT))
    quality = days(view.ledger, view.now.date(), DAYS)
    begin = (page - 1) * _DOMAINS
    return MeshPage(
        view.environment.settings.root.name,
        view.now,
        view.release.number,
        dict(Counter(one.level for one in every)),
        wrong[:_WRONG],
        sum(one.severity == "error" for one in wrong),
        len({name for one in wrong for name in one.waiting}),
        held[:_HELD],
        len(held),
        lines[begin : begin + _DOMAINS],
        len(lines),
        page,
        _today(quality[-1]),
        recent,
        quality,
        every if len(every) <= MAPPED else (),
    )


MAPPED = 40  # products: more than that, nobody can read a drawing of


def standings(view: View, names: Collection[str] | None = None) -> tuple[Standing, ...]:
    """Return how products stand; all of them if none is named."""
    wrong: dict[str, list[Wrong]] = {}
    for one in view.wrong(names):
        wrong.setdefault(one.product, []).append(one)
    return tuple(
        standing(view.catalogue.products[name], state, tuple(wrong.get(name, ())))
        for name, state in view.states(names).items()
    )


def domain_lines(view: View, every: Iterable[Standing]) -> tuple[DomainLine, ...]:
    """Return how each domain stands, those with something wrong first."""
    by_domain: dict[str, list[Standing]] = {name: [] for name in view.catalogue.domains}
    for one in every:
        by_domain[one.domain].append(one)
    lines = []
    for name, found in by_domain.items():
        feeds = (view.catalogue.feeds[one.product] for one in found)
        reads = {read.partition(".")[0] for some in feeds for read in some} - {name}
        built = [one.built for one in found if one.built is not None]
        levels = dict(Counter(one.level for one in found))
        lines.append(
            DomainLine(name, len(found), levels, tuple(sorted(reads)), min(built, default=None))
        )
    return tuple(sorted(lines, key=lambda line: (-line.levels.get(WRONG, 0), line.domain)))


def _today(last: Day) -> dict[str, int]:
    return {"published": last.published, "refused": last.refused, "failed": last.failed}
