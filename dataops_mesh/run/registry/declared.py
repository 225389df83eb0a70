"""Questions to the declaration registry: what other repositories own and read."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from dataops_mesh.ledger import Registration, open_ledger, registrations
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.registry.owners import named_repository
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.owners import repository_name

ACTIVE = frozenset({"active", "deprecated"})


def repository_of(settings: Settings, root: Path | None = None) -> str:
    """Return the name under which a workspace's repository is on record; never a password."""
    folder = root or settings.root
    return named_repository(settings, folder) or repository_name(str(folder))


def registered(environment: Environment, *, removed: bool = False) -> tuple[Registration, ...]:
    """Return what was said last of each product of the mesh, by name.

    Raises:
        StoreError: there is a ledger and it cannot be read.
    """
    environment = environment.production  # who reads what is no matter of a sandbox
    if not environment.settings.ledger and not environment.store.ledger_file.is_file():
        return ()  # nothing was ever registered, and looking must not write
    ledger = open_ledger(environment.ledger_url)
    try:
        return registrations(ledger, removed=removed)
    finally:
        ledger.close()


def elsewhere(environment: Environment, domains: Collection[str] = ()) -> tuple[Registration, ...]:
    """Return the products that other repositories registered.

    Args:
        environment: the store and the settings.
        domains: those of this workspace: what their folders say is newer than any record.
    """
    own = repository_of(environment.settings)
    return tuple(
        one
        for one in registered(environment)
        if one.domain not in domains and repository_name(one.repository) != own
    )


def still_read(before: Product | None, after: Product, environment: Environment) -> tuple[str, ...]:
    """Return a reason for each reader in another repository of a port that would go."""
    old = {port.address for port in before.outputs} if before else set[Address]()
    kept = {
        port.address
        for port in after.outputs
        if "retired" not in {after.status, port.contract.status}
    }
    gone = {str(address) for address in old - kept}
    if not gone:
        return ()
    return tuple(
        f"{use.address} would go, and {one.product} still reads it "
        f"(registered by {one.repository} on {one.registered:%Y-%m-%d})"
        for one in elsewhere(environment)
        if one.status in ACTIVE
        for use in one.inputs
        if use.address in gone
    )
