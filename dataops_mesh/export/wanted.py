"""What a target should have of a product: what the newest release shows of its exported ports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_mesh.engine.data import data_finder, data_scan
from dataops_mesh.spec.model import Address, Export, OutputPort, Product
from dataops_mesh.store.log import Entry, Release
from dataops_mesh.store.removing.removal import removal_numbers
from dataops_mesh.store.store import Store

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Copy:
    """One published port as a target should have it.

    Args:
        publication: the number of the release that consumers read it by.
        state: a digest of what decides the copy: the data, its columns, what is said of them.
        relation: the data as SQL for DuckDB: the masked form, as everybody reads it.
        files: the files behind it.
        alike: they have one schema.
        parts: the keys of its partitions; none of a port that is published whole.
        columns: name and type of each, as DuckDB has them.
        descriptions: what the contract says of columns, by name.
        key: the primary key; empty if there is none.
    """

    address: Address
    export: Export
    publication: int
    state: str
    relation: str
    files: tuple[Path, ...]
    rows: int
    alike: bool = True
    parts: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    description: str = ""
    descriptions: tuple[tuple[str, str], ...] = ()
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that one target should have of one product; whatever else it has of it is taken away.

    Args:
        release: the release that says so.
        removal: the newest erasure by then: no older copy may stay.
        copies: by address.
    """

    product: str
    release: int
    removal: int = 0
    copies: tuple[Copy, ...] = field(default=())

    @property
    def state(self) -> str:
        """Return a digest of all that the target should have."""
        return _digest([(str(one.address), one.state) for one in self.copies])


def targets(product: Product) -> tuple[str, ...]:
    """Return the targets that the contracts of a product name."""
    named = (one.target for port in product.outputs for one in port.contract.exports)
    return tuple(dict.fromkeys(named))


def states(product: Product, target: str, release: Release) -> str:
    """Return the digest of what a target should have, at the cost of no data.

    >>> from dataops_mesh.store.log import EMPTY
    >>> from types import SimpleNamespace
    >>> len(states(SimpleNamespace(outputs=()), "folder exports", EMPTY))
    16
    """
    found = (
        (str(port.address), _state(port, export, release.ports[port.address]))
        for port, export in _exported(product, target)
        if port.address in release.ports
    )
    return _digest(list(found))


def wanted(
    product: Product,
    target: str,
    store: Store,
    release: Release,
    con: duckdb.DuckDBPyConnection,
) -> Wanted:
    """Return what a target should have of a product by a pinned release.

    Args:
        product: its contracts say what is exported to where.
        target: one of `targets`, or a former one, which should have nothing.
        store: the store, on the line of production.
        release: pinned for as long as the data is read.
        con: a session of DuckDB.

    Raises:
        StoreError: a file is not what was published.
    """
    copies = (
        _copy(port, export, store, release.ports[port.address], con)
        for port, export in _exported(product, target)
        if port.address in release.ports
    )
    removal = max(removal_numbers(store), default=0)
    return Wanted(product.qualified_name, release.number, removal, tuple(copies))


def _exported(product: Product, target: str) -> Iterable[tuple[OutputPort, Export]]:
    for port in sorted(product.outputs, key=lambda one: one.address):
        for export in port.contract.exports:
            if export.target == target:
                yield port, export


def _copy(
    port: OutputPort, export: Export, store: Store, entry: Entry, con: duckdb.DuckDBPyConnection
) -> Copy:
    files = data_finder(store)(port.address, entry)
    relation = data_scan(entry, files)
    described = con.execute(f"DESCRIBE FROM {relation}").fetchall()
    columns = tuple((str(row[0]), str(row[1])) for row in described)
    names = {name for name, _ in columns}
    contract = port.contract
    return Copy(
        port.address,
        export,
        entry.publication,
        _state(port, export, entry),
        relation,
        files,
        _rows(entry),
        len({part.columns for part in entry.parts}) <= 1,
        tuple(part.key for part in entry.parts),
        columns,
        contract.description,
        tuple((c.name, c.description) for c in contract.columns if c.name in names),
        contract.key if names.issuperset(contract.key) else (),
    )


def _rows(entry: Entry) -> int:
    return sum(part.rows for part in entry.parts) if entry.parts else entry.rows


def _state(port: OutputPort, export: Export, entry: Entry) -> str:
    contract = port.contract
    data = [(part.key, part.candidate, part.files) for part in entry.parts]
    said = [(column.name, column.description) for column in contract.columns]
    words = [contract.description, said, contract.key]
    where = [export.schema, export.format]
    return _digest([data or entry.candidate, words, where])


def _digest(facts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
