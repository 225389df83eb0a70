"""Names of columns that may be told: a transform can make them of values (`pivot on ssn`).

A column that the contract does not declare is refused, and the refusal names it: if somebody wrote
the name, in the contract, in what is read, or in the transform. Else it is told by its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dataops_mesh.spec.model import Address, Product, TransformKind
from dataops_mesh.store.described import ColumnProfile, PortData, Quarantine
from dataops_mesh.transform.dbt.project import project_folder

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T", PortData, Quarantine)
Unnamed = Mapping[Address, Mapping[str, str]]
_WRITTEN = ("*.sql", "*.y*ml", "*.py", "*.csv")
_LONGEST = 2**20  # bytes of a file that are looked through


def columns_read(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the name of every column of the relations of a session, in small letters."""
    query = "SELECT lower(column_name) FROM duckdb_columns() WHERE NOT internal"
    return frozenset(str(row[0]) for row in connection.execute(query).fetchall())


def unnamed(product: Product, ports: Iterable[PortData], read: Collection[str]) -> Unnamed:
    """Return, by port, what is told in the place of names that nobody wrote.

    Args:
        product: whose contracts and transform may have the names.
        ports: what was built.
        read: the names of the columns of all inputs, in small letters.
    """
    found: dict[Address, dict[str, str]] = {}
    declared = {
        port.address: {column.name.lower() for column in port.contract.columns}
        for port in product.outputs
    }
    text: str | None = None
    for data in ports:
        for place, (name, _) in enumerate(data.columns, 1):
            if name.lower() in declared.get(data.address, ()) or name.lower() in read:
                continue
            text = _text(product) if text is None else text
            if name.lower() not in text:
                found.setdefault(data.address, {})[name] = f"column {place}"
    return found


def told(data: Iterable[T], hidden: Unnamed) -> tuple[T, ...]:
    """Return what is on record of ports, or of rows set aside, without names that nobody wrote."""
    return tuple(_told(one, hidden.get(one.address, {})) for one in data)


def told_profile(profile: Iterable[ColumnProfile], hidden: Unnamed) -> tuple[ColumnProfile, ...]:
    """Return what is remembered of columns, without names that nobody wrote."""
    return tuple(
        replace(one, column=hidden.get(one.port, {}).get(one.column, one.column)) for one in profile
    )


def _told(one: T, hidden: Mapping[str, str]) -> T:
    return replace(one, columns=tuple((hidden.get(name, name), kind) for name, kind in one.columns))


def _text(product: Product) -> str:
    """Return what people wrote of a transform, in small letters."""
    files: Iterable[Path] = product.transform.files
    if product.transform.kind is TransformKind.DBT:
        folder = project_folder(product)
        files = (file for pattern in _WRITTEN for file in folder.rglob(pattern))
    return "\n".join(map(_begin, (file for file in files if file.is_file()))).lower()


def _begin(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(_LONGEST).decode("utf-8", "replace")
