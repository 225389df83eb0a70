"""What happened to products, and a period -> the numbers; docs/metrics.md has the formulas."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum
from statistics import median

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A publication that was built by other code than the one before.

    Args:
        leads: for each commit that it brought, how long that waited.
        failed: it was rolled back, or an audit found published data wrong, before the next one.
    """

    at: datetime
    leads: tuple[timedelta, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """What happened to a product.

    Args:
        restores: when something that consumers felt was over, and how long it had lasted.
        late: when data was older than promised, until something newer was published.
        promised_since: when there began to be a promise to keep; None where nothing is promised.
        due: when what is published now gets older than promised.
        coverage: the part of its declared rules that a machine checks, at its last publication.
    """

    product: str
    publications: tuple[datetime, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    restores: tuple[tuple[datetime, timedelta], ...] = ()
    caught: tuple[datetime, ...] = ()
    escaped: tuple[datetime, ...] = ()
    late: tuple[Span, ...] = ()
    promised_since: datetime | None = None
    due: datetime | None = None
    coverage: float | None = None
    checks: int = 0


@dataclass(frozen=True, slots=True)
class Sums:
    """What happened in a period, so that it can be added up over products and periods.

    Args:
        leads: in hours, of each commit that a deployment brought; so `restores`.
        late: hours in which data was older than promised, of those `promised`.
    """

    publications: int = 0
    deployments: int = 0
    failed: int = 0
    leads: tuple[float, ...] = ()
    restores: tuple[float, ...] = ()
    caught: int = 0
    escaped: int = 0
    late: float = 0.0
    promised: float = 0.0


@dataclass(frozen=True, slots=True)
class Measures:
    """The numbers of some products in a period; None where nothing happened to measure."""

    products: int
    publications: int
    deployments: int
    deployments_per_week: float
    lead_time_hours: float | None
    change_failure: float | None
    restore_hours: float | None
    caught: int
    escaped: int
    caught_share: float | None
    downtime_hours: float
    downtime_share: float | None
    coverage: float | None
    checks: int


def measures(histories: Iterable[History], begin: datetime, end: datetime) -> Measures:
    """Return the numbers of a period, which ends before `end`."""
    every = tuple(histories)
    return measured(every, added(sums(one, begin, end) for one in every), end - begin)


def measured(histories: Sequence[History], found: Sums, length: timedelta) -> Measures:
    """Return the numbers of some products from what happened to them in a period of a length."""
    covered = [h.coverage for h in histories if h.coverage is not None]
    weeks, told = length / timedelta(weeks=1), found.caught + found.escaped
    return Measures(
        products=len(histories),
        publications=found.publications,
        deployments=found.deployments,
        deployments_per_week=found.deployments / weeks if weeks else 0.0,
        lead_time_hours=median(found.leads) if found.leads else None,
        change_failure=found.failed / found.deployments if found.deployments else None,
        restore_hours=median(found.restores) if found.restores else None,
        caught=found.caught,
        escaped=found.escaped,
        caught_share=found.caught / told if told else None,
        downtime_hours=found.late,
        downtime_share=found.late / found.promised if found.promised else None,
        coverage=sum(covered) / len(covered) if covered else None,
        checks=sum(h.checks for h in histories),
    )


def sums(history: History, begin: datetime, end: datetime) -> Sums:
    """Return what happened to a product in a period, which ends before `end`."""
    made = [one for one in history.deployments if begin <= one.at < end]
    return Sums(
        _between(history.publications, begin, end),
        len(made),
        sum(one.failed for one in made),
        tuple(_hours(lead) for one in made for lead in one.leads),
        tuple(_hours(lasted) for at, lasted in history.restores if begin <= at < end),
        _between(history.caught, begin, end),
        _between(history.escaped, begin, end),
        overlap(history.late, begin, end) + _since(history.due, begin, end),
        _since(history.promised_since, begin, end),
    )


def added(every: Iterable[Sums]) -> Sums:
    """Return the sum of some.

    >>> added([Sums(2, 1, leads=(3.0,)), Sums(1)])
    Sums(publications=3, deployments=1, failed=0, leads=(3.0,), restores=(), caught=0, escaped=0,
         late=0.0, promised=0.0)
    """
    publications = deployments = failed = caught = escaped = 0
    leads: list[float] = []
    restores: list[float] = []
    late: list[float] = []
    promised: list[float] = []
    for one in every:
        publications += one.publications
        deployments += one.deployments
        failed += one.failed
        caught += one.caught
        escaped += one.escaped
        leads += one.leads
        restores += one.restores
        late.append(one.late)
        promised.append(one.promised)
    return Sums(
        publications,
        deployments,
        failed,
        tuple(leads),
        tuple(restores),
        caught,
        escaped,
        fsum(late),
        fsum(promised),
    )


def periods(begin: datetime, end: datetime, length: timedelta) -> tuple[Span, ...]:
    """Return the pieces of a period, the last one as long as the others or shorter.

    >>> from datetime import UTC
    >>> len(periods(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC),
    ...             timedelta(weeks=1)))
    2
    """
    found: list[Span] = []
    while begin < end:
        found.append((begin, min(begin + length, end)))
        begin += length
    return tuple(found)


def overlap(spans: Sequence[Span], begin: datetime, end: datetime) -> float:
    """Return how many hours of some spans, oldest first and apart, lie in a period.

    >>> from datetime import UTC
    >>> day = lambda n: datetime(2026, 1, n, tzinfo=UTC)
    >>> overlap([(day(1), day(3)), (day(5), day(9))], day(2), day(6))
    48.0
    """
    if not spans or spans[-1][1] <= begin:
        return 0.0
    inside = spans[bisect_right(spans, begin, key=_end) : bisect_left(spans, end, key=_begin)]
    return sum(_hours(min(last, end) - max(first, begin)) for first, last in inside)


def _since(start: datetime | None, begin: datetime, end: datetime) -> float:
    """Return how many hours of a period lie behind a moment."""
    return 0.0 if start is None or start >= end else _hours(end - max(start, begin))


def _begin(span: Span) -> datetime:
    return span[0]


def _end(span: Span) -> datetime:
    return span[1]


def _between(times: Sequence[datetime], begin: datetime, end: datetime) -> int:
    """Return how many of some moments, oldest first, lie in a period."""
    return bisect_left(times, end) - bisect_left(times, begin)


def _hours(span: timedelta) -> float:
    return span.total_seconds() / 3600
