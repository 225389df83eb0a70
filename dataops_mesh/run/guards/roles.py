"""Who may read what unmasked: the contract that a port's owner has published last says so.

In a sandbox the contract of production is asked too: whoever builds a product there could write
itself into the other one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dataops_mesh.engine.whole import Opened, whole_scan
from dataops_mesh.errors import MeshError, Problem, StoreError, UnknownNameError
from dataops_mesh.run.attempt import Attempt
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.visible import published_port
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address, OutputPort, Product
from dataops_mesh.spec.read.roles import UNMASKED
from dataops_mesh.spec.roles import opened_by, opened_columns, reads_unmasked, unopened
from dataops_mesh.store import files
from dataops_mesh.store.log import latest
from dataops_mesh.store.release import Release
from dataops_mesh.store.restricted import prepare, remove
from dataops_mesh.store.store import Store


def opened_to(product: Product, store: Store, release: Release) -> Opened:
    """Return the masked columns that a product reads as they are, by port.

    Args:
        product: who reads; `role_reasons` has nothing against it.
        store: the store.
        release: what is published.
    """
    found: dict[Address, tuple[str, ...]] = {}
    for wanted in product.inputs:
        if wanted.role and wanted.address is not None:
            found[wanted.address] = _columns(store, release, wanted.address, wanted.role)
    return found


def role_reasons(product: Product, environment: Environment, release: Release) -> tuple[str, ...]:
    """Return why the product may not read by the roles that it names, one sentence each."""
    store, found = environment.store, []
    for wanted in product.inputs:
        address = wanted.address
        if not wanted.role or address is None or address not in release.ports:
            continue
        try:
            _require(store, release, address, wanted.role, product.qualified_name)
            opened = opened_to(product, store, release)[address]
            whole_scan(store, address, release.ports[address], opened)
        except MeshError as error:
            found += [f"{one.what} ({wanted.where}); {one.next}" for one in error.problems]
    return tuple(dict.fromkeys(found))


def restricted_problems(product: Product, settings: Settings) -> tuple[Problem, ...]:
    """Return the roles that read unmasked where nothing says where clear values are kept."""
    then = "set `restricted` to a folder with rights of its own (docs/roles.md)"
    return tuple(
        Problem(
            f"a role of {port.address} reads unmasked, and clear values are kept nowhere",
            port.contract.where,
            "roles",
            next=then,
        )
        for port in product.outputs
        if opened_columns(port.contract) and settings.restricted is None
    )


def restricted_reasons(product: Product, environment: Environment) -> tuple[str, ...]:
    """Return why what the product's roles read unmasked cannot be kept here."""
    found = list(restricted_problems(product, environment.settings))
    if not found and any(opened_columns(port.contract) for port in product.outputs):
        try:
            prepare(environment.store)
        except StoreError as error:
            found += error.problems
    return tuple(f"{one.what}; {one.next}" for one in found)


def settled(attempt: Attempt, *, published: bool) -> Attempt:
    """Return the attempt as it goes on record: nobody reads clear values of what is refused.

    Others are let into a candidate again, but not into the rows of one that read unmasked in vain.
    """
    folder, store = attempt.folder, attempt.environment.store
    if attempt.clear and not published:
        remove(store, attempt.ref)
        attempt = replace(attempt, clear=())
    if reads_unmasked(attempt.product):
        for path in sorted(folder.iterdir()) if not published else ():
            if path.is_dir():
                files.shut(path)
        files.reopen(folder)
    return attempt


def opened_to_person(store: Store, release: Release, role: str, person: str) -> Opened:
    """Return the masked columns that a person reads as they are by a role, by port.

    Raises:
        UnknownNameError: no published port has such a role.
        StoreError: the person is a member of it nowhere.
    """
    problems, found = list[Problem](), dict[Address, tuple[str, ...]]()
    for address in release.ports:
        try:
            port = published_port(store, release, address, UNMASKED)
        except StoreError as error:  # nobody can tell who is a member there
            problems += error.problems
            continue
        if port is None or role not in {one.role for one in port.contract.roles if one.unmasked}:
            continue
        try:
            _require(store, release, address, role, person)
        except StoreError as error:
            problems += error.problems
        else:
            found[address] = _columns(store, release, address, role)
    if found:
        return found
    if problems:
        raise StoreError(problems)
    what = f'no published port has a role "{role}" that reads unmasked'
    raise UnknownNameError(Problem(what, next="read without a role: columns are masked then"))


def _require(store: Store, release: Release, address: Address, role: str, who: str) -> None:
    """Make sure that who asks has the role, here and in production.

    Raises:
        StoreError: that is not so.
    """
    problems = [
        problem
        for port in _published(store, release, address)
        for problem in ([_none(address, role)] if port is None else unopened(port, role, who))
    ]
    if problems:
        raise StoreError(dict.fromkeys(problems))


def _columns(store: Store, release: Release, address: Address, role: str) -> tuple[str, ...]:
    """Return the columns that a role opens, here and in production."""
    first, *others = [
        opened_by(port.contract, role) if port else ()
        for port in _published(store, release, address)
    ]
    return tuple(name for name in first if all(name in other for other in others))


def _published(store: Store, release: Release, address: Address) -> Iterator[OutputPort | None]:
    yield published_port(store, release, address, UNMASKED)
    if store.sandbox:
        there = latest(store.production)
        if address in there.ports:
            yield published_port(store.production, there, address, UNMASKED)


def _none(address: Address, role: str) -> Problem:
    what = f'{address} was published without a role "{role}" that reads unmasked'
    return Problem(what, next=f"read it masked, or ask {address.domain} for such a role")
