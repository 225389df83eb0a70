"""The Parquet files behind an address, whole or in partitions, as a relation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dataops_mesh.engine import sql
from dataops_mesh.engine.log import Entry
from dataops_mesh.engine.manifest import Manifest, folder, paths
from dataops_mesh.engine.store import Store
from dataops_mesh.spec.model import Address


def data_files(
    store: Store, address: Address, entry: Entry, manifest_of: Callable[[str], Manifest]
) -> tuple[Path, ...]:
    """Return the files of an address.

    Args:
        store: the store.
        address: which port of the candidate.
        entry: what the address resolves to.
        manifest_of: reads the manifest of a ref; not asked for a partitioned port.
    """
    if not entry.parts:
        return paths(store, manifest_of(entry.candidate), address)
    return tuple(
        folder(store, part.candidate) / name for part in entry.parts for name in part.files
    )


def data_scan(entry: Entry, found: tuple[Path, ...]) -> str:
    """Return the SQL relation over the files of an address.

    Partitions of different schemas (columns were added) are joined by name; the missing ones
    read as null.
    """
    several = len({part.columns for part in entry.parts}) > 1
    return sql.scan("read_parquet", found, {"union_by_name": True} if several else None)
