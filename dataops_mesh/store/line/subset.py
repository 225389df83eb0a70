"""The few rows that a sandbox of a subset reads, where others read a whole candidate.

    <store>/sandboxes/<name>~<token>/subset/<ref>/<port>/part-*.parquet

They are copied before the sandbox is open, and belong to it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dataops_mesh.store import files
from dataops_mesh.store.manifest import folder
from dataops_mesh.store.store import SANDBOXES, Store

FOLDER = "subset"


def is_subset(store: Store) -> bool:
    """Tell whether a line shows a subset of what it was opened from."""
    return bool(store.sandbox) and (store.own / FOLDER).is_dir()


def copied(store: Store, ref: str, port: str) -> tuple[Path, ...]:
    """Return the files that a line reads in the place of those of a candidate; none if its own."""
    return tuple(sorted((store.own / FOLDER / ref / port).glob("*.parquet")))


def read_folder(store: Store, ref: str, port: str) -> Path:
    """Return the folder of the rows that a line reads of a candidate."""
    copy = store.own / FOLDER / ref / port
    return copy if is_subset(store) and copy.is_dir() else folder(store, ref) / port


def move_in(line: Store, made: Path) -> None:
    """Put what was copied where the line reads it."""
    files.make_folder(line.own)
    files.move(made, line.own / FOLDER)


def forget(store: Store, refs: Iterable[str]) -> None:
    """Delete what any sandbox has copied of candidates that were erased."""
    sandboxes = store.root / SANDBOXES
    for ref in refs:
        for path in sandboxes.glob(f"*/{FOLDER}/{ref}"):
            files.remove_tree(path)


def refs_of(line: Store) -> tuple[str, ...]:
    """Return the candidates of which a line has copied rows."""
    root = line.own / FOLDER
    return tuple(path.relative_to(root).as_posix() for path in sorted(root.glob("*/*/*")))
