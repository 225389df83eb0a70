"""What is still reachable: blobs and candidates, from releases and from whoever reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_mesh.spec.model import Address
from dataops_mesh.store.tree import blobs, versions
from dataops_mesh.store.tree.blobs import Place
from dataops_mesh.store.tree.part import Row
from dataops_mesh.store.tree.parts import since

Count = Callable[[str, int], int]  # product and what it said last -> how many publications stay
Aged = Callable[[int], bool]  # a release's number -> is it older than the grace period


@dataclass(slots=True)
class Marked:
    """What was found so far.

    Args:
        places: the blobs.
        refs: the candidates, each with why it stays.
        read: the chunks whose partitions consumers read, with what these must be newer than.
        kept: the nodes and entries whose versions were looked at, for a rollback.
    """

    places: set[Place] = field(default_factory=set)
    refs: dict[str, str] = field(default_factory=dict)
    read: set[tuple[str, int]] = field(default_factory=set)
    kept: set[Place] = field(default_factory=set)


def mark_shown(root: Path, nodes: Mapping[str, str], why: str, found: Marked) -> None:
    """Mark what a release shows: whoever reads it may ask for all of it.

    Args:
        root: the store's folder.
        nodes: those of the release.
        why: it stays.
        found: what was found so far; what is in it already is not read again.
    """
    for domain, _, entry in _entries(root, nodes, found, whole=False):
        begun = since(entry)
        rows = [entry["versions"]] if _stands(entry["versions"], begun) else []
        for _, digest, live, newest in entry["chunks"]:
            found.places.add((domain, digest))
            if live and newest >= begun and (digest, begun) not in found.read:
                found.read.add((digest, begun))
                parts = blobs.read(root, (domain, digest))["parts"]
                rows += [one for one in parts.values() if _stands(one, begun)]
        for one in rows:
            row = versions.at(one, None)
            if row is not None:
                found.refs.setdefault(row[0], why)


def mark_kept(  # noqa: PLR0913, PLR0917 - each a rule of what stays
    root: Path,
    nodes: Mapping[str, str],
    count: Count,
    aged: Aged,
    pasts: Sequence[int],
    found: Marked,
    after: int = 0,
) -> None:
    """Mark what products can be rolled back to, and what readers of closed releases use.

    Args:
        root: the store's folder.
        nodes: those of the newest release.
        count: how many publications of a product stay.
        aged: tells whether a release is old.
        pasts: the closed releases that somebody reads.
        found: what was found so far; what is in it already is not read again.
        after: only publications after this one: of a sandbox, its own.
    """
    for domain, _, entry in _entries(root, nodes, found, whole=True):
        most = count(entry["product"], entry["keep"])
        every = [entry["versions"]]
        for _, digest, _, _ in entry["chunks"]:
            found.places.add((domain, digest))
            every += blobs.read(root, (domain, digest))["parts"].values()
        for rows in every:
            for row in (*versions.kept(rows, most, pasts), *_young(rows, most, aged)):
                if row[1] > after:
                    why = f"publication {row[1]} is kept for a rollback"
                    found.refs.setdefault(row[0], why)


def _entries(
    root: Path, nodes: Mapping[str, str], found: Marked, *, whole: bool
) -> Iterable[tuple[str, Address, Mapping[str, Any]]]:
    seen = found.kept if whole else found.places
    for domain, digest in sorted(nodes.items()):
        place = (domain, digest)
        if place in seen:
            continue
        seen.add(place)
        found.places.add(place)
        for port, row in blobs.read(root, place)["ports"].items():
            entry = (domain, row[7])
            if entry in seen:
                continue
            seen.add(entry)
            found.places.add(entry)
            yield domain, Address(domain, port), blobs.read(root, entry)


def _stands(rows: Sequence[Any], begun: int) -> bool:
    return versions.stands(versions.at(rows, None), begun)


def _young(rows: Sequence[Any], most: int, aged: Aged) -> Iterable[Row]:
    """Yield the versions that went out of the window a moment ago.

    One did when the newest of the `most` newer ones came.
    """
    listed = [row for row in versions.rows_of(rows) if row[0]]
    return (row for i, row in enumerate(listed) if i >= most and not aged(listed[i - most][1]))
