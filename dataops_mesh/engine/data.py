"""The Parquet files behind an address, whole or in partitions, as a relation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from dataops_mesh.engine import sql
from dataops_mesh.errors import StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import Entry
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.sound import require_sound
from dataops_mesh.store.store import Store


def data_finder(
    store: Store, *, building: str = ""
) -> Callable[[Address, Entry], tuple[Path, ...]]:
    """Return a function that names the files of an address, given what it resolves to.

    It raises a CorruptError for files that are not what was published.

    Args:
        store: the store.
        building: the candidate of the run that asks; it has no manifest yet.
    """
    return partial(require_sound, store, building=building)


def data_scan(
    entry: Entry, found: tuple[Path, ...], *, listed: bool = True, short: bool = False
) -> str:
    """Return the SQL relation over the files of an address.

    Partitions of different schemas (columns were added) are joined by name; the missing ones
    read as null.

    Args:
        entry: what the address resolves to.
        found: its files.
        listed: whoever reads it may list the folders that we may list.
        short: say once what the names of many files have in common.
    """
    several = len({part.columns for part in entry.parts}) > 1
    options = {"union_by_name": True} if several else None
    return sql.scan("read_parquet", found, options, listed=listed, short=short)


def damaged_scan(store: Store, address: Address, entry: Entry, error: StoreError) -> str:
    """Return a relation with the columns of an address, of which every question is the error.

    The condition is what DuckDB cannot leave out, whatever columns somebody asks for.
    """
    try:
        port = read_manifest(store, entry.candidate).port(address)
    except StoreError:
        port = None
    columns = port.columns if port else (("damaged", "VARCHAR"),)
    nulls = ", ".join(f"NULL::{kind} AS {sql.identifier(name)}" for name, kind in columns)
    return f"(SELECT {nulls} WHERE error({sql.literal(str(error))}) IS NULL)"
