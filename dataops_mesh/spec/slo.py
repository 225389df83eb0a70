"""How late a publication may be: the part of the service levels that is about runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dataops_mesh.spec.model import Contract, Product, Sla
from dataops_mesh.spec.read.sla import hours

_GRACE = 0.25
# How much of a promise a partition may take once it is over.
_AFTER_ITS_END = {"latency": 1.0, "freshness": 1.0, "frequency": _GRACE}


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


def delivery_of(contract: Contract, name: str, *, is_cut: bool = False) -> Recency | None:
    """Return how old the delivery of a source may be by its contract, or None.

    Args:
        contract: the source's.
        name: the input port that reads it.
        is_cut: each partition is delivered by itself: how long after its end it may come.
    """
    return _strictest(_of_partitions(contract, name) if is_cut else _of(contract, name))


def _strictest(found: Iterable[Recency]) -> Recency | None:
    return min(found, key=lambda recency: recency.fail, default=None)


def _of(contract: Contract, name: str) -> list[Recency]:
    latency = _latency(contract)
    found = []
    for sla in contract.slas:
        span = hours(sla)
        if span is None:
            continue
        words = _words(sla, name)
        if sla.property == "freshness" and sla.element is None:
            found.append(Recency(span, span, words))
        if sla.property == "frequency":
            grace = latency if latency is not None else span * _GRACE
            found.append(Recency(span, span + grace, words))
    return found


def _of_partitions(contract: Contract, name: str) -> list[Recency]:
    """Return how long after its end a partition may come: its latency, else by the others."""
    latency, found = _latency(contract), []
    for sla in contract.slas:
        span, share = hours(sla), _AFTER_ITS_END.get(sla.property)
        if span is None or share is None or (sla.property == "freshness" and sla.element):
            continue
        if latency is None or sla.property == "latency":
            found.append(Recency(span * share, span * share, _words(sla, name)))
    return found


def _latency(contract: Contract) -> float | None:
    return next((hours(sla) for sla in contract.slas if sla.property == "latency"), None)


def _words(sla: Sla, name: str) -> str:
    return f"{sla.property} {sla.value} {sla.unit} of {name}"
