"""The tree of what a log of format 1 says, in one go: every version of every address it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dataops_mesh.errors import StoreError
from dataops_mesh.spec.model import Address
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.store import Store
from dataops_mesh.store.tree import blobs, content, versions
from dataops_mesh.store.tree.blobs import Blob, Place
from dataops_mesh.store.tree.entry import GONE, WHOLE, Light
from dataops_mesh.store.tree.growth import WITHDRAWAL, Put, described, new_entry
from dataops_mesh.store.tree.part import Part, Row, row_of
from dataops_mesh.store.tree.parts import in_chunks, since
from dataops_mesh.store.upgrade.format1 import OldEntry, OldRelease


@dataclass(slots=True)
class _Known:
    """The versions of an address, by partition and then by the number of the release."""

    last: OldEntry
    rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    switches: dict[int, list[Any]] = field(default_factory=dict)


def tree_of(store: Store, releases: list[OldRelease]) -> tuple[dict[str, str], dict[Place, bytes]]:
    """Return the node of each domain, and the blobs to write.

    Args:
        store: the store.
        releases: all that are known, oldest first; the newest is whole.
    """
    newest = releases[-1]
    pending: dict[Place, bytes] = {}
    lights: dict[str, dict[str, Light]] = {}
    for address, known in sorted(_known(releases).items()):

        def put(blob: Blob, domain: str = address.domain) -> str:
            digest, data = blobs.encode({**blob, "number": newest.number})
            pending[domain, digest] = data
            return digest

        light = _entry(store, address, known, newest, put)
        lights.setdefault(address.domain, {})[address.port] = light
    nodes = {}
    for domain, found in lights.items():
        rows = {name: list(light) for name, light in found.items()}
        blob = {"is": "node", "ports": rows, "number": newest.number}
        nodes[domain], data = blobs.encode(blob)
        pending[domain, nodes[domain]] = data
    return nodes, pending


def _known(releases: list[OldRelease]) -> dict[Address, _Known]:
    found: dict[Address, _Known] = {}
    for release in releases:
        for address, old in release.ports.items():
            known = found.setdefault(address, _Known(old))
            known.last = old
            for part in old.parts or (_as_part(old),):
                known.rows.setdefault(part.key, {})[part.publication] = row_of(part)
            if old.parts:
                known.switches[old.publication] = [old.publication, old.candidate, old.kind]
    return found


def _as_part(old: OldEntry) -> Part:
    facts = (old.candidate, old.publication, old.fingerprint, old.rows)
    return Part("", *facts, (), "", old.inputs, old.sources, old.kind)


def _entry(store: Store, address: Address, known: _Known, newest: OldRelease, put: Put) -> Light:
    now, last, number = newest.ports.get(address), known.last, newest.number
    whole = dict(known.rows.pop("", {}))
    if now is None:
        whole[number] = _gone(number)
    elif now.parts and whole:  # these took the place of what was published whole
        first = min(part.publication for part in now.parts)
        whole[first] = _gone(first)
    entry = new_entry(last.product, last.keep)
    entry["versions"] = _listed(whole, last.keep)
    entry["switches"] = [known.switches[n] for n in sorted(known.switches, reverse=True)]
    live = {part.key: part for part in now.parts} if now else {}
    for key in known.rows.keys() - live.keys():
        known.rows[key][number] = _gone(number)
    keys = {key: _listed(rows, last.keep) for key, rows in known.rows.items()}
    begun = since(entry)
    entry["chunks"] = [described(chunk, begun, put) for chunk in in_chunks(keys)]
    for part in live.values():
        entry["live"] += 1
        entry["rows"] += part.rows
        entry["sum"] = content.plus(entry["sum"], part.key, part.fingerprint)
        entry["cut"] = part.cut or entry["cut"]
        count, columns = entry["schemas"].get(part.columns) or (0, _columns(store, address, part))
        entry["schemas"][part.columns] = [count + 1, columns]
    digest = put(entry)
    if now is None:
        return Light(last.product, number, WITHDRAWAL, "", 0, "", GONE, digest)
    # The fingerprint is the old one until the next publication: nobody takes it for news.
    facts = (now.publication, now.kind, now.candidate, now.rows, now.fingerprint)
    return Light(now.product, *facts, len(live) if live else WHOLE, digest)


def _listed(rows: Mapping[int, Row], keep: int) -> list[Any]:
    found: list[Any] = []
    for _, row in sorted(rows.items()):
        found = versions.with_version(found, row, keep)
    return found


def _gone(number: int) -> Row:
    return row_of(Part("", "", number, "", 0, (), "", kind=WITHDRAWAL))


def _columns(store: Store, address: Address, part: Part) -> list[list[str]]:
    """Return the columns of a schema, from one of the candidates that have it."""
    try:
        port = read_manifest(store, part.candidate).port(address)
    except StoreError:  # damaged; whoever reads it is told
        port = None
    return [list(pair) for pair in port.columns] if port else []
