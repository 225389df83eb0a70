"""By which numbers another line knows what a candidate was read from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from dataops_mesh.spec.model import Address
from dataops_mesh.store.tree.entry import Entry
from dataops_mesh.store.tree.ports import Ports
from dataops_mesh.store.tree.versions import rows_of

Inputs = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Two lines, as far as numbers go.

    Args:
        here: what the line shows that gets something.
        there: what the line shows that it comes from.
        number: of the release that gets it.
        taken: the addresses that get it.
    """

    here: Ports
    there: Ports
    number: int
    taken: frozenset[Address]

    def number_of(self, name: str, number: int) -> int:
        """Return the number that a publication of the other line has here; 0 if it has none.

        What is not known here is older than all that is, so nobody waits for it.
        """
        address = Address.parse(name)
        candidate = _candidate(self.there, address, number)
        light = self.there.light(address)
        if address in self.taken and light is not None and light.candidate == candidate:
            return self.number
        return _number(self.here, address, candidate)


def numbered(
    changes: Mapping[Address, Entry], number_of: Callable[[str, int], int]
) -> dict[Address, Entry]:
    """Return entries of one line as another says them.

    Args:
        changes: what each address resolves to.
        number_of: the number that a publication of an address has in the other line.
    """
    known = cache(number_of)

    def numbers(inputs: Inputs) -> Inputs:
        return tuple((name, known(name, number)) for name, number in inputs)

    return {
        address: replace(
            entry,
            inputs=numbers(entry.inputs),
            parts=tuple(replace(part, inputs=numbers(part.inputs)) for part in entry.parts),
        )
        for address, entry in changes.items()
    }


def _candidate(ports: Ports, address: Address, number: int) -> str:
    """Return the candidate that a publication of an address switched it to; empty if unknown."""
    found = dict(_switches(ports, address))
    return found.get(number, "")


def _number(ports: Ports, address: Address, candidate: str) -> int:
    """Return the newest publication of a candidate; 0 if there is none that is listed."""
    found = [number for number, one in _switches(ports, address) if one == candidate and one]
    return max(found, default=0)


def _switches(ports: Ports, address: Address) -> list[tuple[int, str]]:
    blob = ports.entry_blob(address)
    if blob is None:
        return []
    rows = [(row[1], row[0]) for row in rows_of(blob["versions"])]
    return [*rows, *((number, candidate) for number, candidate, _ in blob["switches"])]
