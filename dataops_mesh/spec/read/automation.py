"""What wakes a product: a new publication of what it reads, its cron, or only a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import InputPort, Product
from dataops_mesh.spec.read.node import Node


class Wake(StrEnum):
    """The values of the product's setting `automation`."""

    ON_UPSTREAM = "onUpstream"
    ON_SCHEDULE = "onSchedule"
    MANUAL = "manual"


class Cron(NamedTuple):
    """When something is done: five fields of cron, and the time zone in which they are told."""

    line: str
    zone: str = "UTC"

    def __str__(self) -> str:
        """Return what people read."""
        return f"{self.line} {self.zone}"


@dataclass(frozen=True, slots=True)
class Automation:
    """What wakes one product.

    Args:
        upstream: new content at an address that it reads.
        crons: each with its time zone.
        assets: a materialization of the Dagster asset that writes a source.
    """

    upstream: bool
    crons: tuple[Cron, ...]
    assets: bool = False


def automation_of(product: Product) -> Automation:
    """Return what wakes a product: what its setting says, else what its inputs ask for.

    Without the setting, published inputs and sources that are fetched wake it when their content
    changes, a Dagster asset that
    writes a source of it when it is materialized, and the cron of
    its `frequency` wakes it where it reads a source, because nobody announces a delivery.
    """
    reads_ports = any(map(_announces, product.inputs))
    reads_sources = any(port.source is not None for port in product.inputs)
    written = any(port.source is not None and port.source.asset for port in product.inputs)
    match product.automation:
        case Wake.ON_UPSTREAM:
            return Automation(upstream=True, crons=(), assets=written)
        case Wake.ON_SCHEDULE:
            return Automation(upstream=False, crons=crons(product))
        case Wake.MANUAL:
            return Automation(upstream=False, crons=())
    ticks = crons(product) if reads_sources else ()
    return Automation(upstream=reads_ports, crons=ticks, assets=written)


def _announces(port: InputPort) -> bool:
    """Tell whether somebody can say that there is something new: of a file here nobody does."""
    return port.address is not None or port.remote is not None


def crons(product: Product) -> tuple[Cron, ...]:
    """Return the crons of the product's `frequency` service levels, each once."""
    found = [
        Cron(sla.schedule, port.contract.timezone)
        for port in product.outputs
        for sla in port.contract.slas
        if sla.property == "frequency" and sla.schedule
    ]
    return tuple(dict.fromkeys(found))


def automation_problems(product: Product, setting: Node | None) -> list[Problem]:
    """Return what is wrong with the setting, given what the product reads and promises."""
    if setting is None:
        return []
    if setting.value == Wake.ON_SCHEDULE and not crons(product):
        then = "add `schedule` to the `frequency` of a contract's slaProperties"
        return [setting.problem("onSchedule needs a cron, and no contract has one", then=then)]
    if setting.value == Wake.ON_UPSTREAM and not any(map(_announces, product.inputs)):
        what = "onUpstream needs an input port that is published in the mesh, or is fetched"
        return [setting.problem(what)]
    return []
