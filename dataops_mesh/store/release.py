"""Switch what consumers read: compare-and-swap on the log, and the last line of the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from dataops_mesh.errors import ConflictError, NotPublishedError, Problem, StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.evidence import require_evidence
from dataops_mesh.store.history import history
from dataops_mesh.store.hold import ROLLBACK, Hold
from dataops_mesh.store.holding import (
    after_publication,
    after_rollback,
    facts_on,
    follow,
    require_not_held,
)
from dataops_mesh.store.line.promote import MovedError, Promoting, numbered_for
from dataops_mesh.store.log import (
    EMPTY,
    PUBLICATION,
    Entry,
    Release,
    entries_of,
    grown,
    latest,
    latest_number,
    ports_of,
    read_release,
)
from dataops_mesh.store.manifest import read_declared
from dataops_mesh.store.own import require_own
from dataops_mesh.store.owners import Publisher, claim, require_owner
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.removing.removal import require_not_removed
from dataops_mesh.store.removing.staying import (
    Ended,
    nothing_ended,
    nothing_left,
    require_not_away,
    require_stays_away,
    without_withdrawn,
)
from dataops_mesh.store.removing.withdrawal import require_not_withdrawn, unpublished_problem
from dataops_mesh.store.store import PRODUCTION, Store
from dataops_mesh.store.switch import conflict, cut_otherwise, holds
from dataops_mesh.store.target import choices, earlier, require_there, wanted
from dataops_mesh.store.tree.growth import published

__all__ = [
    "EMPTY",
    "PUBLICATION",
    "ROLLBACK",
    "Entry",
    "MovedError",
    "Promoting",
    "Release",
    "commit",
    "entries_of",
    "history",
    "latest",
    "latest_number",
    "read_release",
    "rollback",
]


def commit(  # noqa: PLR0913 - a commit says who, why and when, by keyword
    store: Store,
    base: Release,
    changes: Mapping[Address, Entry],
    *,
    run_id: str,
    person: str,
    publisher: Publisher,
    kind: str = PUBLICATION,
    reason: str = "",
    at: datetime | None = None,
    serial: bool = False,
    whole: bool = False,
    until: str = "",
    promoting: Promoting | None = None,
) -> Release:
    """Publish candidates: one new release switches all their ports at once.

    A candidate of one partition joins the partitions that are published.

    Args:
        store: the store.
        base: the release that the run pinned before it read its inputs.
        changes: `entries_of` each candidate's manifest.
        run_id: the run that asks for it.
        person: who answers for it.
        publisher: the repository that asks; the domains must be its own.
        kind: `publication` or `rollback`.
        reason: for people.
        at: the replay clock; the wall clock if absent.
        serial: of a partitioned product, also give way to a new publication of any other
            partition: what was checked reads them all.
        whole: the partitions given take the place of all that are published.
        until: of a rollback, `inputs`: other inputs end the hold too.
        promoting: they come from another line; none of it was built for this one.

    Raises:
        MovedError: of a promotion, it was planned for an older release: plan again.
        HeldError: somebody decided that it is not published.
        ConflictError: somebody published first and this may not follow; or a rollback would bring
            back what is withdrawn.
    """
    # In a sandbox whoever likes tries; whose the domain is, is asked when it is promoted.
    domains = [address.domain for address in changes] if store.line == PRODUCTION else []
    free = require_owner(store, domains, publisher)
    manifests = require_evidence(store, changes, kind, promoted=promoting is not None)
    since = min([base.number, *(manifest.base for manifest in manifests)])

    def published_now(current: Release) -> Release:
        # A retry of a commit whose answer was lost.
        if _reads_all(current, changes, whole=whole and kind == ROLLBACK):
            return current
        if promoting is not None and promoting.seen != current.number:
            raise MovedError(Problem(f"release {current.number} came meanwhile", next="plan again"))
        if not whole:
            _require_same_cut(current, changes)
        if kind == PUBLICATION:
            facts = tuple(facts_on(store.line, one) for one in manifests)
            require_not_held(current, changes, facts, whole=whole)
            if promoting is None:  # what follows what, its plan says, of both lines
                _require_may_follow(current, changes, since, serial=serial or whole)
                _require_same_contract(store, current, changes, since)
            require_own(store, current, manifests)
        require_not_removed(store, current, manifests)
        if kind == ROLLBACK:
            require_stays_away(current, changes)
        claim(store, free, publisher, person)
        number, when = current.number + 1, at or datetime.now(UTC)
        if kind == ROLLBACK:
            said = Hold("", person, reason, number, when, ROLLBACK, until=until)
            holds = after_rollback(store, current, changes, said, whole=whole)
        else:
            holds = after_publication(current.holds, changes, whole=whole)
        release = Release(
            number,
            kind,
            when,
            run_id=run_id,
            person=person,
            reason=reason,
            holds=holds,
            # What a rollback leaves out of a whole stays withdrawn.
            withdrawn=after_publication(
                current.withdrawn, changes, whole=whole and kind != ROLLBACK
            ),
            line=current.line,
            base=current.base,
            lease=current.lease,
            promoted=promoting.origin if promoting else "",
        )
        here = changes if promoting is None else numbered_for(changes, current, number)
        release = grown(release, published(ports_of(current), here, number, kind, whole=whole))
        if promoting is not None:
            promoting.guard(release)
        return release

    return follow(store, published_now)


def rollback(  # noqa: PLR0913 - keywords, each a fact of the record
    store: Store,
    addresses: Iterable[Address],
    to: int | None = None,
    *,
    run_id: str,
    person: str,
    publisher: Publisher,
    reason: str = "",
    at: datetime | None = None,
    partition: str = "",
    until: str = "",
    ended: Ended = nothing_ended,
    tell: Callable[[str], None] = lambda _: None,
) -> Release:
    """Point all ports of a product back to an earlier candidate: a new release, no rebuild.

    What it takes back is held from then on: not published again by the same code. A partition
    that is withdrawn, or has ended, stays away.

    Args:
        store: the store.
        addresses: all ports of the product.
        to: the release whose candidate to return to; by default the candidate before the
            first publication of the current one, so that a second rollback goes further back.
        run_id: the run that asks for it.
        person: who decided it.
        publisher: the repository that asks.
        reason: for people.
        at: the replay clock; the wall clock if absent.
        partition: the only partition to roll back; the others stay as they are.
        until: `inputs`: the same code may publish it again from other inputs.
        ended: tells the partitions of a port that left the declaration.
        tell: is told what was left out, and how that is published again.

    Raises:
        NotPublishedError: nothing is published that could go back, or all of it stays away.
    """
    ports = tuple(addresses)
    current = latest(store)
    missing = [address for address in ports if address not in current.ports]
    if missing:
        raise NotPublishedError(unpublished_problem(current, missing[0]))
    require_not_away(current, ports, partition)
    numbers = earlier(store, ports[0], partition) if to is None else iter((to,))
    while True:
        number = next(numbers)  # if there is none, it says so
        require_there(store, number, ports[0])
        with pinned(store, number) as target:
            then = {address: wanted(store, target, address, partition) for address in ports}
            back = without_withdrawn(current, then, ended)
            if not back.changes:
                raise nothing_left(back)
            if _reads_all(current, back.changes, whole=not partition):
                if to is None and back.away:  # only what stays away was otherwise: go further
                    continue
                raise StoreError(
                    Problem(
                        f"{ports[0]} reads that candidate already",
                        choices=choices(store, ports[0]),
                        next="choose an earlier publication",
                    )
                )
            release = commit(
                store,
                current,
                back.changes,
                kind=ROLLBACK,
                run_id=run_id,
                person=person,
                publisher=publisher,
                reason=reason,
                at=at,
                whole=not partition,
                until=until,
            )
        if back.words:
            tell(back.words)
        return release


def _require_may_follow(
    current: Release, changes: Mapping[Address, Entry], since: int, *, serial: bool
) -> None:
    """Refuse a lost and a backward update.

    Somebody published the product after this candidate's run began. The candidate may follow
    only if it has read nothing older; a rollback is a person's decision and always stands.
    """
    for address, entry in changes.items():
        require_not_withdrawn(current, address, entry, since)
        newer = current.ports.get(address)
        if newer is None or newer.publication <= since:
            continue
        why = conflict(entry, newer, since, serial=serial)
        if why:
            raise ConflictError(
                Problem(
                    f"{address} {why} (release {newer.publication})",
                    next="run the product again, on fresh inputs",
                )
            )


def _require_same_contract(
    store: Store, current: Release, changes: Mapping[Address, Entry], since: int
) -> None:
    """Refuse a partition beside others that came meanwhile, under a contract that it knew not."""
    for address, entry in changes.items():
        newer = current.ports.get(address)
        if newer is None or newer.publication <= since or not entry.parts:
            continue
        mine = read_declared(store, entry.parts[-1].candidate).contract(address)
        for part in newer.newer_than(since):
            known = entry.part(part.key) is not None  # its place is taken
            if not known and read_declared(store, part.candidate).contract(address) != mine:
                what = f"partition {part.key} of {address} was published under another contract"
                then = "run the product again, on what is published now"
                raise ConflictError(Problem(f"{what} (release {part.publication})", next=then))


def _require_same_cut(current: Release, changes: Mapping[Address, Entry]) -> None:
    """Refuse to put one partition beside others that were cut otherwise, or in a whole's place."""
    for address, entry in changes.items():
        what = cut_otherwise(current.ports.get(address), entry.parts[0].cut if entry.parts else "")
        if entry.parts and what:
            then = f"mesh run {entry.product} --rebuild"
            raise StoreError(Problem(f"{address} {what}", next=then))


def _reads_all(release: Release, changes: Mapping[Address, Entry], *, whole: bool) -> bool:
    return all(
        address in release.ports and holds(release.ports[address], entry, whole=whole)
        for address, entry in changes.items()
    )
