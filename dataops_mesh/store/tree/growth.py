"""The next state of everything: pure functions from ports to ports, that read what they touch.

What they return holds the blobs that are to be written; the log writes them before the release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataops_mesh.spec.model import Address
from dataops_mesh.store.store import PRODUCTION
from dataops_mesh.store.tree import blobs, content, versions
from dataops_mesh.store.tree.blobs import Blob, Place
from dataops_mesh.store.tree.entry import GONE, WHOLE, Entry, Light, Switch, as_part
from dataops_mesh.store.tree.part import Part, Row, part_of, row_of
from dataops_mesh.store.tree.parts import in_chunks, place_of, since
from dataops_mesh.store.tree.ports import Ports

_SWITCHES = 50  # of a port in partitions, how many are listed at least
WITHDRAWAL = "withdrawal"
_STAMP = frozenset({"number", "line"})
Put = Callable[[Blob], str]


@dataclass(frozen=True, slots=True)
class Grown:
    """What a release makes of everything, and what it did, for the record."""

    ports: Ports
    switches: tuple[Switch, ...] = ()


def published(
    ports: Ports, changes: Mapping[Address, Entry], number: int, kind: str, *, whole: bool = False
) -> Grown:
    """Return everything after candidates are published.

    Args:
        ports: everything before.
        changes: what is published: ports, or some partitions of them.
        number: of the release.
        kind: `publication` or `rollback`.
        whole: the partitions given take the place of all that are published.
    """

    def grown(address: Address, put: Put) -> tuple[Light, Switch]:
        return _published(ports, address, changes[address], _Now(number, kind, whole=whole), put)

    return _grown(ports, changes, number, grown)


def withdrawn(ports: Ports, addresses: Iterable[Address], partition: str, number: int) -> Grown:
    """Return everything once addresses, or one partition of them, are taken away."""

    def grown(address: Address, put: Put) -> tuple[Light, Switch]:
        entry = _entry(ports, address)
        gone = _Now(number, WITHDRAWAL)
        if partition:
            light = _without_part(ports, address, entry, partition, gone, put)
        else:
            light = _without(entry, gone, put)
        left = light.parts != GONE
        return light, Switch(
            address,
            light.product,
            rows=light.rows if left else 0,
            fingerprint=light.fingerprint if left else "",
        )

    return _grown(ports, addresses, number, grown)


@dataclass(frozen=True, slots=True)
class _Now:
    number: int
    kind: str
    whole: bool = False


def _grown(
    ports: Ports,
    addresses: Iterable[Address],
    number: int,
    grown: Callable[[Address, Put], tuple[Light, Switch]],
) -> Grown:
    pending: dict[Place, bytes] = {}
    # By the number, and of a sandbox by its line, no blob is the same as an older one.
    stamp: Blob = {"number": number}
    if ports.line != PRODUCTION:
        stamp["line"] = ports.line
    nodes, switches = dict(ports.nodes), []
    by_domain: dict[str, list[Address]] = {}
    for address in sorted(addresses):
        by_domain.setdefault(address.domain, []).append(address)
    for domain, found in by_domain.items():

        def put(blob: Blob, domain: str = domain) -> str:
            digest, data = blobs.encode({**blob, **stamp})
            pending[domain, digest] = data
            return digest

        rows = dict(ports.node(domain))
        for address in found:
            light, switch = grown(address, put)
            rows[address.port] = list(light)
            switches.append(switch)
        nodes[domain] = put({"is": "node", "ports": rows})
    return Grown(replace(ports, nodes=nodes, pending=pending), tuple(switches))


def _entry(ports: Ports, address: Address) -> Blob:
    found = ports.entry_blob(address)
    if found is not None:
        return {name: value for name, value in found.items() if name not in _STAMP}
    return new_entry()


def _published(
    ports: Ports, address: Address, entry: Entry, now: _Now, put: Put
) -> tuple[Light, Switch]:
    before = _entry(ports, address) | {
        "product": entry.product,
        "keep": entry.keep,
        "listed": entry.listed,
    }
    if not entry.parts:
        mine = replace(as_part(entry), publication=now.number, kind=now.kind)
        after = _emptied(before, row_of(mine))
        light = Light(
            entry.product,
            now.number,
            now.kind,
            entry.candidate,
            entry.rows,
            entry.fingerprint,
            WHOLE,
            put(after),
        )
        return light, _switch(address, light)
    light_before = ports.light(address)
    if now.whole or (light_before is not None and light_before.parts == WHOLE):
        before = _emptied(before, row_of(Part("", "", now.number, "", 0, (), "", kind=now.kind)))
    return _with_parts(ports, address, before, entry, now, put)


def _emptied(entry: Blob, row: Row) -> Blob:
    """Return an entry once something is about all of a port: no partition is read any more."""
    return entry | {
        "versions": versions.with_version(entry["versions"], row, _listed(entry)),
        "live": 0,
        "rows": 0,
        "sum": content.nothing(),
        "forms": {},
        "schemas": {digest: [0, columns] for digest, (_, columns) in entry["schemas"].items()},
    }


def _with_parts(  # noqa: PLR0913, PLR0917 - a step of `_published`
    ports: Ports, address: Address, before: Blob, entry: Entry, now: _Now, put: Put
) -> tuple[Light, Switch]:
    new = {p.key: replace(p, publication=now.number, kind=now.kind) for p in entry.parts}
    columns = {digest: [list(pair) for pair in found] for digest, found in entry.columns}
    after = _Counted(before, columns)
    chunks = list(before["chunks"])
    touched: dict[int, dict[str, Part]] = {}
    for key, part in new.items():
        touched.setdefault(max(place_of(chunks, key), 0) if chunks else -1, {})[key] = part
    made: dict[int, list[list[Any]]] = {}
    for place, parts in touched.items():
        old = ports.chunk(address.domain, chunks[place][1]) if place >= 0 else {}
        made[place] = after.chunks(old, parts, put)
    joined = made.get(-1, [])
    for place, chunk in enumerate(chunks):
        joined += made.get(place, [chunk])
    last = entry.candidate
    switches = [[now.number, last, now.kind], *before["switches"]]
    blob = after.entry | {
        "cut": next((p.cut for p in new.values() if p.cut), before["cut"]),
        "chunks": joined,
        "switches": switches[: max(_listed(before), _SWITCHES)],
    }
    light = Light(
        entry.product,
        now.number,
        now.kind,
        last,
        blob["rows"],
        blob["sum"],
        blob["live"],
        put(blob),
    )
    return light, _switch(address, light, new)


def _without(entry: Blob, now: _Now, put: Put) -> Light:
    after = _emptied(entry, row_of(Part("", "", now.number, "", 0, (), "", kind=now.kind)))
    return Light(entry["product"], now.number, now.kind, "", 0, "", GONE, put(after))


def _without_part(  # noqa: PLR0913, PLR0917 - a step of `withdrawn`
    ports: Ports, address: Address, entry: Blob, key: str, now: _Now, put: Put
) -> Light:
    left = [part for part in ports.parts(address, entry) if part.key != key]
    if not left:
        return _without(entry, now, put)
    counted, chunks = _Counted(entry, {}), list(entry["chunks"])
    place = place_of(chunks, key)
    gone = Part(key, "", now.number, "", 0, (), "", kind=now.kind)
    old = ports.chunk(address.domain, chunks[place][1])
    made = counted.chunks(old, {key: gone}, put)
    last = max(left, key=lambda part: part.publication)
    blob = counted.entry | {"chunks": [*chunks[:place], *made, *chunks[place + 1 :]]}
    facts = (last.candidate, blob["rows"], blob["sum"], blob["live"])
    return Light(entry["product"], now.number, now.kind, *facts, put(blob))


class _Counted:
    """An entry whose counts follow its partitions."""

    def __init__(self, entry: Blob, columns: Mapping[str, Any]) -> None:
        self.entry = entry | {"schemas": dict(entry["schemas"])}
        self._columns, self._since = columns, since(entry)

    def chunks(self, old: Mapping[str, Any], new: Mapping[str, Part], put: Put) -> list[list[Any]]:
        """Return the chunks that a chunk becomes with newer versions of some partitions."""
        parts = dict(old)
        for key, part in new.items():
            before = versions.at(parts.get(key, ()), None)
            if before is not None and versions.stands(before, self._since):
                self._count(key, before, -1)
            row = row_of(part)
            if part.candidate:
                self._count(key, row, 1)
            parts[key] = versions.with_version(parts.get(key, ()), row, _listed(self.entry))
        return [described(chunk, self._since, put) for chunk in in_chunks(parts)]

    def _count(self, key: str, row: Row, step: int) -> None:
        entry, columns = self.entry, row[5]
        entry["live"] += step
        entry["rows"] += step * row[3]
        change = content.plus if step > 0 else content.minus
        part = part_of(key, row)
        # Of a form that no partition has had so far, all of them say what they say together.
        sums = dict.fromkeys(dict(part.forms), entry["sum"]) | entry.get("forms", {})
        entry["forms"] = {role: change(total, key, part.form(role)) for role, total in sums.items()}
        entry["sum"] = change(entry["sum"], key, part.fingerprint)
        schemas = entry["schemas"]
        count, known = schemas.get(columns, (0, self._columns.get(columns, [])))
        schemas[columns] = [count + step, known]  # of none too: a rollback may bring them back


def described(chunk: Mapping[str, Any], begun: int, put: Put) -> list[Any]:
    """Return how an entry names a chunk: its first key, digest, partitions, newest publication."""
    newest = [row for rows in chunk.values() if (row := versions.at(rows, None))]
    live = sum(versions.stands(row, begun) for row in newest)
    last = max(row[1] for row in newest)
    return [min(chunk), put({"is": "chunk", "parts": dict(chunk)}), live, last]


def new_entry(product: str = "", keep: int = 0) -> Blob:
    """Return the entry of an address at which nothing was ever published."""
    return {
        "is": "entry",
        "product": product,
        "keep": keep,
        "listed": 0,
        "cut": "",
        "versions": [],
        "live": 0,
        "rows": 0,
        "sum": content.nothing(),
        "forms": {},
        "schemas": {},
        "chunks": [],
        "switches": [],
    }


def _listed(entry: Mapping[str, Any]) -> int:
    """Return how many versions of a port are listed at least."""
    return max(int(entry["keep"]), int(entry["listed"]))


def _switch(address: Address, light: Light, new: Mapping[str, Part] | None = None) -> Switch:
    several = new if new and len(new) > 1 else {}
    parts = tuple((p.key, p.candidate, p.rows, p.fingerprint) for p in several.values())
    facts = (light.product, light.candidate, light.rows, light.fingerprint)
    return Switch(address, *facts, parts)
