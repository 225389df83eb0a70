"""Ledger and commits -> what happened to each product."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import TypeVar

from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.dataops import (
    Built,
    Moment,
    built_between,
    caught_between,
    incidents_between,
    undone_between,
)
from dataops_mesh.ledger.trouble.incidents import DAMAGED
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.partition import last_partition
from dataops_mesh.spec.slo import recency_of
from dataops_mesh.watch.dataops.commits import Commits, commits_of
from dataops_mesh.watch.dataops.measures import Deployment, History, Span
from dataops_mesh.watch.trouble import ESCAPED, LATE

_FEW = 200  # products: of more, the whole period is read


def histories(
    products: Iterable[Product],
    ledger: Ledger,
    settings: Settings,
    since: datetime,
    until: datetime,
) -> tuple[History, ...]:
    """Return what happened to each product in a period.

    Args:
        products: of the mesh; of a few, no others are read.
        ledger: with everything on record.
        settings: of the workspace, whose repository is asked for commits.
        since: the first moment.
        until: the moment after the last.
    """
    every = tuple(products)
    names = {one.qualified_name for one in every} if len(every) <= _FEW else None
    known = _Known(
        _by_product(built_between(ledger, since, until, names)),
        _by_product(caught_between(ledger, since, until, names)),
        _by_product(undone_between(ledger, since, until, names)),
        _by_product(incidents_between(ledger, (ESCAPED, DAMAGED, LATE), since, until)),
        cache(lambda: commits_of(settings.root, since)),
        settings,
        (since, until),
    )
    return tuple(_history(product, known) for product in every)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was asked once for all products."""

    built: Mapping[str, Sequence[Built]]
    caught: Mapping[str, Sequence[Moment]]
    undone: Mapping[str, Sequence[Moment]]
    wrong: Mapping[str, Sequence[Moment]]
    commits: Callable[[], Commits]  # git is asked where something was deployed
    settings: Settings
    period: Span


def _history(product: Product, known: _Known) -> History:
    name = product.qualified_name
    built, undone = known.built.get(name, ()), known.undone.get(name, ())
    wrong = known.wrong.get(name, ())
    times = [one.at for one in built]
    since, until = known.period
    escaped = [one.at for one in wrong if one.kind == ESCAPED] + [one.at for one in undone]
    restores = [(one.ended, one.ended - one.at) for one in wrong if one.ended is not None]
    for one in undone:  # it took back what was published last
        place = bisect_right(times, one.at)
        if place:
            restores.append((one.at, one.at - times[place - 1]))
    late, due = _late(product, times)
    if product.partitioning is not None and last_partition(product.partitioning, until):
        due = None  # it has ended, and nobody waits for more
    return History(
        name,
        tuple(at for at in times if at >= since),
        _deployments(product, built, escaped, known),
        tuple(restores),
        tuple(one.at for one in known.caught.get(name, ())),
        tuple(sorted(escaped)),
        late,
        times[0] if due else None,
        due,
        built[-1].coverage if built else None,
        built[-1].checks if built else 0,
    )


def _deployments(
    product: Product, built: Sequence[Built], escaped: Sequence[datetime], known: _Known
) -> tuple[Deployment, ...]:
    """Return the publications by other code than before; of the first ever, that is any."""
    since, until = known.period
    changed = [
        (before, one)
        for before, one in zip((None, *built), built, strict=False)
        if one.at >= since and (before is None or before.code != one.code)
    ]
    found = []
    for index, (before, one) in enumerate(changed):
        following = changed[index + 1][1].at if index + 1 < len(changed) else until
        failed = any(one.at <= at < following for at in escaped)
        found.append(Deployment(one.at, _leads(product, before, one, known), failed))
    return tuple(found)


def _leads(
    product: Product, before: Built | None, one: Built, known: _Known
) -> tuple[timedelta, ...]:
    root = known.settings.root
    folders = [product.folder, *product.shared]
    inside = tuple(f.relative_to(root).as_posix() for f in folders if f.is_relative_to(root))
    old = before.commit.rstrip("+") if before else ""
    brought = known.commits().brought(one.commit, old, inside)
    return tuple(max(one.at - commit.at, timedelta()) for commit in brought)


def _late(product: Product, times: Sequence[datetime]) -> tuple[tuple[Span, ...], datetime | None]:
    """Return when data was older than promised, and when what is published now gets so."""
    recency = recency_of(product)
    if recency is None or not times:
        return (), None
    promise = timedelta(hours=recency.fail)
    late = [(begin + promise, end) for begin, end in pairwise(times) if end - begin > promise]
    return tuple(late), times[-1] + promise


T = TypeVar("T", Built, Moment)


def _by_product(found: Iterable[T]) -> dict[str, list[T]]:
    made: dict[str, list[T]] = defaultdict(list)
    for one in found:
        made[one.product].append(one)
    return made
