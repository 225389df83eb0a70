"""Switch what consumers read: compare-and-swap on the log, and the last line of the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from dataops_mesh.errors import ConflictError, NotPublishedError, Problem, StoreError
from dataops_mesh.gate import Refuse, decide
from dataops_mesh.spec.model import Address
from dataops_mesh.store.history import history
from dataops_mesh.store.hold import ROLLBACK, Hold
from dataops_mesh.store.holding import (
    after_publication,
    after_rollback,
    facts_of,
    follow,
    require_not_held,
)
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
from dataops_mesh.store.manifest import PUBLISH, Manifest, folder, read_manifest
from dataops_mesh.store.owners import Publisher, claim, require_owner
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.removal import require_not_removed
from dataops_mesh.store.store import PRODUCTION, Store
from dataops_mesh.store.switch import claims_truly, conflict, cut_otherwise, holds
from dataops_mesh.store.target import choices, previous, require_there, wanted
from dataops_mesh.store.tree.growth import published
from dataops_mesh.store.withdrawal import require_not_withdrawn, unpublished_problem

__all__ = [
    "EMPTY",
    "PUBLICATION",
    "ROLLBACK",
    "Entry",
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

    Raises:
        HeldError: somebody decided that it is not published.
        ConflictError: somebody published first and this may not follow.
    """
    # In a sandbox whoever likes tries; whose the domain is, is asked when it is promoted.
    domains = [address.domain for address in changes] if store.line == PRODUCTION else []
    free = require_owner(store, domains, publisher)
    manifests = _require_evidence(store, changes, kind)
    since = min([base.number, *(manifest.base for manifest in manifests)])

    def published_now(current: Release) -> Release:
        # A retry of a commit whose answer was lost.
        if _reads_all(current, changes, whole=whole and kind == ROLLBACK):
            return current
        if not whole:
            _require_same_cut(current, changes)
        if kind == PUBLICATION:
            facts = tuple(map(facts_of, manifests))
            require_not_held(current, changes, facts, whole=whole)
            _require_may_follow(current, changes, since, serial=serial or whole)
        require_not_removed(store, current, manifests)
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
            withdrawn=after_publication(current.withdrawn, changes, whole=whole),
            line=current.line,
            base=current.base,
            lease=current.lease,
        )
        after = published(ports_of(current), changes, number, kind, whole=whole)
        return grown(release, after)

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
) -> Release:
    """Point all ports of a product back to an earlier candidate: a new release, no rebuild.

    What it takes back is held from then on: not published again by the same code.

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
    """
    ports = tuple(addresses)
    current = latest(store)
    missing = [address for address in ports if address not in current.ports]
    if missing:
        raise NotPublishedError(unpublished_problem(current, missing[0]))
    number = previous(store, ports[0], partition) if to is None else to
    require_there(store, number, ports[0])
    with pinned(store, number) as target:
        changes = {address: wanted(store, target, address, partition) for address in ports}
        if _reads_all(current, changes, whole=not partition):
            raise StoreError(
                Problem(
                    f"{ports[0]} reads that candidate already",
                    choices=choices(store, ports[0]),
                    next="choose an earlier publication",
                )
            )
        return commit(
            store,
            current,
            changes,
            kind=ROLLBACK,
            run_id=run_id,
            person=person,
            publisher=publisher,
            reason=reason,
            at=at,
            whole=not partition,
            until=until,
        )


def _require_evidence(
    store: Store, changes: Mapping[Address, Entry], kind: str
) -> tuple[Manifest, ...]:
    """Trust nothing but the manifests on the disk: whatever the caller says, no gate is passed."""
    refs = sorted({ref for entry in changes.values() for ref in entry.refs})
    manifests = tuple(read_manifest(store, ref) for ref in refs)
    if kind == ROLLBACK:  # a run that comes too late is told below, as of any other withdrawal
        require_not_removed(store, EMPTY, manifests)
    problems = [doubt for one in manifests for doubt in _doubts(store, one, changes, kind)]
    if problems or not changes:
        raise StoreError(problems or Problem("nothing to publish", next="name a candidate"))
    return manifests


def _doubts(
    store: Store, manifest: Manifest, changes: Mapping[Address, Entry], kind: str
) -> Iterable[Problem]:
    again = "run the product again"
    ref = manifest.candidate
    why = _judged_again(manifest)
    # What consumers have read before was passed by the rules of its time.
    if why and not (kind == ROLLBACK and _was_published(store, manifest)):
        yield Problem(f"candidate {ref} was not passed by the gate: {why}", next=again)
    if kind == PUBLICATION and manifest.line != store.line:
        what = f"candidate {ref} was built for {manifest.line}, and this is {store.line}"
        yield Problem(what, next="mesh sandbox promote, or run the product again")
    evidence = entries_of(manifest)
    asked = {address for address, entry in changes.items() if ref in entry.refs}
    for address in sorted(asked ^ set(evidence)):
        yield Problem(f"candidate {ref} and {address} do not switch together", next=again)
    for address in sorted(asked & set(evidence)):
        if not claims_truly(changes[address], evidence[address]):
            yield Problem(f"{address} is not what the manifest of {ref} says", next=again)
    root = folder(store, ref)
    for file in manifest.files:
        path = root / file.path
        if not path.is_file() or path.stat().st_size != file.bytes:
            yield Problem(f"{path} is missing or has another size", next=again)


def _judged_again(manifest: Manifest) -> str:
    """Return why the evidence, and nothing else, refuses the candidate; or nothing."""
    if manifest.verdict != PUBLISH or manifest.reasons:
        return next(iter(manifest.reasons), f'its verdict is "{manifest.verdict}"')
    if manifest.checks_declared != len(manifest.checks):
        return "not all checks that it was judged by are on record"
    ports = [port.address for port in manifest.ports]
    decision = decide(manifest.candidate, ports, manifest.checks, manifest.results)
    return decision.reasons[0] if isinstance(decision, Refuse) else ""


def _was_published(store: Store, manifest: Manifest) -> bool:
    """Tell whether some release that is kept switched consumers to the candidate."""
    return manifest.verdict == PUBLISH and all(
        any(
            manifest.candidate == one.candidate
            for one in history(store, port.address, manifest.partition)
        )
        for port in manifest.ports
    )


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
