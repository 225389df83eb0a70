"""Erasing: withdrawn first, then deleted for good, once nobody uses it any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from dataops_mesh.errors import UnknownNameError
from dataops_mesh.ledger.traces import attempts_of, begun_before
from dataops_mesh.run.account import record_operation
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_record, record_run
from dataops_mesh.run.word.hold import ask
from dataops_mesh.run.word.withdraw import Taking
from dataops_mesh.store.hold import PORT, PRODUCT
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.known import living
from dataops_mesh.store.line.opening import NOBODY
from dataops_mesh.store.line.refresh import withdraw_erased
from dataops_mesh.store.release import Release
from dataops_mesh.store.removing.erase import (
    delete,
    delete_leftovers,
    require_deletable,
    taken,
    unfinished,
    users,
)
from dataops_mesh.store.removing.removal import Removal, is_done, mark_done, note_removals, removals
from dataops_mesh.store.removing.withdrawal import withdraw
from dataops_mesh.store.store import Store

ERASE = "erase"
_LOOK_SECONDS = 0.2
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Traces:
    """What others than the store may keep of what was removed.

    Args:
        candidates: all that it takes, also those that retention had deleted before.
        runs: that built, or tried to build, what was removed.
    """

    product: str
    candidates: frozenset[str]
    runs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Forgot:
    """What others said when they were told of a removal.

    Args:
        notes: what is left to be done, one sentence each.
        again: they could not do it all now: the next collection tells them once more.
    """

    notes: tuple[str, ...] = ()
    again: bool = False


Forget = Callable[[Traces], Forgot]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    Args:
        candidates: those of which something was deleted now.
        cut_off: the processes that used it and were not waited for.
        notes: what is left to be done elsewhere, one sentence each.
    """

    release: Release
    candidates: tuple[str, ...]
    cut_off: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def erase(  # noqa: PLR0913 - each a fact of the record
    what: Taking,
    environment: Environment,
    reason: str,
    partition: str = "",
    *,
    whole: bool,
    wait: bool,
    forget: Forget,
    tell: Tell,
) -> Erased:
    """Withdraw it and delete all that it ever had in this store.

    Args:
        what: of `erasing`.
        environment: the store and the settings.
        reason: why, for the record.
        partition: only what was built as this partition.
        whole: everything of the product, not of these ports alone.
        wait: for whoever uses it now; else they are cut off, and named.
        forget: is told before anything is deleted, so that others delete what they keep.
        tell: told who is waited for.

    Raises:
        OwnershipError: the domain belongs to another repository.
        StoreError: clear values are kept of it, and the setting `restricted` does not say where.
    """
    store = environment.store
    require_deletable(store, what.product)
    asked = ask(environment, ERASE, what.product, what.addresses, reason, partition)
    how = PRODUCT if whole else PORT
    release = withdraw(store, what.product, what.addresses, asked, partition, how)
    note_removals(store)
    _take_from_sandboxes(store, asked)
    mine = next(one for one in removals(store, release.number - 1) if one.number == release.number)
    record_run(environment)
    cut_off = _wait(environment, mine, tell) if wait else _users(environment, mine)
    gone, notes = _remove(environment, mine, forget)
    record_run(environment)
    return Erased(release, gone, cut_off, notes)


def finish_removals(environment: Environment, forget: Forget) -> tuple[str, ...]:
    """Delete what removals left: a crash, a slow build, or a backup that was restored.

    Returns:
        What was done, or why not, one sentence each.
    """
    store = environment.store
    note_removals(store)
    _take_from_sandboxes(store, Asked("", "it was erased from production", NOBODY))
    said: list[str] = []
    for removal in removals(store):
        if is_done(store, removal) and not taken(store, removal):
            continue
        if used := _users(environment, removal):
            said.append(f"{removal}, and is not deleted yet: {', '.join(used)} uses it")
            continue
        if back := taken(store, removal):
            record_operation(environment, "collect", back, erased=removal.number)
        gone, notes = _remove(environment, removal, forget)
        said.append(f"{removal}: {len(gone)} candidates were deleted")
        said += notes
    return tuple(said)


def _take_from_sandboxes(store: Store, asked: Asked) -> None:
    """Withdraw what was erased from every other line too; what was built there since stays."""
    for line, _ in living(store):
        with suppress(UnknownNameError):  # it was taken down meanwhile
            withdraw_erased(line, asked)


def _remove(
    environment: Environment, removal: Removal, forget: Forget
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    store = environment.store
    refs = taken(store, removal)
    forgot = forget(_traces(environment, removal))
    notes = list(forgot.notes)
    delete(store, removal, refs)
    if not is_done(store, removal):
        delete_leftovers(store, removal)
        if builds := users(store, removal, unfinished(store, removal)):
            later = "what it leaves goes with the next `mesh store gc --yes`"
            notes.append(f"{', '.join(builds)} still builds {removal.product}; {later}")
        elif not forgot.again:
            mark_done(store, removal)
    return refs, tuple(notes)


def _wait(environment: Environment, removal: Removal, tell: Tell) -> tuple[str, ...]:
    said: tuple[str, ...] = ()
    builds = unfinished(environment.store, removal)
    while using := _users(environment, removal, builds):
        if using != said:
            tell(f"waiting for {', '.join(using)}; --now does not wait")
            said = using
        time.sleep(_LOOK_SECONDS)
    return ()


def _users(
    environment: Environment, removal: Removal, builds: tuple[str, ...] | None = None
) -> tuple[str, ...]:
    """Return who uses what is removed, builds of the product that had begun included."""
    store = environment.store
    open_ = unfinished(store, removal)
    waited = open_ if builds is None else tuple(ref for ref in builds if ref in open_)
    return users(store, removal, (*taken(store, removal), *waited))


def _traces(environment: Environment, removal: Removal) -> Traces:
    with open_record(environment) as ledger:
        known = begun_before(ledger, removal.product, removal.number, removal.partition)
        failed = attempts_of(ledger, removal.product, removal.partition)
    return Traces(removal.product, frozenset(known), failed.union(known.values()))
