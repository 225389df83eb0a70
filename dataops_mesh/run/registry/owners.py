"""Owners of domains: who we are, and making somebody the owner."""

from __future__ import annotations

import os
from pathlib import Path

from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import git_remote, git_top, person_or_user
from dataops_mesh.run.record import record_run
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.store.owners import (
    Owner,
    Publisher,
    assign,
    is_relative,
    repository_name,
    require_owner,
)
from dataops_mesh.store.place import PLACE, is_within

HERE = "."


def named_repository(settings: Settings, folder: Path) -> str:
    """Return the name of the repository around a folder; nothing for a folder outside git."""
    named = settings.repository or git_remote(folder)
    if not settings.repository and is_relative(named):  # as git reads it: from the checkout
        named = str((Path(git_top(folder) or folder) / named).resolve())
    return repository_name(named) if named else ""


def publisher_of(environment: Environment, folder: Path | None = None) -> Publisher:
    """Return who publishes from a workspace, or from this one: its repository, else its folder."""
    settings = environment.settings
    root, store = folder or settings.root, environment.store.root
    claims = settings.ownership == "open"
    name, path = named_repository(settings, root), repository_name(str(root))
    if not is_within(root, store):
        return Publisher(name, (path,), claims)
    home = root.resolve()
    inside = os.path.relpath(home, store.resolve())
    return Publisher(name, (path, inside), claims, home / PLACE)


def require_ours(product: Product, environment: Environment) -> None:
    """Make sure, before anything is built, that this repository may publish the product.

    Raises:
        OwnershipError: its domain belongs to another one; the commit would say so too.
    """
    require_owner(environment.store, (product.domain,), publisher_of(environment))


def require_may_publish(product: Product, environment: Environment) -> None:
    """Make sure of it on production; in a sandbox whoever likes tries, and promotion asks.

    Raises:
        OwnershipError: its domain belongs to another repository.
    """
    if not environment.store.sandbox:
        require_ours(product, environment)


def assign_domain(environment: Environment, domain: str, repository: str) -> Owner:
    """Make a repository the owner of a domain, in the store first and then in the ledger.

    Args:
        environment: the store and the settings.
        domain: it need not have a folder yet, or not here.
        repository: its address in any spelling, a folder, or `.` for this one.
    """
    if repository == HERE:
        owner = publisher_of(environment)
    elif (name := repository_name(repository)).startswith("/"):
        owner = Publisher("", (name,))
    else:
        owner = Publisher(name)
    from dataops_mesh.run.account import record_operation

    person = person_or_user(environment.settings.person)
    to = owner.repository or ", ".join(owner.places)
    record_operation(environment, "assign", [domain], to=to)
    found = assign(environment.store, domain, owner, person)
    record_run(environment)
    return found
