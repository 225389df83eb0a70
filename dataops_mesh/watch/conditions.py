"""Which of its own conditions hold for a product: an incident each, that ends by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.measured import Measured, measured
from dataops_mesh.ledger.trouble.incidents import Trouble
from dataops_mesh.spec import cel
from dataops_mesh.spec.condition import AGE, METRICS, Condition
from dataops_mesh.spec.model import Product
from dataops_mesh.store.log import Release
from dataops_mesh.watch.built import built_of, lights_of

CONDITION = "condition"
_MINUTE = 60


def broken_conditions(
    products: Iterable[Product], ledger: Ledger, release: Release, now: datetime
) -> Iterator[Trouble]:
    """Yield a trouble for each condition that holds, or of which nobody can tell."""
    for product in products:
        shown = any(port.address in release.ports for port in product.outputs)
        if not product.conditions or not shown:
            continue
        numbers = measured(ledger, product.qualified_name)
        if numbers is not None:
            built = max(built_of(ledger, release, lights_of(product, release)).values())
            yield from _of_product(product, metrics(replace(numbers, built=built), now))


def metrics(numbers: Measured, now: datetime) -> dict[str, int]:
    """Return the metrics by the names that conditions have for them."""
    values = (
        numbers.rows,
        numbers.rows if numbers.before is None else numbers.before,
        int(numbers.seconds),
        max(int((now - numbers.built).total_seconds()) // _MINUTE, 0),
        numbers.failed,
        numbers.refusals,
    )
    return dict(zip(METRICS, values, strict=True))


def _of_product(product: Product, values: dict[str, int]) -> Iterator[Trouble]:
    for one in product.conditions:
        said = cel.answer(one.when, values)
        if said != "false":
            why = _why(one, said, values)
            yield Trouble(product.qualified_name, CONDITION, one.name, why)


def _why(condition: Condition, said: str, values: dict[str, int]) -> str:
    """Return why there is an incident: the same text as long as nothing has changed."""
    told = condition.message or f"{condition.when} holds"
    if said != "true":
        word, _, why = said.partition(" ")
        reason = {"steps": "it takes too long", "neither": "it is neither true nor false"}
        told = f"the condition cannot be evaluated: {reason.get(word, why)}"
    known = ", ".join(f"{name} {values[name]}" for name in condition.named if name != AGE)
    return f"{told}\nwhen: {condition.when}" + (f" ({known})" if known else "")
