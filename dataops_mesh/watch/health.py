"""Is the store what its records say? Every release, manifest and file, by their checksums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dataops_mesh.engine import catalog
from dataops_mesh.errors import CorruptError, Problem, StoreError, UnknownNameError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import (
    Release,
    numbers,
    path_of,
    read_release,
    retained_numbers,
    retained_path,
)
from dataops_mesh.store.manifest import pending_refs, read_manifest
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.store import Store
from dataops_mesh.store.verify import verify

RELEASE, DATA, EVIDENCE, CATALOG = "release", "data", "evidence", "catalog"


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not what its record says.

    Args:
        kind: `release`, `data` of something published, `evidence` not yet in the ledger, or the
            `catalog` that other DuckDB clients open.
        name: the release's number, or the candidate's ref.
        what: in words.
        next: the command that mends it.
    """

    kind: str
    name: str
    what: str
    next: str


@dataclass(frozen=True, slots=True)
class Health:
    """What was looked at and what was found.

    Args:
        removed: of the candidates, those of which something was erased by a person's word.
    """

    releases: int
    candidates: int
    bytes: int
    damage: tuple[Damage, ...]
    removed: int = 0


def examine(store: Store, *, everything: bool = False) -> Health:
    """Read the log, and every file of what consumers read.

    Args:
        store: the store.
        everything: also the files of all publications that can be rolled back to.
    """
    damage: list[Damage] = []
    readable = list(_releases(store, damage))
    newest = max((release.number for release in readable), default=0)
    refs: dict[str, str] = {}
    for release in readable:
        if everything or release.number == newest:
            for entry in release.ports.values():
                refs.update(dict.fromkeys(entry.refs, entry.product))
    size = removed = 0
    for ref, product in sorted(refs.items()):
        try:
            size += verify(store, ref)
            removed += bool(read_manifest(store, ref).removed)
        except (StoreError, OSError) as error:
            then = f"mesh rollback {product} --reason ..., or mesh run {product}"
            damage.extend(Damage(DATA, ref, what, then) for what in _said(error))
    for ref in pending_refs(store):
        try:
            read_manifest(store, ref)
        except StoreError as error:
            then = f"run {'.'.join(ref.split('/')[:2])} again; this evidence is lost"
            damage.extend(Damage(EVIDENCE, ref, what, then) for what in _said(error))
    if catalog.is_changed(store):
        what = f"{store.catalog_file} is not what was written"
        damage.append(Damage(CATALOG, store.catalog_file.name, what, "mesh store catalog rebuild"))
    return Health(len(readable), len(refs), size, tuple(damage), removed)


def verify_published(store: Store, addresses: Iterable[Address]) -> int:
    """Read every file that consumers of some ports read; return how many bytes were found right.

    Raises:
        CorruptError: some are damaged; all are named.
    """
    wanted = set(addresses)
    with pinned(store) as release:
        entries = [entry for address, entry in release.ports.items() if address in wanted]
        size = 0
        problems: list[Problem] = []
        for ref in sorted({ref for entry in entries for ref in entry.refs}):
            try:
                size += verify(store, ref)
            except StoreError as error:
                problems += error.problems
    if problems:
        raise CorruptError(problems)
    return size


def _releases(store: Store, damage: list[Damage]) -> Iterator[Release]:
    """Read every release; a collection may take the oldest meanwhile."""
    log = sorted(numbers(store))
    for number in sorted({*log, *retained_numbers(store)}):
        try:
            release = read_release(store, number)
        except UnknownNameError:
            continue
        except StoreError as error:
            damage.extend(_damaged(number, what) for what in _said(error))
            continue
        if release.number == number:
            yield release
        else:
            damage.append(_damaged(number, f"holds release {release.number}"))
    for number in range(log[0], log[-1]) if log else ():
        gone = not path_of(store, number).exists() and not retained_path(store, number).exists()
        if gone and number > min(numbers(store), default=0):
            damage.append(_damaged(number, f"{path_of(store, number)} is missing"))


def _damaged(number: int, what: str) -> Damage:
    return Damage(RELEASE, str(number), what, "mesh store verify --repair")


def _said(error: Exception) -> Iterable[str]:
    if isinstance(error, StoreError):
        return [problem.what for problem in error.problems]
    return [str(error)]
