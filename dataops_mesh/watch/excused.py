"""For which holds a product is not called late: those that keep back what would be published next.

A hold of one partition leaves its neighbours and every new day to be published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime

from dataops_mesh.spec.model import Product
from dataops_mesh.spec.partition import Partitioning, partitions_until
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.log import Release


def excuses(
    product: Product, holds: Iterable[Hold], release: Release, now: datetime
) -> tuple[Hold, ...]:
    """Return the holds for which a product may be behind its promises.

    Args:
        product: that may be late.
        holds: on itself and on what it reads.
        release: the newest.
        now: the real time.
    """
    every = tuple(holds)
    whole = tuple(hold for hold in every if not hold.partition)
    pieces = {hold.partition: hold for hold in every if hold.partition}
    if not pieces or product.partitioning is None:
        return whole
    missing = tuple(_missing(product, product.partitioning, release, now))
    if missing and pieces.keys() >= {*missing}:
        return (*whole, *(pieces[key] for key in missing))
    return whole


def _missing(product: Product, cut: Partitioning, release: Release, now: datetime) -> Iterator[str]:
    """Yield what would be published next: all that has ended since, else what goes on now."""
    published = (release.ports[p.address].parts for p in product.outputs
                 if p.address in release.ports)  # fmt: skip
    newest = min((max((one.key for one in parts), default="") for parts in published), default="")
    if cut.cadence is not None:
        with suppress(ValueError):  # cut otherwise than now: nobody can tell, and all is missing
            cut = replace(cut, start=max(cut.start, date.fromisoformat(newest[:10])))
        begun = partitions_until(cut, now)
        ended = [one.key for one in begun if one.ends and one.ends <= now and one.key > newest]
        yield from ended or [one.key for one in begun[-1:]]
    else:
        yield from cut.values
