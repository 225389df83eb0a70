"""How late a publication may be: the part of the service levels that is about runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dataops_mesh.spec.model import Contract, Product
from dataops_mesh.spec.read.sla import hours

_GRACE = 0.25


@dataclass(frozen=True, slots=True)
class Recency:
    """How old the last publication of a product may be, in hours of real time.

    Args:
        warn: from here on it is due.
        fail: from here on the promise is broken.
        promise: the service level in words.
    """

    warn: float
    fail: float
    promise: str


def recency_of(product: Product) -> Recency | None:
    """Return the strictest promise of a product about its runs, or None.

    `freshness` without an element is the greatest age. `frequency` is the time between two
    publications, which never take equally long: the promise is broken when its `latency` has
    passed as well, or a quarter of the interval where there is none. `freshness` with an element
    is about the data, and a check.
    """
    return _strictest(
        recency for port in product.outputs for recency in _of(port.contract, str(port.address))
    )


def delivery_of(contract: Contract, name: str) -> Recency | None:
    """Return how old the delivery of a source may be by its contract, or None.

    Args:
        contract: the source's.
        name: the input port that reads it.
    """
    return _strictest(_of(contract, name))


def _strictest(found: Iterable[Recency]) -> Recency | None:
    return min(found, key=lambda recency: recency.fail, default=None)


def _of(contract: Contract, name: str) -> list[Recency]:
    slas = contract.slas
    latency = next((hours(sla) for sla in slas if sla.property == "latency"), None)
    found = []
    for sla in slas:
        span = hours(sla)
        if span is None:
            continue
        words = f"{sla.property} {sla.value} {sla.unit} of {name}"
        if sla.property == "freshness" and sla.element is None:
            found.append(Recency(span, span, words))
        if sla.property == "frequency":
            grace = latency if latency is not None else span * _GRACE
            found.append(Recency(span, span + grace, words))
    return found
