"""What publishing the declarations as they are would change, for whom, and what may not be."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.plan.plan import ProductPlan
from dataops_mesh.web.view import View

_PRODUCTS, _LINES = 40, 20


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One difference.

    Args:
        compatibility: what it means for consumers.
        one_way: why it cannot be taken back; empty if it can.
    """

    what: str
    compatibility: str
    one_way: str
    place: str


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A product that would change."""

    product: str
    state: str
    changes: tuple[ChangeLine, ...]
    changes_in_all: int
    readers: tuple[str, ...]
    refusals: tuple[str, ...]
    instead: tuple[str, ...]
    approval: str


@dataclass(frozen=True, slots=True)
class PlanPage:
    """What would change against what is published; what would be refused first."""

    digest: str
    products: tuple[PlannedLine, ...]
    products_in_all: int
    refused: int
    rebuild: tuple[str, ...]
    rebuild_in_all: int
    warnings: tuple[str, ...]


def plan_page(view: View) -> PlanPage:
    """Return the plan of all that can be read."""
    plan = view.plan()
    every = sorted(plan.products, key=lambda one: not one.refusals)
    return PlanPage(
        plan.digest,
        tuple(_line(one) for one in every[:_PRODUCTS]),
        len(every),
        sum(bool(one.refusals) for one in every),
        plan.rebuild[:_PRODUCTS],
        len(plan.rebuild),
        plan.warnings[:_PRODUCTS],
    )


def _line(one: ProductPlan) -> PlannedLine:
    changes = tuple(
        ChangeLine(
            f"{c.port}: {c.what}" if c.port and str(c.port) not in c.what else c.what,
            c.compatibility.value, c.one_way, c.place,
        )
        for c in one.changes[:_LINES]
    )  # fmt: skip
    readers = tuple(dict.fromkeys(reader.reader for reader in one.consumers))
    return PlannedLine(
        one.product, one.state, changes, len(one.changes), readers[:_PRODUCTS],
        one.refusals[:_LINES], one.rewrites[:_LINES], one.approval,
    )  # fmt: skip
