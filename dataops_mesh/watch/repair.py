"""Write a damaged release again: from the one before it, the ledger, and the candidates' evidence.

Nothing is believed that does not fit: a candidate that the gate did not pass, or whose content is
not what the ledger says was switched, repairs nothing.
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
from dataops_mesh.store import files, record
from dataops_mesh.store.hold import ROLLBACK, WITHDRAWAL, Holds
from dataops_mesh.store.log import (
    EMPTY,
    Entry,
    Release,
    entries_of,
    numbers,
    path_of,
    read_release,
    retained_path,
)
from dataops_mesh.store.manifest import PUBLISH, read_manifest
from dataops_mesh.store.store import Store
from dataops_mesh.store.switch import switch
from dataops_mesh.store.withdrawal import has, taken_away
from dataops_mesh.watch.health import RELEASE, Damage

Rows = tuple[Mapping[str, Any], ...]
_BACKUP = "restore it from a backup of the store"


def repair(environment: Environment, damage: tuple[Damage, ...]) -> tuple[str, ...]:
    """Repair the releases among what is damaged; return what was done, one sentence each."""
    store = environment.store
    with open_ledger_of(environment) as ledger:
        broken = sorted({int(item.name) for item in damage if item.kind == RELEASE})
        return tuple(_repair(store, ledger, number) for number in broken)


def _repair(store: Store, ledger: Ledger, number: int) -> str:
    if number not in numbers(store) and retained_path(store, number).exists():
        _set_aside(store, number)
        return f"release {number} was set aside: it cannot be rolled back to any more"
    rows, said = switches_of(ledger, number), standing_of(ledger, number)
    newest = number >= max(numbers(store), default=0)
    if not rows and not said and newest:
        return _void(store, number)
    try:
        release = _again(store, number, rows, pieces_of(ledger, number), said)
    except MeshError as error:
        why = error.problems[0].what
        return f"release {number} cannot be written again ({why}); {_BACKUP}"
    _set_aside(store, number)
    files.create(path_of(store, number), record.encode(release))
    return f"release {number} was written again from the ledger and the evidence"


def _void(store: Store, number: int) -> str:
    """Let the newest release, which nobody recorded, change nothing; its number is used up."""
    try:
        before = read_release(store, number - 1) if number > 1 else EMPTY
    except MeshError as error:
        return f"release {number} cannot be set aside ({error.problems[0].what}); {_BACKUP}"
    _set_aside(store, number)
    why = f"release {number} was damaged before it was on record"
    void = replace(before, number=number, kind=ROLLBACK, changed=(), reason=why)
    files.create(path_of(store, number), record.encode(replace(void, at=datetime.now(UTC))))
    return f"release {number} was set aside: consumers read release {number - 1} again"


def _again(store: Store, number: int, rows: Rows, pieces: Rows, said: Mapping[str, Any]) -> Release:
    """Return a release as it was, with everything that was held in it."""
    if not rows and not said:
        raise CorruptError(Problem("the ledger does not have it", next=_BACKUP))
    before = read_release(store, number - 1) if number > 1 else EMPTY
    if not before.whole:
        raise CorruptError(Problem("the release before it was collected", next=_BACKUP))
    standing = said["standing"] if said else {}
    holds = record.build(Holds, standing.get("holds", {}))
    withdrawn = record.build(Holds, standing.get("withdrawn", {}))
    gone = bool(said) and said["kind"] == WITHDRAWAL
    if not rows or gone:
        decided = tuple(map(Address.parse, said["addresses"]))
        taken = tuple(a for a in decided if gone and has(before, a, said["partition"]))
        ports = taken_away(before.ports, taken, said["partition"], number)
        return replace(
            before,
            number=number,
            kind=said["kind"],
            at=datetime.fromisoformat(said["at"]),
            changed=taken,
            ports=ports,
            run_id=said["run_id"],
            person=said["person"],
            reason=said["reason"],
            holds=holds,
            withdrawn=withdrawn,
            decided=decided,
            about=said["product"],
            partition=said["partition"],
        )
    first = rows[0]
    switched: dict[Address, Entry] = {}
    for row in rows:
        address = Address.parse(row["address"])
        entry = _entry(store, address, [p for p in pieces if p["address"] == row["address"]])
        found = switch(before.ports.get(address), entry, number, first["kind"])
        if (found.fingerprint, found.rows) != (row["fingerprint"], row["rows"]):
            raise CorruptError(
                Problem(f"{address} is not what the ledger says was switched", next=_BACKUP)
            )
        switched[address] = found
    return Release(
        number,
        first["kind"],
        datetime.fromisoformat(first["published"]),
        tuple(sorted(switched)),
        {**before.ports, **switched},
        first["run_id"],
        first["person"],
        first["reason"],
        holds=holds,
        withdrawn=withdrawn,
    )


def _entry(store: Store, address: Address, pieces: list[Mapping[str, Any]]) -> Entry:
    """Return what was switched of a port: of a partitioned one, all partitions together."""
    found = []
    for piece in pieces:
        manifest = read_manifest(store, piece["candidate"])
        entry = entries_of(manifest).get(address)
        if manifest.verdict != PUBLISH or entry is None:
            raise CorruptError(Problem(f"{manifest.candidate} was not passed", next=_BACKUP))
        found.append(entry)
    return replace(found[-1], parts=tuple(part for entry in found for part in entry.parts))


def _set_aside(store: Store, number: int) -> None:
    """Move the damaged file away, for whoever wants to look at it."""
    folder = store.root / "damaged"
    files.make_folder(folder)
    for path in (path_of(store, number), retained_path(store, number)):
        if path.exists():
            files.move(path, folder / f"{path.name}.{files.unique_name()}")
