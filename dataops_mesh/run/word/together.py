"""Rolling several products back to one moment: first the plan, then one release, all or none."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dataops_mesh.errors import MeshError, Problem, StoreError, UnknownNameError
from dataops_mesh.run.account import record_operation
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.identity import person_or_user
from dataops_mesh.run.record import product_history, record_run
from dataops_mesh.run.registry.owners import publisher_of, require_may_publish
from dataops_mesh.run.word.ended import ended_of
from dataops_mesh.run.word.withdraw import readers_of
from dataops_mesh.spec.model import Address, Product
from dataops_mesh.store.log import Entry, Release, all_numbers, as_it_was, latest, latest_number
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.release import ROLLBACK, commit
from dataops_mesh.store.removing.staying import without_withdrawn
from dataops_mesh.store.store import Store
from dataops_mesh.store.switch import holds
from dataops_mesh.store.target import wanted

_EVERY = 1_000_000
THE_SAME = "reads what it read then"


@dataclass(frozen=True, slots=True)
class Back:
    """What a rollback does to one port.

    Args:
        publication: what is read now, and what is read again.
        rows: the same.
        schema: what comes back of columns, and what goes.
        readers: who reads it and is not rolled back with it.
        newer: what it was built from and stays as it is now, which is something else.
    """

    address: Address
    product: str
    publication: tuple[int, int]
    rows: tuple[int, int]
    schema: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rollback to one moment switches.

    Args:
        release: whose state comes back.
        changes: what each address resolves to afterwards.
        backs: what that means, by address.
        stays: what is not switched, by product, and why.
        away: the partitions that stay away, by product, in words.
    """

    release: Release
    changes: Mapping[Address, Entry] = field(default_factory=dict)
    backs: tuple[Back, ...] = ()
    stays: Mapping[str, str] = field(default_factory=dict)
    away: Mapping[str, str] = field(default_factory=dict)


def release_at(store: Store, at: datetime) -> int:
    """Return the newest release at a moment, closed or not.

    Raises:
        UnknownNameError: there was none yet.
    """
    for number in sorted(all_numbers(store), reverse=True):
        if as_it_was(store, number).at <= at:
            return number
    what = f"nothing was published yet at {at:%Y-%m-%d %H:%M %Z}"
    raise UnknownNameError(Problem(what, next="mesh show PRODUCT --history says when it was"))


def planned(
    products: Sequence[Product],
    environment: Environment,
    number: int,
    every: Collection[Product],
) -> Plan:
    """Return what has to be switched so that products are read as in a release.

    Args:
        products: which.
        environment: the store and the settings.
        number: of the release.
        every: all that is declared here: some of it reads them.

    Raises:
        UnknownNameError: something of it is not kept any more; all of it is said.
        OwnershipError: a domain belongs to another repository.
    """
    store = environment.store
    changes: dict[Address, Entry] = {}
    stays: dict[str, str] = {}
    away: dict[str, str] = {}
    problems: list[Problem] = []
    with pinned(store, number) as target:
        current = latest(store)
        for product in products:
            if not _is_there(product, current):
                stays[product.qualified_name] = "is not published now"
                continue
            require_may_publish(product, environment)
            try:
                then = {p.address: wanted(store, target, p.address, "") for p in product.outputs}
                ended = ended_of(product, environment, current)
                back = without_withdrawn(current, then, ended)
            except StoreError as error:
                problems += error.problems
                continue
            except UnknownNameError as error:
                if _began_later(product, environment, number):
                    stays[product.qualified_name] = "was not published yet; it stays"
                else:
                    problems += error.problems
                continue
            if back.words:
                away[product.qualified_name] = back.words
            if all(a in current.ports and holds(current.ports[a], e, whole=True)
                   for a, e in back.changes.items()):  # fmt: skip
                stays[product.qualified_name] = THE_SAME
            else:
                changes |= back.changes
        if problems:
            raise UnknownNameError(problems)
        backs = tuple(_backs(changes, current, environment, every))
    return Plan(target, changes, backs, stays, away)


def roll_back_together(plan: Plan, environment: Environment, reason: str, until: str) -> Release:
    """Switch all of a plan in one release, and hold what is taken back.

    Args:
        plan: what to switch; something.
        environment: the store and the settings.
        reason: why, for the record.
        until: `inputs`: other inputs end the holds too.
    """
    run_id = f"rollback-{uuid.uuid4().hex[:12]}"
    names = sorted({entry.product for entry in plan.changes.values()})
    to = plan.release.number
    record_operation(
        environment, "rollback", names, reason=reason, to=to, until=until, run_id=run_id
    )
    release = commit(
        environment.store,
        latest(environment.store),
        plan.changes,
        kind=ROLLBACK,
        run_id=run_id,
        person=person_or_user(environment.settings.person),
        publisher=publisher_of(environment),
        reason=reason,
        whole=True,
        until=until,
    )
    record_run(environment)
    return release


def require_release(store: Store, number: int) -> None:
    """Make sure that there is a release of a number.

    Raises:
        UnknownNameError: there is none.
    """
    if not 0 < number <= latest_number(store):
        what = f"there is no release {number}"
        raise UnknownNameError(Problem(what, next=f"{latest_number(store)} is the newest"))


def _is_there(product: Product, current: Release) -> bool:
    return all(port.address in current.ports for port in product.outputs)


def _began_later(product: Product, environment: Environment, number: int) -> bool:
    events = product_history(environment, product.qualified_name, _EVERY)
    numbers = [event.publication for event in events if event.publication]
    return bool(numbers) and min(numbers) > number


def _backs(
    changes: Mapping[Address, Entry],
    current: Release,
    environment: Environment,
    every: Collection[Product],
) -> Iterator[Back]:
    mine = {entry.product for entry in changes.values()}
    for address, then in sorted(changes.items()):
        now = current.ports[address]
        readers = readers_of((address,), then.product, environment, every, current)
        yield Back(
            address,
            then.product,
            (now.publication, then.publication),
            (now.rows, then.rows),
            _schema(environment.store, address, now, then),
            tuple(name for name in readers if name not in mine),
            tuple(_newer(then, changes, current)),
        )


def _newer(then: Entry, changes: Mapping[Address, Entry], current: Release) -> Iterator[str]:
    read = dict(then.inputs) | {n: k for part in then.parts for n, k in part.inputs}
    for name, number in sorted(read.items()):
        address = Address.parse(name)
        now = current.ports.get(address)
        if address not in changes and now is not None and now.publication > number:
            yield f"{name} {number}, and {now.publication} is read now"


def _schema(store: Store, address: Address, now: Entry, then: Entry) -> tuple[str, ...]:
    try:
        before, after = (_columns(store, address, one) for one in (now, then))
    except MeshError:
        return ()
    back = [f"{name} {kind} comes back" for name, kind in after.items() if name not in before]
    gone = [f"{name} {kind} goes" for name, kind in before.items() if name not in after]
    both = [name for name in after if name in before and before[name] != after[name]]
    return (*back, *gone, *(f"{n} was {before[n]} and is {after[n]} again" for n in both))


def _columns(store: Store, address: Address, entry: Entry) -> dict[str, str]:
    port = read_manifest(store, entry.candidate).port(address)
    return dict(port.columns) if port else {}
