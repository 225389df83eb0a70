"""Write damaged parts of the log again: from what was before, the ledger, and the evidence.

Nothing is believed that does not fit: a candidate that the gate did not pass, or whose content is
not what the ledger says was switched, repairs nothing; nor does a blob whose digest is not the one
that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dataops_mesh.errors import CorruptError, MeshError, Problem
from dataops_mesh.ledger import Ledger, pieces_of, standing_of, switches_of
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.record import open_ledger_of
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files
from dataops_mesh.store.hold import (
    CLOSED,
    OPENED,
    REFRESHED,
    RENEWED,
    ROLLBACK,
    WITHDRAWAL,
    Holds,
)
from dataops_mesh.store.log import (
    Entry,
    Release,
    all_numbers,
    as_it_was,
    encoded,
    entries_of,
    grown,
    is_open,
    joined,
    latest_number,
    path_of,
    ports_of,
)
from dataops_mesh.store.manifest import PUBLISH, read_manifest
from dataops_mesh.store.record import build
from dataops_mesh.store.removing.withdrawal import has
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree import blobs
from dataops_mesh.store.tree.growth import Grown, published, withdrawn
from dataops_mesh.store.tree.ports import Ports
from dataops_mesh.watch.health import RELEASE, TREE, Damage

Rows = tuple[Mapping[str, Any], ...]
_OF_SANDBOXES = frozenset({OPENED, RENEWED, REFRESHED, CLOSED})
_BACKUP = "restore it from a backup of the store"


def repair(environment: Environment, damage: tuple[Damage, ...]) -> tuple[str, ...]:
    """Repair the log among what is damaged; return what was done, one sentence each."""
    store = environment.store
    with open_ledger_of(environment) as ledger:
        broken = sorted({int(item.name) for item in damage if item.kind == RELEASE})
        done = [_repair(store, ledger, number) for number in broken]
        lost = [item for item in damage if item.kind == TREE]
        return (*done, *(_repair_blob(store, ledger, item) for item in lost))


def _repair(store: Store, ledger: Ledger, number: int) -> str:
    newest = number >= latest_number(store)
    try:
        release = _again(store, ledger, number)
        if release is None and newest:
            unknown = "nobody recorded it"
            return _without(store, number, unknown) if store.sandbox else _void(store, number)
        if release is None:
            raise CorruptError(Problem("the ledger does not have it", next=_BACKUP))
    except MeshError as error:
        why = error.problems[0].what
        if store.sandbox:
            return _without(store, number, why) if newest else _left(store, number, why)
        return f"release {number} cannot be written again ({why}); {_BACKUP}"
    _set_aside(store, number)
    blobs.write(store, ports_of(release).pending)
    files.create(path_of(store, number), encoded(release))
    return f"release {number} was written again from the ledger and the evidence"


def _repair_blob(store: Store, ledger: Ledger, damage: Damage) -> str:
    domain, _, digest = damage.name.partition("/")
    try:
        release = _again(store, ledger, damage.release)
        pending = ports_of(release).pending if release else {}
        data = pending.get((domain, digest))
        if data is None:
            raise CorruptError(Problem("the ledger says something else", next=_BACKUP))
    except MeshError as error:
        return f"{damage.name} cannot be written again ({error.problems[0].what}); {_BACKUP}"
    blobs.write(store, {(domain, digest): data})
    return f"{damage.name} was written again from release {damage.release}"


def _without(store: Store, number: int, why: str) -> str:
    """Let a sandbox show what it showed before its newest release; without any, it is gone."""
    if number > min(all_numbers(store)):
        return f"{_void(store, number)} ({why})"
    folder = store.root / "damaged"
    files.make_folder(folder)
    files.move(store.releases, folder / f"{store.releases.name}.{files.unique_name()}")
    return f"the sandbox {store.sandbox} is gone: of its only release nothing can be read"


def _left(store: Store, number: int, why: str) -> str:
    then = f"what {store.sandbox} shows is whole; mesh sandbox down {store.sandbox} ends it"
    return f"release {number} cannot be written again ({why}); {then}"


def _void(store: Store, number: int) -> str:
    """Let the newest release, which nobody recorded, change nothing; its number is used up."""
    try:
        before = as_it_was(store, number - 1)
    except MeshError as error:
        return f"release {number} cannot be set aside ({error.problems[0].what}); {_BACKUP}"
    _set_aside(store, number)
    why = f"release {number} was damaged before it was on record"
    void = replace(before, number=number, kind=ROLLBACK, changed=(), switches=(), reason=why)
    files.create(path_of(store, number), encoded(replace(void, at=datetime.now(UTC))))
    return f"release {number} was set aside: consumers read release {number - 1} again"


def _again(store: Store, ledger: Ledger, number: int) -> Release | None:
    """Return a release as it was, with everything that was held in it; None if it is unknown."""
    rows, said = switches_of(ledger, number), standing_of(ledger, number)
    if not rows and not said:
        return None
    # Of a closed one nothing is shown any more: what it did is all that is left of it.
    before = as_it_was(store, number - 1) if is_open(store, number) else as_it_was(store, 0)
    standing = said["standing"] if said else {}
    decided = bool(said and said["addresses"])
    first = said if decided else rows[0]
    if first["kind"] in _OF_SANDBOXES:
        raise CorruptError(Problem("what it was opened from is on no record"))
    release = replace(
        before,
        number=number,
        kind=first["kind"],
        at=datetime.fromisoformat(first["at" if decided else "published"]),
        changed=(),
        switches=(),
        promoted="",
        run_id=first["run_id"],
        person=first["person"],
        reason=first["reason"],
        holds=build(Holds, standing.get("holds", {})),
        withdrawn=build(Holds, standing.get("withdrawn", {})),
        decided=tuple(map(Address.parse, said["addresses"])) if decided else (),
        about=said["product"] if decided else "",
        partition=said["partition"] if decided else "",
    )
    if not rows:
        return release
    after = _after(store, ledger, release, before, rows)
    if not is_open(store, number):
        after = replace(after, ports=Ports(store.root))
    return grown(release, after)


def _after(store: Store, ledger: Ledger, release: Release, before: Release, rows: Rows) -> Grown:
    ports, number = ports_of(before), release.number
    if release.kind == WITHDRAWAL:
        taken = [a for a in release.decided if has(before, a, release.partition)]
        return withdrawn(ports, taken, release.partition, number)
    pieces = pieces_of(ledger, number)
    changes = {}
    for row in rows:
        address = Address.parse(row["address"])
        entry = _entry(store, address, [p for p in pieces if p["address"] == row["address"]])
        changes[address] = replace(entry, candidate=row["candidate"])
    # The ledger does not say whether partitions took the place of all that were published.
    both = [published(ports, changes, number, release.kind, whole=whole) for whole in (False, True)]
    fits = [after for after in both if not _wrong(after, rows)]
    if not fits:
        what = f"{_wrong(both[0], rows)} is not what the ledger says was switched"
        raise CorruptError(Problem(what, next=_BACKUP))
    return max(fits, key=lambda after: _on_disk(store, after))


def _wrong(after: Grown, rows: Rows) -> str:
    """Return the first address of which the ledger says something else, if there is one."""
    made = {str(one.address): (one.fingerprint, one.rows) for one in after.switches}
    said = ((row["address"], (row["fingerprint"], row["rows"])) for row in rows)
    return next((address for address, facts in said if made[address] != facts), "")


def _on_disk(store: Store, after: Grown) -> int:
    return sum(blobs.path_of(store.root, place).is_file() for place in after.ports.pending)


def _entry(store: Store, address: Address, pieces: list[Mapping[str, Any]]) -> Entry:
    """Return what was switched of a port: of a partitioned one, all partitions together."""
    found = []
    for piece in pieces:
        manifest = read_manifest(store, piece["candidate"])
        entry = entries_of(manifest).get(address)
        if manifest.verdict != PUBLISH or entry is None:
            raise CorruptError(Problem(f"{manifest.candidate} was not passed", next=_BACKUP))
        found.append(entry)
    return joined(found)


def _set_aside(store: Store, number: int) -> None:
    """Move the damaged file away, for whoever wants to look at it."""
    folder = store.root / "damaged"
    files.make_folder(folder)
    path = path_of(store, number)
    if path.exists():
        files.move(path, folder / f"{path.name}.{files.unique_name()}")
