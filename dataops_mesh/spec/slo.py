"""How late a publication may be: the part of the service levels that is about runs."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.spec.model import OutputPort, Product
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
    found = [recency for port in product.outputs for recency in _of_port(port)]
    return min(found, key=lambda recency: recency.fail) if found else None


def _of_port(port: OutputPort) -> list[Recency]:
    slas = port.contract.slas
    latency = next((hours(sla) for sla in slas if sla.property == "latency"), None)
    found = []
    for sla in slas:
        span = hours(sla)
        if span is None:
            continue
        words = f"{sla.property} {sla.value} {sla.unit} of {port.address}"
        if sla.property == "freshness" and sla.element is None:
            found.append(Recency(span, span, words))
        if sla.property == "frequency":
            grace = latency if latency is not None else span * _GRACE
            found.append(Recency(span, span + grace, words))
    return found
