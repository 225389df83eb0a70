"""The last twelve weeks of every product, kept and caught up: only what has news is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.dataops import news_since
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.watch.dataops.history import histories
from dataops_mesh.watch.dataops.measures import History, Span, Sums, added, periods, sums

COUNT = 12
WEEK = timedelta(weeks=1)
# A run that a crash kept from the record is written later than it ended.
_LATER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Weeks:
    """What happened to each product in the last weeks, until a moment.

    Args:
        products: by which declarations it was judged.
        until: the moment; the last week ends with it.
        publication: the newest one that was read.
        closed: of each product, the sums of the weeks that are over.
        news: what was on record shortly before that moment.
        together: of products that somebody asked about together, the same.
    """

    products: Mapping[str, Product]
    until: datetime
    publication: int
    histories: Mapping[str, History]
    closed: Mapping[str, tuple[Sums, ...]]
    news: frozenset[tuple[Any, ...]] = frozenset()
    together: dict[tuple[str, ...], tuple[Sums, ...]] = field(default_factory=dict, compare=False)

    @property
    def spans(self) -> tuple[Span, ...]:
        """Return the weeks, oldest first; the last is not over."""
        return weeks_until(self.until)

    def by_week(self, names: list[str]) -> tuple[Sums, ...]:
        """Return what happened to some products together, week by week."""
        if not names:
            return (Sums(),) * COUNT
        begin, end = self.spans[-1]
        over = self.together.get(some := tuple(names))
        if over is None:
            weeks = zip(*(self.closed[name] for name in names), strict=True)
            over = self.together[some] = tuple(map(added, weeks))
        return (*over, added(sums(self.histories[name], begin, end) for name in names))


def weeks_until(moment: datetime) -> tuple[Span, ...]:
    """Return twelve weeks from Monday to Monday, in UTC; the last ends with the moment.

    >>> [f"{begin:%d.%m.}-{end:%d.%m.}" for begin, end in
    ...  weeks_until(datetime(2026, 3, 26, 9, tzinfo=UTC))][-2:]
    ['16.03.-23.03.', '23.03.-26.03.']
    """
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = day - timedelta(days=day.weekday())
    return (*periods(monday - (COUNT - 1) * WEEK, monday, WEEK), (monday, moment))


def catch_up(
    known: Weeks | None,
    products: Mapping[str, Product],
    ledger: Ledger,
    settings: Settings,
    moment: tuple[datetime, int],
) -> Weeks:
    """Return the last weeks as they are now.

    Args:
        known: as they were when somebody asked before.
        products: of the mesh, by name.
        ledger: with everything on record.
        settings: of the workspace.
        moment: now, and the newest publication.
    """
    now, publication = moment
    spans = weeks_until(now)
    if known is None or known.products is not products:
        news, names, kept, closed = frozenset[tuple[Any, ...]](), set(products), {}, {}
    else:
        news = news_since(ledger, known.until - _LATER, known.publication)
        names = {one[0] for one in news - known.news} & products.keys()
        kept, closed = dict(known.histories), dict(known.closed)
    found = histories([products[name] for name in names], ledger, settings, spans[0][0], now)
    read = {one.product: one for one in found}
    changed = [name for name, one in read.items() if kept.get(name) != one]
    kept |= read
    again = changed if known is not None and known.spans[:-1] == spans[:-1] else kept.keys()
    over = {name: tuple(sums(kept[name], b, e) for b, e in spans[:-1]) for name in again}
    if known is not None and all(closed.get(name) == one for name, one in over.items()):
        return Weeks(products, now, publication, kept, closed, news, known.together)
    return Weeks(products, now, publication, kept, {**closed, **over}, news)
