"""Holding and lifting: releases that change what may be published, and nothing that is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dataops_mesh.errors import HeldError, Problem, StoreError, UnknownNameError
from dataops_mesh.spec.model import Address
from dataops_mesh.spec.names import is_own
from dataops_mesh.store.described import InputRead, PortData
from dataops_mesh.store.hold import (
    CLOSED,
    HOLD,
    LIFT,
    UNKNOWN,
    Facts,
    Hold,
    Holds,
    held,
    held_problem,
    with_hold,
    without_holds,
)
from dataops_mesh.store.log import (
    Entry,
    GoneError,
    Release,
    append,
    gone_line,
    latest,
    latest_number,
)
from dataops_mesh.store.manifest import Manifest, read_manifest
from dataops_mesh.store.owners import Publisher, require_owner
from dataops_mesh.store.pins import committing
from dataops_mesh.store.removing.removal import note_removals
from dataops_mesh.store.store import PRODUCTION, Store
from dataops_mesh.store.switch import taken_back


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a release that switches nothing, and why.

    Args:
        publisher: the repository that asks; the domains must be its own.
        at: the replay clock; the wall clock if absent.
    """

    person: str
    reason: str
    publisher: Publisher
    run_id: str = ""
    at: datetime | None = None


def hold(
    store: Store, product: str, addresses: Iterable[Address], asked: Asked, partition: str = ""
) -> Release:
    """Let nothing be published at the addresses until somebody lifts it: a release of its own.

    Args:
        store: the store.
        product: the qualified name of the product.
        addresses: all its ports.
        asked: who and why.
        partition: the only partition that is held.
    """
    ports = tuple(sorted(addresses))
    if store.line == PRODUCTION:
        require_owner(store, (address.domain for address in ports), asked.publisher)

    def held_now(current: Release) -> Release:
        release = following(current, HOLD, asked)
        said = Hold(
            product,
            asked.person,
            asked.reason,
            release.number,
            release.at,
            partition=partition,
        )
        holds = with_hold(current.holds, ports, said)
        return replace(release, holds=holds, decided=ports, about=product, partition=partition)

    return follow(store, held_now)


def lift(
    store: Store,
    product: str,
    addresses: Iterable[Address],
    asked: Asked,
    partition: str | None = None,
) -> Release:
    """End the holds on the addresses, or that on one partition: a release of its own.

    Raises:
        UnknownNameError: nothing of it is held.
    """
    ports = tuple(sorted(addresses))
    require_owner(store, (address.domain for address in ports), asked.publisher)

    def lifted(current: Release) -> Release:
        left = without_holds(current.holds, ports, partition)
        if left == dict(current.holds):
            raise UnknownNameError(_not_held(current, product, partition, ports))
        release = following(current, LIFT, asked)
        key = partition or ""
        return replace(release, holds=left, decided=ports, about=product, partition=key)

    note_removals(store)  # the next publication takes the withdrawal's word out of the release
    return follow(store, lifted)


def follow(store: Store, made: Callable[[Release], Release]) -> Release:
    """Append the release that follows the newest, whatever that is by then.

    Args:
        store: the store.
        made: returns the next release, or the one that it got if nothing is to be done.
    """
    with committing(store):
        while True:
            current = latest(store)
            if current.kind == CLOSED:
                raise gone_line(store)
            try:
                release = made(current)
            except GoneError:  # it was closed and collected while we looked at it
                if latest_number(store) == current.number:
                    raise
                continue
            if release is current or append(store, release):
                return release


def require_not_held(
    current: Release, addresses: Iterable[Address], found: Iterable[Facts], *, whole: bool = False
) -> None:
    """Refuse to publish what is held.

    Raises:
        HeldError: it says who decided that, when, why, and how to lift it.
    """
    stopped = held(current.holds, addresses, found, whole=whole)
    if stopped is not None:
        raise HeldError(held_problem(stopped))


def after_publication(
    holds: Holds, changes: Mapping[Address, Entry], *, whole: bool
) -> Mapping[Address, tuple[Hold, ...]]:
    """Return the holds, or withdrawals, that are left once something is published."""
    for address in changes.keys() & holds.keys():
        keys = [part.key for part in changes[address].parts]
        if whole or not keys:
            holds = without_holds(holds, (address,))
        for key in ("", *keys):
            holds = without_holds(holds, (address,), key)
    return holds


def after_rollback(
    store: Store, current: Release, changes: Mapping[Address, Entry], said: Hold, *, whole: bool
) -> Mapping[Address, tuple[Hold, ...]]:
    """Return the holds once candidates are taken back: on exactly what was switched.

    Args:
        store: the store.
        current: the release before.
        changes: what is published again.
        said: who, why and until what.
        whole: the partitions given take the place of all that are published.
    """
    holds = current.holds
    for address, entry in changes.items():
        before = current.ports.get(address)
        back = taken_back(before, entry, whole=whole) if before else {}
        for key, refs in back.items():
            facts = [_facts_of(store, ref) for ref in sorted(refs)]
            mine = replace(
                said,
                product=entry.product,
                partition=key,
                code=tuple(sorted({one.code for one in facts})),
                inputs=tuple(sorted({one.inputs for one in facts})),
                rows=tuple(sorted({one.rows for one in facts} - {""})),
            )
            holds = with_hold(holds, (address,), mine)
    return holds


def facts_of(manifest: Manifest) -> Facts:
    """Return what decides whether a candidate is held."""
    read = manifest.own or inputs_digest(manifest.inputs)
    return Facts(manifest.partition, manifest.code_version, read, rows_digest(manifest.ports))


def rows_digest(ports: Iterable[PortData]) -> str:
    """Return a digest of the rows of all ports, whatever these are called; empty if none."""
    found = sorted(port.fingerprint for port in ports)
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16] if found else ""


def inputs_digest(reads: Iterable[InputRead]) -> str:
    """Return a digest of the content of everything that was read; empty if nothing was.

    What the product itself published last is no news to it.
    """
    found = sorted((read.name, read.fingerprint) for read in reads if not is_own(read.name))
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16] if found else ""


def facts_on(line: str, manifest: Manifest) -> Facts:
    """Return what decides on a line whether a candidate is held.

    Clear values have other fingerprints on each line (run/guards/forms.py). So of rows with such
    from another line nobody can say that they are not those that were taken back: no hold ends.
    """
    facts = facts_of(manifest)
    if manifest.clear and manifest.line != line:
        return replace(facts, code=UNKNOWN, inputs=UNKNOWN)
    return facts


def _facts_of(store: Store, ref: str) -> Facts:
    try:
        return facts_on(store.line, read_manifest(store, ref))
    except StoreError:  # damaged, which is why it is rolled back: then only a person lifts it
        return Facts()


def following(current: Release, kind: str, asked: Asked) -> Release:
    """Return a release after another in which consumers read the same."""
    return replace(
        current,
        number=current.number + 1,
        kind=kind,
        at=asked.at or datetime.now(UTC),
        changed=(),
        switches=(),
        run_id=asked.run_id,
        person=asked.person,
        reason=asked.reason,
        decided=(),
        about="",
        partition="",
        promoted="",
    )


def _not_held(
    current: Release, product: str, partition: str | None, ports: Iterable[Address]
) -> Problem:
    keys = {one.partition for port in ports for one in current.holds.get(port, ())}
    piece = f"partition {partition} of " if partition else ""
    return Problem(
        f"{piece}{product} is not held",
        choices=tuple(sorted(key or "all of it" for key in keys)),
        next="mesh hold list",
    )
