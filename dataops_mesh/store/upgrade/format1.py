"""The log of format 1, in which every release held all that was published: read to be upgraded.

releases/<n>.json     whole        retained/<n>.json     what an older one switched
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from dataops_mesh.spec.model import Address
from dataops_mesh.store import files, record
from dataops_mesh.store.hold import Hold
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree.part import PUBLICATION, Part

RELEASES, RETAINED = "releases", "retained"
# Older versions read the checksum first, then the format, and stop there by a message.
_FENCE = b'{"checksum": "", "format": 2}'
_NOTHING = MappingProxyType[Address, tuple[Hold, ...]]({})


@dataclass(frozen=True, slots=True)
class OldEntry:
    """What an address resolved to."""

    product: str
    candidate: str
    publication: int
    fingerprint: str
    rows: int
    inputs: tuple[tuple[str, int], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    kind: str = PUBLICATION
    parts: tuple[Part, ...] = ()
    keep: int = 0


@dataclass(frozen=True, slots=True)
class OldRelease:
    """One state of everything that was published; a retained one has what it switched."""

    number: int
    kind: str
    at: datetime
    changed: tuple[Address, ...] = ()
    ports: Mapping[Address, OldEntry] = field(default_factory=lambda: MappingProxyType({}))
    run_id: str = ""
    person: str = ""
    reason: str = ""
    whole: bool = True
    holds: Mapping[Address, tuple[Hold, ...]] = field(default_factory=lambda: _NOTHING)
    withdrawn: Mapping[Address, tuple[Hold, ...]] = field(default_factory=lambda: _NOTHING)
    decided: tuple[Address, ...] = ()
    about: str = ""
    partition: str = ""


def old_path(store: Store, number: int) -> Path:
    """Return the file of a release in the log."""
    return store.root / RELEASES / f"{number:08d}.json"


def old_numbers(store: Store, folder: str = RELEASES) -> list[int]:
    """Return the numbers of the releases of a folder, oldest first; a fence is none."""
    found = [
        int(item.path.stem)
        for item in files.listed(store.root / folder)
        if item.path.suffix == ".json" and item.path.stem.isdigit()
    ]
    return sorted(
        number for number in found if not (folder == RELEASES and _is_fence(store, number))
    )


def old_releases(store: Store) -> list[OldRelease]:
    """Return every release that has a file, oldest first."""
    numbers = {number: old_path(store, number) for number in old_numbers(store)}
    for number in old_numbers(store, RETAINED):
        numbers.setdefault(number, store.root / RETAINED / f"{number:08d}.json")
    return [
        record.decode(OldRelease, files.read(path), path) for _, path in sorted(numbers.items())
    ]


def fence(store: Store, number: int) -> bool:
    """Let no process of an older version publish any more; tell whether this call did it.

    It takes the place of the next release, and says by its format who may read it.
    """
    return files.create(old_path(store, number), _FENCE)


def is_fenced(store: Store) -> bool:
    """Tell whether older versions are kept out."""
    return any(
        _is_fence(store, int(item.path.stem))
        for item in files.listed(store.root / RELEASES)
        if item.path.stem.isdigit()
    )


def old_log(store: Store) -> list[Path]:
    """Return the folders that a store of the former format leaves; the fence is in them."""
    return [path for name in (RELEASES, RETAINED) if (path := store.root / name).is_dir()]


def _is_fence(store: Store, number: int) -> bool:
    path = old_path(store, number)
    there = files.stat(path)
    return there is not None and there.bytes == len(_FENCE) and files.read(path) == _FENCE
