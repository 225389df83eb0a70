"""What a collection deleted, or would delete, and what it left and why."""

from __future__ import annotations

from dataclasses import dataclass

YOUNG, UNRECORDED = "younger than the grace period", "not yet in the ledger"


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One candidate or leftover: its ref or path, its size, and why it stays (if it does)."""

    name: str
    bytes: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection deleted, or would delete, and what it left.

    Args:
        releases: the numbers of those that are closed now: what they did stays on record.
        gone: candidates that nobody can reach any more.
        litter: files and folders of builds that did not finish.
        kept: every other candidate.
        stuck: what could not be deleted, because it belongs to somebody else, and to whom.
        tree: blobs that no open release names.
        captures: what was delivered, and no candidate needs.
    """

    releases: tuple[int, ...]
    gone: tuple[Item, ...]
    litter: tuple[Item, ...]
    kept: tuple[Item, ...]
    stuck: tuple[Item, ...] = ()
    tree: tuple[Item, ...] = ()
    captures: tuple[Item, ...] = ()

    @property
    def candidates(self) -> tuple[str, ...]:
        """Return the refs of the candidates that are gone."""
        return tuple(item.name for item in self.gone)

    @property
    def leftovers(self) -> tuple[str, ...]:
        """Return the paths of the leftovers, relative to the store."""
        return tuple(item.name for item in self.litter)

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """Return the refs that are kept only because the ledger lacks them."""
        return tuple(item.name for item in self.kept if item.why == UNRECORDED)

    @property
    def bytes(self) -> int:
        """Return the size of all that is gone."""
        return sum(item.bytes for item in (*self.gone, *self.litter, *self.tree, *self.captures))
