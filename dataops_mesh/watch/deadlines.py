"""When the clock alone changes what a sensor finds: a promise, a cron, a partition, an end.

A moment too many costs one look. What is not known here (the end of what others publish, a week
after a withdrawal) is found by the look that comes once an hour, whatever has happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta

from dataops_mesh.cron import may_tick
from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.mark import last_publications
from dataops_mesh.ledger.trouble.incidents import incidents_since
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_ledger_of
from dataops_mesh.run.word.ends import life_ends
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.partition import partitions_until
from dataops_mesh.spec.read.automation import automation_of
from dataops_mesh.spec.slo import recency_of
from dataops_mesh.store.log import latest
from dataops_mesh.watch.causes import LINGERS
from dataops_mesh.watch.deliveries import delivery_ends
from dataops_mesh.watch.picture import picture, wakes
from dataops_mesh.watch.schedule import Schedule

LONGEST = timedelta(hours=1)
_ASKED = timedelta(minutes=5)  # a condition on the age of what is published
_AFTER = timedelta(seconds=1)  # a promise is broken after the moment, not at it


def next_alert(products: Sequence[Product], environment: Environment, at: datetime) -> datetime:
    """Return when a product may become late, or something may end.

    Args:
        products: of a domain.
        environment: the store and the settings.
        at: the moment of the look.

    Raises:
        StoreError: the ledger cannot be read.
    """
    names = [product.qualified_name for product in products]
    with open_ledger_of(environment) as ledger:
        published = last_publications(ledger, names)
        again = _again(products, environment, ledger, at)
    late = (*_late(products, published), *delivery_ends(products, environment, at))
    return _first((*_ends(products), *late, *again), at)


def next_launch(products: Iterable[Product], at: datetime) -> datetime:
    """Return when a cron may tick, or a partition begin or end."""
    moments: list[datetime] = []
    for product in products:
        crons = automation_of(product).crons
        ticks = (may_tick(cron.line, cron.zone, at, LONGEST) for cron in crons)
        moments += [tick for tick in ticks if tick is not None]
        if product.partitioning is not None:
            for piece in partitions_until(product.partitioning, at + LONGEST)[-2:]:
                moments += [moment for moment in (piece.begins, piece.ends) if moment is not None]
    return _first(moments, at)


def _first(moments: Iterable[datetime], at: datetime) -> datetime:
    midnight = datetime.combine(at.date() + timedelta(days=1), time(), at.tzinfo)
    known = (moment + _AFTER for moment in (*moments, midnight))
    return min((*(moment for moment in known if moment > at), at + LONGEST))


def _again(
    products: Sequence[Product], environment: Environment, ledger: Ledger, at: datetime
) -> list[datetime]:
    """Return when somebody may have to be told again, and when a condition is asked again."""
    aging = [at + _ASKED for product in products for one in product.conditions if one.ages]
    wrong = {one.trouble.product for one in incidents_since(ledger, at - LINGERS)}
    concerned = [product for product in products if product.qualified_name in wrong]
    if not concerned:
        return aging
    schedule, release = Schedule.of(environment.settings), latest(environment.store)
    return [*aging, *wakes(picture(concerned, ledger, release, schedule, at))]


def _late(
    products: Iterable[Product], published: dict[str, tuple[datetime, ...]]
) -> Iterator[datetime]:
    for product in products:
        recency = recency_of(product)
        if recency is not None:
            for moment in published.get(product.qualified_name, ()):
                yield moment + timedelta(hours=recency.fail)


def _ends(products: Iterable[Product]) -> Iterator[datetime]:
    for product in products:
        for port in product.outputs:
            if (day := life_ends(port)) is not None:
                yield day
