"""What happened to products, and a period -> the numbers; docs/metrics.md has the formulas."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
        late: when data was older than promised.
        promised: when there was a promise to keep; empty where nothing is promised.
        coverage: the part of its declared rules that a machine checks, at its last publication.
    """

    product: str
    publications: tuple[datetime, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    restores: tuple[tuple[datetime, timedelta], ...] = ()
    caught: tuple[datetime, ...] = ()
    escaped: tuple[datetime, ...] = ()
    late: tuple[Span, ...] = ()
    promised: tuple[Span, ...] = ()
    coverage: float | None = None
    checks: int = 0


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
    made = [one for h in every for one in h.deployments if begin <= one.at < end]
    leads = [_hours(lead) for one in made for lead in one.leads]
    over = [_hours(lasted) for h in every for at, lasted in h.restores if begin <= at < end]
    caught = sum(begin <= at < end for h in every for at in h.caught)
    escaped = sum(begin <= at < end for h in every for at in h.escaped)
    late = sum(overlap(h.late, begin, end) for h in every)
    promised = sum(overlap(h.promised, begin, end) for h in every)
    covered = [h.coverage for h in every if h.coverage is not None]
    weeks = (end - begin) / timedelta(weeks=1)
    return Measures(
        products=len(every),
        publications=sum(_between(h.publications, begin, end) for h in every),
        deployments=len(made),
        deployments_per_week=len(made) / weeks if weeks else 0.0,
        lead_time_hours=median(leads) if leads else None,
        change_failure=sum(one.failed for one in made) / len(made) if made else None,
        restore_hours=median(over) if over else None,
        caught=caught,
        escaped=escaped,
        caught_share=caught / (caught + escaped) if caught + escaped else None,
        downtime_hours=late,
        downtime_share=late / promised if promised else None,
        coverage=sum(covered) / len(covered) if covered else None,
        checks=sum(h.checks for h in every),
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
    inside = spans[bisect_right(spans, begin, key=_end) : bisect_left(spans, end, key=_begin)]
    return sum(_hours(min(last, end) - max(first, begin)) for first, last in inside)


def _begin(span: Span) -> datetime:
    return span[0]


def _end(span: Span) -> datetime:
    return span[1]


def _between(times: Sequence[datetime], begin: datetime, end: datetime) -> int:
    """Return how many of some moments, oldest first, lie in a period."""
    return bisect_left(times, end) - bisect_left(times, begin)


def _hours(span: timedelta) -> float:
    return span.total_seconds() / 3600
