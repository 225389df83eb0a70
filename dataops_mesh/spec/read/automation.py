"""What wakes a product: a new publication of what it reads, its cron, or only a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Product, Sla
from dataops_mesh.spec.read.node import Node


class Wake(StrEnum):
    """The values of the product's setting `automation`."""

    ON_UPSTREAM = "onUpstream"
    ON_SCHEDULE = "onSchedule"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Automation:
    """What wakes one product.

    Args:
        upstream: new content at an address that it reads.
        crons: five fields each, in UTC.
    """

    upstream: bool
    crons: tuple[str, ...]


def automation_of(product: Product) -> Automation:
    """Return what wakes a product: what its setting says, else what its inputs ask for.

    Without the setting, published inputs wake it when their content changes, and the cron of
    its `frequency` wakes it where it reads a source, because nobody announces a delivery.
    """
    reads_ports = any(port.address is not None for port in product.inputs)
    reads_sources = any(port.source is not None for port in product.inputs)
    match product.automation:
        case Wake.ON_UPSTREAM:
            return Automation(upstream=True, crons=())
        case Wake.ON_SCHEDULE:
            return Automation(upstream=False, crons=crons(product))
        case Wake.MANUAL:
            return Automation(upstream=False, crons=())
    return Automation(upstream=reads_ports, crons=crons(product) if reads_sources else ())


def crons(product: Product) -> tuple[str, ...]:
    """Return the cron lines of the product's `frequency` service levels, each once."""
    found = [sla.schedule for sla in frequencies(product) if sla.schedule]
    return tuple(dict.fromkeys(found))


def frequencies(product: Product) -> tuple[Sla, ...]:
    """Return the `frequency` service levels of all ports."""
    slas = (sla for port in product.outputs for sla in port.contract.slas)
    return tuple(sla for sla in slas if sla.property == "frequency")


def automation_problems(product: Product, setting: Node | None) -> list[Problem]:
    """Return what is wrong with the setting, given what the product reads and promises."""
    if setting is None:
        return []
    if setting.value == Wake.ON_SCHEDULE and not crons(product):
        then = "add `schedule` to the `frequency` of a contract's slaProperties"
        return [setting.problem("onSchedule needs a cron, and no contract has one", then=then)]
    if setting.value == Wake.ON_UPSTREAM and not any(port.address for port in product.inputs):
        return [setting.problem("onUpstream needs an input port that is published in the mesh")]
    return []
