"""Rolling back: an earlier publication becomes the current one again, by a commit."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from dataops_mesh.run.account import record_operation
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import person_or_user
from dataops_mesh.run.record import record_run
from dataops_mesh.run.registry.owners import publisher_of, require_may_publish
from dataops_mesh.run.word.ended import ended_of
from dataops_mesh.spec.model import Product
from dataops_mesh.store.log import Release
from dataops_mesh.store.release import latest, rollback


def rollback_product(  # noqa: PLR0913, PLR0917 - each a fact of the record
    product: Product,
    environment: Environment,
    to: int | None = None,
    reason: str = "",
    partition: str | None = None,
    until: str = "",
    tell: Callable[[str], None] = lambda _: None,
) -> Release:
    """Point all ports of a product back to the candidate of an earlier publication.

    What it takes back is held from then on. Partitions that are withdrawn, or have ended, stay
    away.

    Args:
        product: whose ports.
        environment: the store and the settings.
        to: the publication; the one before the current candidate if absent.
        reason: why, for the record.
        partition: the only partition to roll back; all that there are if absent.
        until: `inputs`: the same code may publish it again from other inputs.
        tell: is told what was left out, and how that is published again.

    Raises:
        UnknownNameError: there is no such publication.
        NotPublishedError: the product was never published, or is withdrawn.
        OwnershipError: its domain belongs to another repository.
    """
    require_may_publish(product, environment)
    run_id = f"rollback-{uuid.uuid4().hex[:12]}"
    record_operation(
        environment,
        "rollback",
        [product.qualified_name],
        reason=reason,
        to=to,
        partition=partition or "",
        until=until,
        run_id=run_id,
    )
    release = rollback(
        environment.store,
        [port.address for port in product.outputs],
        to,
        run_id=run_id,
        person=person_or_user(environment.settings.person),
        publisher=publisher_of(environment),
        reason=reason,
        partition=partition or "",
        until=until,
        ended=ended_of(product, environment, latest(environment.store)),
        tell=tell,
    )
    record_run(environment)
    return release
