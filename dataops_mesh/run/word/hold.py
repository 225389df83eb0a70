"""Holding and lifting: a person's word about what is published, on record before it counts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from dataops_mesh.errors import Problem, UnknownNameError, did_you_mean
from dataops_mesh.run.account import record_operation
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import person_or_user
from dataops_mesh.run.partition import chosen
from dataops_mesh.run.record import record_run
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.hold import HOLD, LIFT
from dataops_mesh.store.holding import Asked, hold, lift
from dataops_mesh.store.owners import require_owner
from dataops_mesh.store.release import Release, latest


def hold_product(
    product: Product, environment: Environment, reason: str, partition: str | None = None
) -> Release:
    """Let nothing of a product, or of one partition, be published until somebody lifts it.

    Raises:
        UnknownNameError: there is no such partition.
        OwnershipError: its domain belongs to another repository.
    """
    if partition is not None:
        chosen(product, partition, environment.settings.clock())
    ports = [port.address for port in product.outputs]
    name, key = product.qualified_name, partition or ""
    asked = ask(environment, HOLD, name, ports, reason, key)
    release = hold(environment.store, name, ports, asked, key)
    record_run(environment)
    return release


def lift_hold(
    name: str, environment: Environment, reason: str, partition: str | None = None
) -> Release:
    """End the holds on a product, or on one partition; it need not be declared any more.

    Raises:
        UnknownNameError: nothing of it is held.
        OwnershipError: its domain belongs to another repository.
    """
    found = latest(environment.store).holds
    ports = [address for address, holds in found.items() if any(h.product == name for h in holds)]
    if not ports:
        known = sorted({hold.product for holds in found.values() for hold in holds})
        what = f"nothing of {name} is held{did_you_mean(name, known)}"
        raise UnknownNameError(Problem(what, choices=tuple(known), next="mesh hold list"))
    asked = ask(environment, LIFT, name, ports, reason, partition or "")
    release = lift(environment.store, name, ports, asked, partition)
    record_run(environment)
    return release


def ask(  # noqa: PLR0913, PLR0917 - each a fact of the record
    environment: Environment,
    operation: str,
    product: str,
    ports: Iterable[Address],
    reason: str,
    partition: str,
    **details: str,
) -> Asked:
    """Put on record what a person is about to decide, and return who asks for it.

    Raises:
        OwnershipError: the domain belongs to another repository.
    """
    run_id = f"{operation}-{uuid.uuid4().hex[:12]}"
    publisher = publisher_of(environment)
    require_owner(environment.store, {address.domain for address in ports}, publisher)
    record_operation(
        environment,
        operation,
        [product],
        reason=reason,
        partition=partition,
        run_id=run_id,
        **details,
    )
    person = person_or_user(environment.settings.person)
    return Asked(person, reason, publisher, run_id)
