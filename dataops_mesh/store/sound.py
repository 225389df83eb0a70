"""Is a published file what its manifest says? Noticed by whoever binds it, at the cost of a stat.

A file whose `ctime` is the one on record (nobody can set it) was not touched. Where it differs,
after a backup was restored or somebody changed permissions, the file is read once and its state
is remembered in the store's cache. A partitioned port is remembered whole, so that binding it
reads no manifests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from dataops_mesh.errors import CorruptError, Problem
from dataops_mesh.spec.model import Address
from dataops_mesh.store import files
from dataops_mesh.store.described import File
from dataops_mesh.store.line.subset import copied, is_subset
from dataops_mesh.store.log import Entry
from dataops_mesh.store.manifest import folder, read_manifest
from dataops_mesh.store.store import Store

State = tuple[int, int]
_SPARE = 100


def require_sound(
    store: Store, address: Address, entry: Entry, *, building: str = ""
) -> tuple[Path, ...]:
    """Return the files behind an address, after a look at each.

    Args:
        store: the store.
        address: the port.
        entry: what it resolves to.
        building: the candidate of the run that asks; it has no manifest yet.

    Raises:
        CorruptError: a file is missing, or not what was published; no other address is harmed.
        StoreError: a candidate has no manifest.
    """
    few = partial(copied, store) if is_subset(store) else _nothing
    if not entry.parts:
        if own := few(entry.candidate, address.port):
            return own
        port = read_manifest(store, entry.candidate).port(address)
        root = folder(store, entry.candidate)
        found = {root / file.path: file for file in port.files} if port else {}
        return _looked_at(store, address, entry, found)
    remembered = _remembered(store, address)
    states: dict[Path, File | None] = {}
    for part in entry.parts:
        if own := few(part.candidate, address.port):
            states |= dict.fromkeys(own)
            continue
        root = folder(store, part.candidate)
        known = {name: root / name for name in part.files}
        if part.candidate == building or all(
            _state(path) == remembered.get(str(path)) for path in known.values()
        ):
            states |= dict.fromkeys(known.values())
            continue
        port = read_manifest(store, part.candidate).port(address)
        states |= {root / file.path: file for file in (port.files if port else ())}
    return _looked_at(store, address, entry, states, remembered)


def mended_by(product: str) -> str:
    """Return what mends a damaged file: a run always, a rollback only to what there is."""
    return f"mesh run {product}, or mesh rollback {product} --reason ... if it was published before"


def _nothing(ref: str, port: str) -> tuple[Path, ...]:
    del ref, port
    return ()


def _looked_at(
    store: Store,
    address: Address,
    entry: Entry,
    found: dict[Path, File | None] | dict[Path, File],
    remembered: dict[str, State] | None = None,
) -> tuple[Path, ...]:
    """Compare each file with its record, unless it is None: then it is known to be right."""
    problems: list[Problem] = []
    read: dict[str, State] = {}
    known = remembered
    for path, file in found.items():
        if file is None:
            continue
        state = _state(path)
        if state is not None and state == (file.bytes, file.changed or state[1]):
            if entry.parts:
                read[str(path)] = state
            continue
        known = _remembered(store, address) if known is None else known
        if state is not None and known.get(str(path)) == state:
            continue
        wrong = _wrong(path, file, state)
        if wrong:
            what = f"{path} of {address} (publication {entry.publication}) {wrong}"
            then = f"{mended_by(entry.product)}; `mesh store verify` says what else"
            problems.append(Problem(what, next=then))
        elif state is not None:
            read[str(path)] = state
    if problems:
        raise CorruptError(problems)
    if read:
        _remember(store, address, {**(known or {}), **read}, found)
    return tuple(found)


def _wrong(path: Path, file: File, state: State | None) -> str:
    if state is None:
        return "is missing"
    if state[0] != file.bytes:
        return "has another size than its manifest says"
    return "" if files.digest(path) == file.sha256 else "has another content than its manifest says"


def _state(path: Path) -> State | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_ctime_ns


def _note(store: Store, address: Address) -> Path:
    return store.cache / f"files.{address}.json"


def _remembered(store: Store, address: Address) -> dict[str, State]:
    try:
        found = json.loads(_note(store, address).read_bytes())
        return {str(path): (int(size), int(changed)) for path, (size, changed) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(
    store: Store, address: Address, states: dict[str, State], current: Iterable[Path]
) -> None:
    """Keep what was read; of files that are not bound now, as many as an older release may have."""
    names = {str(path) for path in current}
    if len(states) > 2 * len(names) + _SPARE:
        states = {path: state for path, state in states.items() if path in names}
    try:
        files.replace(_note(store, address), json.dumps(states).encode(), durable=False)
    except OSError:  # a store that may only be read, or a full disk: read again next time
        return
