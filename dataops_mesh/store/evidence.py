"""What a commit trusts: nothing but the evidence on the disk, whatever its caller says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dataops_mesh.errors import Problem, StoreError
from dataops_mesh.gate import Refuse, decide
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files
from dataops_mesh.store.history import history
from dataops_mesh.store.hold import ROLLBACK
from dataops_mesh.store.log import EMPTY, PUBLICATION, Entry, entries_of
from dataops_mesh.store.manifest import PUBLISH, Manifest, folder, read_manifest
from dataops_mesh.store.removing.removal import require_not_removed
from dataops_mesh.store.store import Store
from dataops_mesh.store.switch import claims_truly


def require_evidence(
    store: Store, changes: Mapping[Address, Entry], kind: str, *, promoted: bool = False
) -> tuple[Manifest, ...]:
    """Return the evidence of what is to be published, if it says all that the caller says.

    Args:
        store: the store, on the line that publishes.
        changes: what the caller says of the candidates.
        kind: `publication` or `rollback`.
        promoted: they were built for another line.

    Raises:
        StoreError: a candidate was not passed by the gate, or is not what the caller says.
    """
    refs = sorted({ref for entry in changes.values() for ref in entry.refs})
    manifests = tuple(read_manifest(store, ref) for ref in refs)
    if kind == ROLLBACK:  # a run that comes too late is told below, as of any other withdrawal
        require_not_removed(store, EMPTY, manifests)
    problems = [doubt for one in manifests for doubt in _doubts(store, one, changes, kind)]
    if kind == PUBLICATION and not promoted:
        problems += [_elsewhere(store, one) for one in manifests if one.line != store.line]
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
        there = files.stat(path)
        if there is None or there.bytes != file.bytes:
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


def _elsewhere(store: Store, manifest: Manifest) -> Problem:
    what = f"candidate {manifest.candidate} was built for {manifest.line}, and this is {store.line}"
    return Problem(what, next="mesh sandbox promote, or run the product again")
