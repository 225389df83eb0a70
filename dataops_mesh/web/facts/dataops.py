"""How the teams work: how often, how fast and how well the mesh changes, over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dataops_mesh.watch.dataops.measures import Measures, Span, Sums, added, measured
from dataops_mesh.watch.dataops.weeks import Weeks, catch_up
from dataops_mesh.web.facts.domain import require_domain
from dataops_mesh.web.view import View

_ROWS = 60


@dataclass(frozen=True, slots=True)
class Period:
    """The numbers of a week."""

    begin: datetime
    end: datetime
    measures: Measures


@dataclass(frozen=True, slots=True)
class OfWhom:
    """The numbers of a domain or a product."""

    name: str
    measures: Measures


@dataclass(frozen=True, slots=True)
class DataOpsPage:
    """What the page of DataOps metrics says.

    Args:
        of: the domain that it is about; empty for the whole mesh.
        rows: of the mesh each domain, of a domain each product.
    """

    of: str
    begin: datetime
    end: datetime
    whole: Measures
    weeks: tuple[Period, ...]
    rows: tuple[OfWhom, ...]
    rows_in_all: int


def dataops_page(view: View, of: str = "") -> DataOpsPage:
    """Return the numbers of the last twelve weeks, of the mesh or of a domain.

    Raises:
        UnknownNameError: there is no such domain.
    """
    if of:
        require_domain(view, of)
    weeks = _weeks(view)
    groups: dict[str, list[str]] = {}
    for name in weeks.histories:
        domain = name.partition(".")[0]
        if not of or domain == of:
            groups.setdefault(name if of else domain, []).append(name)
    told = {name: weeks.by_week(groups[name]) for name in sorted(groups)}
    spans, mine = weeks.spans, [name for some in groups.values() for name in some]
    begin, end = spans[0][0], spans[-1][1]
    by_week = [added(some) for some in zip(*told.values(), strict=True)] or [Sums()] * len(spans)

    def numbers(names: list[str], found: Sums, span: Span) -> Measures:
        return measured([weeks.histories[name] for name in names], found, span[1] - span[0])

    return DataOpsPage(
        of,
        begin,
        end,
        numbers(mine, added(by_week), (begin, end)),
        tuple(
            Period(*span, numbers(mine, found, span))
            for span, found in zip(spans, by_week, strict=True)
        ),
        tuple(
            OfWhom(name, numbers(groups[name], added(told[name]), (begin, end)))
            for name in list(told)[:_ROWS]
        ),
        len(told),
    )


def _weeks(view: View) -> Weeks:
    """Return the last weeks; what was known of them is caught up with what is new."""
    known, products = view.memory.weeks, view.catalogue.products
    settings, moment = view.environment.settings, (view.now, view.release.number)
    found = catch_up(known, products, view.ledger, settings, moment)
    view.memory.weeks = found
    return found
