"""Deliveries that do not come: what a source's contract promises, against what lies there.

`frequency` and `freshness` of a source's contract say how often it is delivered; with `latency`,
or a quarter of the interval where there is none, the promise is broken. Of a source that has files
for each partition, one that is over needs its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dataops_mesh.engine.source import resolve
from dataops_mesh.errors import Location, SourceError
from dataops_mesh.fetch.fetch import Asked, delivered
from dataops_mesh.ledger.trouble.incidents import Trouble
from dataops_mesh.run.environment import Environment
from dataops_mesh.spec.model import InputPort, Product, Source
from dataops_mesh.spec.partition import partitions_until
from dataops_mesh.spec.slo import Recency, delivery_of
from dataops_mesh.store.log import Release
from dataops_mesh.store.store import Store
from dataops_mesh.watch.slo import span

DELIVERY = "delivery"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Promised:
    """A source whose contract says how often it is delivered."""

    product: Product
    port: InputPort
    source: Source
    recency: Recency
    where: Location

    @property
    def patience(self) -> timedelta:
        """Return how old it may be; of partitions, how long after its end one may come."""
        return timedelta(hours=self.recency.fail)

    def came(self, store: Store, now: datetime, key: str = "") -> datetime | None:
        """Return when the newest file came, None if there is none; one of the future, now."""
        if self.source.remote is not None:
            at = delivered(Asked.of(store, self.product, self.port, key))
        else:
            try:
                found = resolve(self.source, self.product.folder, key)
                at = max(path.stat().st_mtime for path in found)
            except (SourceError, OSError):
                at = None
        if at is None:
            return None
        return datetime.fromtimestamp(min(at, now.timestamp()), UTC)


def missing_deliveries(
    products: Iterable[Product], environment: Environment, release: Release, now: datetime
) -> Iterator[Trouble]:
    """Yield a trouble for each source that is not delivered as its contract promises.

    Args:
        products: what to look at.
        environment: in whose store lies what was fetched; nobody is asked.
        release: says which partitions are published: these have been delivered.
        now: the real time.
    """
    store = environment.store
    for one in _promised(products):
        why = _parts(one, store, release, now) if one.source.is_cut else _whole(one, store, now)
        if why:
            said = f"{why}; promised: {one.recency.promise} ({one.where})"
            yield Trouble(one.product.qualified_name, DELIVERY, one.port.name, said)


def delivery_ends(
    products: Iterable[Product], environment: Environment, now: datetime
) -> Iterator[datetime]:
    """Yield when the clock alone makes a delivery late, of sources that are delivered whole."""
    for one in _promised(products):
        at = None if one.source.is_cut else one.came(environment.store, now)
        if at is not None:
            yield at + one.patience


def _promised(products: Iterable[Product]) -> Iterator[_Promised]:
    for product in products:
        for port in product.inputs:
            if port.source is not None and port.contract is not None:
                recency = delivery_of(port.contract, port.name, is_cut=port.source.is_cut)
                if recency is not None:
                    yield _Promised(product, port, port.source, recency, port.contract.where)


def _whole(one: _Promised, store: Store, now: datetime) -> str:
    at = one.came(store, now)
    if at is None:
        return f'nothing is delivered for the source "{one.port.name}"'
    if now - at <= one.patience:
        return ""
    return f'the last delivery of the source "{one.port.name}" is {span(now - at)} old'


def _parts(one: _Promised, store: Store, release: Release, now: datetime) -> str:
    partitioning = one.product.partitioning
    if partitioning is None:
        return ""
    entry = release.ports.get(one.product.outputs[0].address)
    done = {part.key for part in entry.parts} if entry else set()
    waiting = [
        piece.key
        for piece in partitions_until(partitioning, now)
        if piece.ends is not None
        and piece.ends + one.patience < now
        and piece.key not in done
        and one.came(store, now, piece.key) is None
    ]
    if not waiting:
        return ""
    named = ", ".join(waiting[:_SHOWN])
    more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
    return f'nothing is delivered for the source "{one.port.name}" of {named}{more}'
