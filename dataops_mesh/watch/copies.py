"""Copies of published ports that could not be brought to what the log says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from dataops_mesh.export.wanted import targets
from dataops_mesh.ledger import Ledger
from dataops_mesh.ledger.trouble.exports import FAILED, ExportRecord, last_exports
from dataops_mesh.ledger.trouble.incidents import Trouble
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.exporting import asked_targets, is_behind, known_exports
from dataops_mesh.spec.model import Product

EXPORT = "export"
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(hours=1)


def failed_exports(products: Sequence[Product], ledger: Ledger) -> Iterator[Trouble]:
    """Yield a trouble for each target of which the last try has failed."""
    names = [product.qualified_name for product in products]
    for (name, target), last in sorted(last_exports(ledger, names).items()):
        if last.outcome == FAILED:
            yield Trouble(name, EXPORT, target, last.why, publication=last.release)


def exports_due(
    products: Sequence[Product], environment: Environment, now: datetime
) -> tuple[Product, ...]:
    """Return the products of which a target is behind, and is to be tried by now."""
    known = known_exports([product.qualified_name for product in products], environment)
    return tuple(product for product in products if _is_due(product, environment, known, now))


def has_exports(products: Sequence[Product]) -> bool:
    """Tell whether a contract of the products names a target."""
    return any(targets(product) for product in products)


def retry_at(last: ExportRecord) -> datetime:
    """Return when a target is tried again: after each failure in a row, twice as late."""
    wait = _FIRST * (1 << min(last.failures - 1, 10))
    return last.at + min(wait, _LONGEST)


def _is_due(
    product: Product,
    environment: Environment,
    known: dict[tuple[str, str], ExportRecord],
    now: datetime,
) -> bool:
    own = {target: one for (name, target), one in known.items() if name == product.qualified_name}
    return any(
        is_behind(product, target, environment, last)
        and (last is None or last.outcome != FAILED or retry_at(last) <= now)
        for target in asked_targets(product, own)
        for last in (own.get(target),)
    )
