"""What a sandbox of a subset shows: some rows of every port, and all that these refer to."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from dataops_mesh.engine.data import data_finder
from dataops_mesh.engine.session import session
from dataops_mesh.engine.subset import Link, Relation, copy_subset
from dataops_mesh.errors import Problem, UnknownNameError
from dataops_mesh.run.declaration import published_product
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.former import published_as
from dataops_mesh.spec.checks.withheld import SHOWABLE
from dataops_mesh.spec.model import Address, Column, OutputPort
from dataops_mesh.store.line.opening import Subset
from dataops_mesh.store.log import Entry, Release
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.store import Store

_PERCENT = re.compile(r"(\d{1,2}(?:\.\d{1,4})?) ?%", re.ASCII)


def share_of(text: str) -> float:
    """Return the share of the rows that somebody asks for.

    >>> share_of("5%")
    0.05
    """
    found = _PERCENT.fullmatch(text.strip())
    share = float(found[1]) / 100 if found else 0
    if not share:
        what = f'"{text}" is no part of the rows'
        raise UnknownNameError(Problem(what, choices=("5%", "0.1%", "50%")))
    return share


def subset_of(environment: Environment, text: str) -> Subset | None:
    """Return what to copy for a sandbox of a subset; None for one of all rows."""
    if not text:
        return None
    share = share_of(text)

    def copy(release: Release, target: Path) -> None:
        copy_rows(environment, release, share, target)

    return Subset(text.replace(" ", ""), copy)


def copy_rows(environment: Environment, release: Release, share: float, target: Path) -> None:
    """Copy a part of the rows of everything that a release shows.

    Args:
        environment: of the line of the release.
        release: pinned, so that its files stay.
        share: of the rows.
        target: a folder that does not exist.
    """
    store, settings = environment.store, environment.settings
    entries = {address: release.ports[address] for address in release.ports}
    ports = _declared(store, entries)
    links = [link for port in ports.values() for link in _links(port)]
    told = {a: frozenset(_told(store, a, entry, ports.get(a))) for a, entry in entries.items()}
    hidden = _hidden({(a, name) for a, names in told.items() for name in names}, links)
    find = data_finder(store)
    relations = [
        Relation(
            address,
            _files(entry, find(address, entry), store),
            ports[address].contract.key if address in ports else (),
            frozenset(name for one, name in hidden if one == address),
        )
        for address, entry in entries.items()
    ]
    with session(
        store,
        memory_limit=settings.memory_limit,
        threads=environment.threads,
        now=datetime.now(UTC),
    ) as con:
        copy_subset(con, relations, links, share, target, secrets.token_hex(16))


def _declared(store: Store, entries: Mapping[Address, Entry]) -> dict[Address, OutputPort]:
    """Return the ports as they were declared when they were published, of any repository."""
    products = {}
    for entry in entries.values():
        if entry.product not in products:
            manifest = read_manifest(store, entry.candidate)
            products[entry.product] = published_product(store, manifest)
    found = (port for one in products.values() if one for port in one.outputs)
    return {port.address: port for port in found if port.address in entries}


def _links(port: OutputPort) -> Iterable[Link]:
    for one in port.contract.relationships:
        if one.address is not None:
            yield Link(port.address, one.columns, one.address, one.to)


def _told(store: Store, address: Address, entry: Entry, newest: OutputPort | None) -> Iterator[str]:
    """Yield the columns with values that are classified, by the contract of each candidate.

    A mask that is declared now masked nothing of what was published before. Where nobody can tell
    as what something was published, that is all of its columns.
    """
    for ref in entry.refs:
        port = published_as(store, ref, address, newest)
        if port is not None:
            yield from (one.name for one in port.contract.columns if _is_hidden(one))
        else:
            made = read_manifest(store, ref).ports
            found = (one for one in made if one.address == address)
            yield from (name for one in found for name, _ in one.columns)


def _is_hidden(column: Column) -> bool:
    return (column.classification or "internal").lower() not in SHOWABLE and column.mask is None


def _hidden(
    told: Iterable[tuple[Address, str]], links: Iterable[Link]
) -> frozenset[tuple[Address, str]]:
    """Return the columns of whose values none is copied: classified, or referring to such."""
    found = {*told}
    pairs = [
        ((one.child, mine), (one.parent, theirs))
        for one in links
        for mine, theirs in zip(one.columns, one.to, strict=True)
    ]
    while more := {other for pair in pairs if found.intersection(pair) for other in pair} - found:
        found |= more
    return frozenset(found)


def _files(entry: Entry, found: tuple[Path, ...], store: Store) -> dict[str, list[Path]]:
    """Return the files of an address by the candidate in whose folder they are."""
    made: dict[str, list[Path]] = {ref: [] for ref in entry.refs}
    for path in found:
        ref = "/".join(path.relative_to(store.candidates).parts[:3])
        made[ref].append(path)
    return made
