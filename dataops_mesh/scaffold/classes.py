"""How secret the columns of a SELECT are, by the published contracts of what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dataops_mesh.errors import Location, MeshError
from dataops_mesh.plan.lineage.breakers import clear_columns
from dataops_mesh.plan.lineage.holding import Origin
from dataops_mesh.plan.lineage.sqllineage import query_lineage
from dataops_mesh.run.guards.visible import published_port
from dataops_mesh.spec.classes import CLASSES, OPEN
from dataops_mesh.spec.model import Address, Column
from dataops_mesh.spec.sql import parse_select, tables_read
from dataops_mesh.store.log import latest
from dataops_mesh.store.store import open_store

_HIGHEST = CLASSES[-1]


@dataclass(frozen=True, slots=True)
class Classes:
    """What a new contract says of the columns of rows, beside what was measured.

    Args:
        known: how secret a column is, of those that have a classified value in them.
        silent: columns of which no value is written down, though they need not be so secret.
        rest: how secret every other column is; empty where it is open.
    """

    known: Mapping[str, str] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    rest: str = ""

    def of(self, name: str) -> str:
        """Return the class of a column that is classified; empty of one to be guessed."""
        return self.known.get(name.lower(), self.rest)

    def may_show(self, name: str) -> bool:
        """Tell whether values of a column may stand in a contract."""
        return not self.of(name) and name.lower() not in self.silent


def classes_of_select(query: str, store: Path, columns: Sequence[str]) -> Classes:
    """Return how secret the columns of a SELECT on published ports are.

    Where nobody can tell what a column is made of, it is as secret as the most secret of all that
    is read, and where nobody can tell what is read, restricted.

    Args:
        query: the SELECT.
        store: the store's folder.
        columns: the names that its columns have.
    """
    try:
        read = _read(query, store)
    except MeshError:
        return Classes(rest=_HIGHEST)
    classified = {
        (name, one.name): _class(one)
        for name, found in read.items()
        for one in found
        if _class(one)
    }
    if not classified:
        return Classes()
    worst = _worst(classified.values())
    schemas = {name: [one.name for one in found] for name, found in read.items()}
    made, clear = query_lineage(query, schemas), clear_columns(query, schemas)
    origins = _lowered(clear or {})
    names = {name.lower() for name in columns}
    if clear is None or made is None or names != origins.keys() or len(names) != len(columns):
        return Classes(rest=worst)  # also where a name is there twice
    known = {name: _worst(classified[o] for o in found & classified.keys())
             for name, found in origins.items() if found & classified.keys()}  # fmt: skip
    whole = _lowered(made.columns)
    silent = {name for name in names if whole.get(name) is None or whole[name] & classified.keys()}
    return Classes(known, frozenset(silent))


def _read(query: str, folder: Path) -> dict[str, tuple[Column, ...]]:
    """Return the columns of each port that a SELECT reads, as its owner has published them.

    Raises:
        MeshError: nobody can tell.
    """
    store = open_store(folder, create=False)
    release = latest(store)
    published = {str(address).lower(): address for address in release.ports}
    found = {}
    for name in tables_read(parse_select(query, Location("--select", 1))):
        address = published.get(name.lower()) or Address.parse(name)
        port = published_port(store, release, address) if address in release.ports else None
        if port is None:
            raise MeshError(())
        found[name.lower()] = port.contract.columns
    return found


def _class(column: Column) -> str:
    """Return how secret a column is; empty where it is open. What is masked is secret."""
    said = (column.classification or "").lower()
    if said in OPEN:
        return _HIGHEST if column.mask is not None else ""
    return column.classification or ""


def _worst(classes: Iterable[str]) -> str:
    known = {name: at for at, name in enumerate(CLASSES)}
    return max(classes, key=lambda one: known.get(one.lower(), len(known)))


def _lowered(found: Mapping[str, frozenset[Origin]]) -> dict[str, frozenset[Origin]]:
    return {name.lower(): origins for name, origins in found.items()}
