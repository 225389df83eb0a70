"""Which candidates there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dataops_mesh.store.manifest import MANIFEST, announced, is_written
from dataops_mesh.store.store import Store


def all_refs(store: Store) -> Iterator[str]:
    """Iterate over the candidates that have a manifest, in no order."""
    seen: set[str] = set()
    for root, name in ((store.candidates, MANIFEST), (store.removed, "*.json")):
        for path in root.glob(f"*/*/*/{name}"):
            seen.add(path.parent.relative_to(root).as_posix())
    yield from seen


def unwritten(store: Store) -> tuple[tuple[str, Path], ...]:
    """Return the announcements of candidates that were about to get a manifest and have none."""
    found = announced(store)
    return tuple((ref, path) for ref, path in found if not is_written(store, ref))
