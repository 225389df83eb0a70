"""How the teams work: how often, how fast and how well the mesh changes, over time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from dataops_mesh.watch.dataops.history import histories
from dataops_mesh.watch.dataops.measures import History, Measures, measures, periods
from dataops_mesh.web.view import Past, View

DAYS = 84
WEEK = timedelta(weeks=1)
_SECONDS, _ROWS = 600.0, 60


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
    """Return the numbers of the last twelve weeks, of the mesh or of a domain."""
    past = _past(view)
    known = past.pages.get(of)
    if isinstance(known, DataOpsPage):
        return known
    found = _page(past.histories, past.end, of)
    if not of or of in view.catalogue.domains:  # nobody fills the memory with names
        past.pages[of] = found
    return found


def _page(every: tuple[History, ...], end: datetime, of: str) -> DataOpsPage:
    begin = end - timedelta(days=DAYS)
    groups: dict[str, list[History]] = {}
    for one in every:
        if not of or _domain(one) == of:
            groups.setdefault(one.product if of else _domain(one), []).append(one)
    mine = [one for some in groups.values() for one in some]
    names = sorted(groups)
    return DataOpsPage(
        of,
        begin,
        end,
        measures(mine, begin, end),
        tuple(Period(b, e, measures(mine, b, e)) for b, e in periods(begin, end, WEEK)),
        tuple(OfWhom(name, measures(groups[name], begin, end)) for name in names[:_ROWS]),
        len(names),
    )


def _domain(one: History) -> str:
    return one.product.partition(".")[0]


def _past(view: View) -> Past:
    """Return what happened; remembered for ten minutes, because it reads all of twelve weeks."""
    known, now = view.memory.past, time.monotonic()
    lasts = _SECONDS if view.memory.seconds else 0.0
    if known is not None and known.catalogue is view.catalogue and now - known.at < lasts:
        return known
    end, settings = view.now, view.environment.settings
    products = view.catalogue.products.values()
    found = histories(products, view.ledger, settings, end - timedelta(days=DAYS), end)
    view.memory.past = Past(view.catalogue, now, end, found)
    return view.memory.past
