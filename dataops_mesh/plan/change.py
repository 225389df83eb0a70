"""A change between two declarations of a product, judged for the people who read its ports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dataops_mesh.errors import Location
from dataops_mesh.spec.model import Address


class Compatibility(StrEnum):
    """What a change means for a consumer that worked yesterday, the strongest first."""

    BREAKING = "breaking"
    ADDITIVE = "additive"
    PATCH = "patch"


class Reversibility(StrEnum):
    """Whether publishing the old declaration again puts everything back."""

    TWO_WAY = "two-way"
    ONE_WAY = "one-way"


class Bump(StrEnum):
    """The part of a semantic version, the strongest first."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    NONE = "none"


BUMPS = {
    Compatibility.BREAKING: Bump.MAJOR,
    Compatibility.ADDITIVE: Bump.MINOR,
    Compatibility.PATCH: Bump.PATCH,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference that matters to somebody.

    Args:
        kind: which row of the table in docs/changes.md judged it.
        what: one sentence with the old and the new value.
        where: the line in the new declaration; in the old one for what was removed.
        compatibility: what it means for consumers.
        one_way: why it cannot be taken back; empty for a two-way change.
        port: the port it is about; None for the product as a whole.
        columns: the columns that a consumer may have used, by their old names.
        former: the line is that of the declaration before, which is not the file of today.
        extent: exactly what it takes away or shows, where the sentence leaves some of it out: who
            approves the one approves no other.
    """

    kind: str
    what: str
    where: Location
    compatibility: Compatibility
    one_way: str = ""
    port: Address | None = None
    columns: tuple[str, ...] = ()
    former: bool = False
    extent: str = ""

    @property
    def place(self) -> str:
        """Return where it stands; of what was removed, where it stood."""
        return f"{self.where} as it was" if self.former else str(self.where)

    @property
    def bump(self) -> Bump:
        """Return the part of the version that must go up."""
        return BUMPS[self.compatibility]

    @property
    def reversibility(self) -> Reversibility:
        """Return whether the change can be taken back."""
        return Reversibility.ONE_WAY if self.one_way else Reversibility.TWO_WAY


def digest(changes: Iterable[Change]) -> str:
    """Return a stable digest of changes: the same for the same changes, wherever they stand.

    >>> digest(()) == digest([])
    True
    """
    facts = sorted(
        (
            *(str(one.port or ""), one.kind, one.what, one.compatibility, one.reversibility),
            *([one.extent] if one.extent else []),  # digests without one are as they always were
        )
        for one in changes
    )
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def to_be_approved(changes: Iterable[Change], spent: int) -> str:
    """Return the digest that an approval must name: another one each time it has served.

    Args:
        changes: those that cannot be taken back.
        spent: how often an approval of these very changes has let a publication through.

    >>> to_be_approved((), 0) == digest(()), to_be_approved((), 1) == digest(())
    (True, False)
    """
    same = digest(changes)
    return hashlib.sha256(f"{same}#{spent}".encode()).hexdigest()[:16] if spent else same


def required(changes: Iterable[Change]) -> Bump:
    """Return the strongest bump that the changes ask for."""
    wanted = {change.bump for change in changes}
    return next((bump for bump in Bump if bump in wanted), Bump.NONE)
