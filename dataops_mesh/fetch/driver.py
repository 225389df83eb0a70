"""What each kind of source can do: fetch, and say cheaply whether there is anything new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dataops_mesh.spec.remote import Remote

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """One file that was fetched.

    Args:
        name: how it is called where it comes from, relative to what all of them share.
        path: where it lies.
        mark: what tells it from another version of it, in the words of the other side; empty if
            that says nothing.
    """

    name: str
    path: Path
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Before:
    """What was fetched last.

    Args:
        pieces: the files, all still there.
        mark: what `look` would have answered then.
    """

    pieces: tuple[Piece, ...] = ()
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What there is now: new files, and those of before that are the same.

    Args:
        pieces: the files.
        mark: what `look` would have answered.
        state: what the next fetch goes on from, once this one is published.
    """

    pieces: tuple[Piece, ...]
    mark: str = ""
    state: bytes = b""


@dataclass(frozen=True, slots=True)
class Where:
    """What is asked of a driver.

    Args:
        remote: the source, for one partition.
        address: that of its connection.
        root: the workspace.
    """

    remote: Remote
    address: str
    root: Path


class Driver(Protocol):
    """A kind of source."""

    def fetch(self, where: Where, before: Before, into: Path, say: Say) -> Fetched:
        """Fetch what is new into a folder; what has not changed is returned as it was.

        Raises:
            Fault: something on the way.
            Refusal: something that stays so.
        """

    def look(self, where: Where, before: Before) -> str | None:
        """Return what tells this version from another, without fetching it; None if nothing can.

        Raises:
            Fault: something on the way.
            Refusal: something that stays so.
        """
