"""The Parquet files behind an address, whole or in partitions, as a relation."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from dataops_mesh.engine import sql
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import Entry
from dataops_mesh.store.manifest import folder, read_manifest
from dataops_mesh.store.store import Store


def data_finder(store: Store) -> Callable[[Address, Entry], tuple[Path, ...]]:
    """Return a function that names the files of an address, given what it resolves to.

    It reads the manifest of each candidate once; for a partitioned port it needs none.
    """

    @cache
    def ports(ref: str) -> dict[Address, tuple[Path, ...]]:
        root = folder(store, ref)
        return {
            port.address: tuple(root / file.path for file in port.files)
            for port in read_manifest(store, ref).ports
        }

    def find(address: Address, entry: Entry) -> tuple[Path, ...]:
        if not entry.parts:
            return ports(entry.candidate).get(address, ())
        return tuple(
            folder(store, part.candidate) / name for part in entry.parts for name in part.files
        )

    return find


def data_scan(entry: Entry, found: tuple[Path, ...]) -> str:
    """Return the SQL relation over the files of an address.

    Partitions of different schemas (columns were added) are joined by name; the missing ones
    read as null.
    """
    several = len({part.columns for part in entry.parts}) > 1
    return sql.scan("read_parquet", found, {"union_by_name": True} if several else None)
