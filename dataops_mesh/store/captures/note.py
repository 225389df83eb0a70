"""The note that a candidate leaves of the captures that it needs, before it takes them.

    <store>/candidates/<ref>/captures.json

It lies with the candidate, so that whatever happens to that happens to it: a backup copies it, a
collection and an erasure delete it. What no note names, nobody needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dataops_mesh.errors import CorruptError
from dataops_mesh.store import files, record
from dataops_mesh.store.described import InputRead
from dataops_mesh.store.manifest import MANIFEST, Manifest, folder
from dataops_mesh.store.store import Store

NOTE = "captures.json"


@dataclass(frozen=True, slots=True)
class _Note:
    names: tuple[str, ...]


def write_note(store: Store, ref: str, names: Iterable[str]) -> None:
    """Note which captures a candidate needs, in the place of what was noted before."""
    files.replace(folder(store, ref) / NOTE, record.encode(_Note(tuple(sorted(set(names))))))


def noted(store: Store, ref: str) -> frozenset[str]:
    """Return the captures that a candidate needs."""
    return _read(folder(store, ref) / NOTE)


def named(root: Path, without: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the captures that any candidate needs.

    Args:
        root: the folder of a store, or of a copy of one.
        without: refs of candidates that do not count.

    Raises:
        CorruptError: a candidate's note and its manifest are damaged: nobody knows what it needs.
    """
    candidates = root / "candidates"
    return frozenset(
        name
        for path in candidates.glob(f"*/*/*/{NOTE}")
        if path.parent.relative_to(candidates).as_posix() not in without
        for name in _read(path)
    )


def captures_of(reads: Iterable[InputRead]) -> frozenset[str]:
    """Return the captures that a manifest names."""
    return frozenset(file.capture for read in reads if read.kept for file in read.files)


def _read(path: Path) -> frozenset[str]:
    try:
        return frozenset(record.decode(_Note, files.read(path), path).names)
    except FileNotFoundError:
        return frozenset()
    except CorruptError:
        manifest = path.parent / MANIFEST
        try:
            found = record.decode(Manifest, files.read(manifest), manifest)
        except FileNotFoundError:  # nothing was built with it
            return frozenset()
        return captures_of(found.inputs)
