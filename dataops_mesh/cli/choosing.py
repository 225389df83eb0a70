"""`mesh run --changed` and `--dry-run`: what would be built, and why."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_mesh.cli.output import Format, show
from dataops_mesh.run.changed import why_changed
from dataops_mesh.run.due import partitions_and_holds
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.word.held import hold_on_product, hold_reason
from dataops_mesh.spec.model import Product


def only_changed(products: Sequence[Product], environment: Environment) -> tuple[Product, ...]:
    """Return the products that differ from what is published, or read one that does."""
    changed = why_changed(products, environment)
    return tuple(product for product in products if product.qualified_name in changed)


def show_what_would_run(
    products: Sequence[Product], environment: Environment, output: Format
) -> int:
    """Print what a run would build, in its order, and why; build nothing."""
    changed = why_changed(products, environment)
    rows = []
    for product in products:
        due = partitions_and_holds(product, environment) if product.partitioning else {}
        hold = None if product.partitioning else hold_on_product(product, environment)
        free = [key for key, held in due.items() if held is None]
        rows.append(
            {
                "product": product.qualified_name,
                "partitions": free,
                "why": changed.get(product.qualified_name, "nothing changed: built again"),
                "held": hold_reason(hold) if hold else "",
            }
        )
    shown = [
        name
        for name in ("product", "partitions", "why", "held")
        if name in {"product", "why"} or any(row[name] for row in rows)
    ]
    show(rows, output, columns=shown, empty="nothing would be built", wrap="why")
    return 0
