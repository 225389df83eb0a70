"""Is the store what its records say? Every release, manifest and file, by their checksums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from dataops_mesh.engine.catalog import catalogs
from dataops_mesh.errors import CorruptError, Problem, StoreError, UnknownNameError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import Release, all_numbers, as_it_was, is_open, ports_of
from dataops_mesh.store.manifest import is_written, pending_refs, read_manifest
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.sound import mended_by
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree import blobs
from dataops_mesh.store.tree.blobs import Blob, Place
from dataops_mesh.store.tree.entry import Light
from dataops_mesh.store.tree.ports import Ports
from dataops_mesh.store.tree.versions import rows_of
from dataops_mesh.store.verify import verify, verify_captures

RELEASE, TREE, DATA = "release", "tree", "data"
EVIDENCE, CATALOG, CAPTURE = "evidence", "catalog", "capture"


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not what its record says.

    Args:
        kind: `release`, a blob of the `tree`, `data` of something published, a `capture` of what it
            was built from, `evidence` not yet in the ledger, or a `catalog` that other DuckDB
            clients open.
        name: the release's number, the blob's domain and digest, or the candidate's ref.
        what: in words.
        next: the command that mends it.
        release: of a blob, the release that wrote it.
    """

    kind: str
    name: str
    what: str
    next: str
    release: int = 0


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
    shown = _shown(store, readable, damage)
    refs = shown.kept if everything else shown.read
    size = removed = 0
    for ref, product in sorted(refs.items()):
        try:
            size += verify(store, ref)
            removed += bool(read_manifest(store, ref).removed)
            size += _captures(store, ref, damage)
        except (StoreError, OSError) as error:
            damage.extend(Damage(DATA, ref, what, mended_by(product)) for what in _said(error))
    for ref in pending_refs(store):
        try:
            read_manifest(store, ref)
        except StoreError as error:
            then = f"run {'.'.join(ref.split('/')[:2])} again; this evidence is lost"
            damage.extend(Damage(EVIDENCE, ref, what, then) for what in _said(error))
    damage += [
        Damage(CATALOG, path.name, f"{path} is not what was written", "mesh store catalog rebuild")
        for path in catalogs.changed(store)
    ]
    return Health(len(readable), len(refs), size, tuple(damage), removed)


def examine_sandbox(store: Store) -> Health:
    """Read the log of a sandbox, and the files of what was built in it.

    Args:
        store: the store, on the line of the sandbox.
    """
    damage: list[Damage] = []
    readable = list(_releases(store, damage))
    read = _shown(store, readable, damage).read
    size, built = 0, 0
    for ref, product in sorted(read.items()):
        try:
            if read_manifest(store, ref).line == store.line:  # the rest is production's
                size, built = size + verify(store, ref), built + 1
                size += _captures(store, ref, damage)
        except (StoreError, OSError) as error:
            then = f"mesh sandbox run {store.sandbox} {product}"
            damage.extend(Damage(DATA, ref, what, then) for what in _said(error))
    return Health(len(readable), built, size, tuple(damage))


def verify_published(store: Store, addresses: Iterable[Address]) -> int:
    """Read every file that consumers of some ports read; return how many bytes were found right.

    Raises:
        CorruptError: some are damaged; all are named.
    """
    wanted = sorted(set(addresses))
    with pinned(store) as release:
        entries = [e for address in wanted if (e := release.ports.get(address)) is not None]
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
    known = sorted(all_numbers(store))
    for number in range(known[0], known[-1] + 1) if known else ():
        try:
            release = as_it_was(store, number)
        except UnknownNameError as error:
            damage.append(_damaged(number, error.problems[0].what))
            continue
        except StoreError as error:
            damage.extend(_damaged(number, what) for what in _said(error))
            continue
        if release.number == number:
            yield release
        else:
            damage.append(_damaged(number, f"holds release {release.number}"))


@dataclass(slots=True)
class _Shown:
    """The products behind candidates: those that consumers read, and all that are kept."""

    read: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)


def _shown(store: Store, releases: Iterable[Release], damage: list[Damage]) -> _Shown:
    """Read every blob of the open releases from the disk."""
    blobs.forget(store)
    found, seen = _Shown(), set[Place]()
    opened = [one for one in releases if is_open(store, one.number)]
    wrote: dict[Place, int] = {}
    for release in opened:
        for place in ports_of(release).nodes.items():
            wrote.setdefault(place, release.number)
    for release in reversed(opened):
        for place in ports_of(release).nodes.items():
            node = _blob(store, place, wrote[place], seen, damage)
            for row in node["ports"].values() if node else ():
                _entry(store, place[0], Light(*row), found, seen, damage)
    if opened:
        found.read = _read_by_consumers(ports_of(opened[-1]))
    return found


def _read_by_consumers(ports: Ports) -> dict[str, str]:
    found: dict[str, str] = {}
    for domain in ports.nodes:
        with suppress(StoreError):  # it is on the list of damage
            for address in [Address(domain, port) for port in ports.node(domain)]:
                with suppress(StoreError):
                    entry = ports.get(address)
                    refs = entry.refs if entry else ()
                    found |= dict.fromkeys(refs, entry.product if entry else "")
    return found


def _entry(  # noqa: PLR0913, PLR0917 - one step of a walk
    store: Store,
    domain: str,
    light: Light,
    found: _Shown,
    seen: set[Place],
    damage: list[Damage],
) -> None:
    entry = _blob(store, (domain, light.entry), light.publication, seen, damage)
    if entry is None:
        return
    every = [entry["versions"]]
    for _, digest, _, newest in entry["chunks"]:
        chunk = _blob(store, (domain, digest), newest, seen, damage)
        every += chunk["parts"].values() if chunk else ()
    refs = (row[0] for rows in every for row in rows_of(rows) if row[0])
    found.kept |= {ref: light.product for ref in refs if is_written(store, ref)}


def _captures(store: Store, ref: str, damage: list[Damage]) -> int:
    size, wrong = verify_captures(store, ref)
    then = "nobody reads it; without it this publication cannot be built again"
    damage.extend(Damage(CAPTURE, ref, what, then) for what in wrong)
    return size


def _blob(
    store: Store, place: Place, number: int, seen: set[Place], damage: list[Damage]
) -> Blob | None:
    """Return a blob that was not looked at before, if it is what its name says."""
    if place in seen:
        return None
    seen.add(place)
    try:
        return blobs.read(store.root, place)
    except StoreError as error:
        name, then = "/".join(place), "mesh store verify --repair"
        damage.extend(Damage(TREE, name, what, then, number) for what in _said(error))
        return None


def _damaged(number: int, what: str) -> Damage:
    return Damage(RELEASE, str(number), what, "mesh store verify --repair")


def _said(error: Exception) -> Iterable[str]:
    if isinstance(error, StoreError):
        return [problem.what for problem in error.problems]
    return [str(error)]
