"""Every error a user of dataops_mesh can cause.

    MeshError                     something is wrong and a person can mend it
    |-- DeclarationError          one or many problems in ODPS, ODCS or transform files
    |-- SettingsError             pyproject.toml or an environment variable
    |-- UnknownNameError          no such product, domain, port or publication
    |-- OwnershipError            the domain belongs to another repository, or to nobody yet
    |-- HeldError                 a person, or a rollback, decided that it is not published
    |-- NotPublishedError         an input (or an address asked for) has no publication yet
    |-- SourceError               a source outside the mesh is missing or unreadable
    |-- TransformError            the transform raised, or returned something unusable
    |-- ExportError               a published port could not be copied to where an export is
    |-- RunError                  the machinery failed: memory, disk, a bug; another try may work
    `-- StoreError                the store cannot be read or written
        |-- ConflictError         somebody published first and this candidate may not follow
        `-- CorruptError          a file is not what its record says it is

A refusal is not an error: it is a decision, and `run` returns it as data.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


# The disk is full or too small for the file, may only be read, or is broken.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
DISK = FULL | {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


@dataclass(frozen=True, slots=True)
class Location:
    """A line of a file, as a person would look it up."""

    file: str
    line: int

    def __str__(self) -> str:
        """Return `file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where, what would be right, what to do next.

    Args:
        what: one sentence; never a value from classified data.
        where: the line to look at, where there is one.
        key: the key inside the file, for example `inputPorts[0].name`.
        choices: the valid values, where they can be listed.
        next: the command or edit that mends it.
    """

    what: str
    where: Location | None = None
    key: str = ""
    choices: tuple[str, ...] = ()
    next: str = ""

    def __str__(self) -> str:
        """Return the problem on one line for the first facts and one for each help."""
        head = ": ".join(part for part in (str(self.where or ""), self.key, self.what) if part)
        helps = []
        if self.choices:
            helps.append(f"  valid: {', '.join(self.choices)}")
        if self.next:
            helps.append(f"  next:  {self.next}")
        return "\n".join([head, *helps])


class MeshError(Exception):
    """Something is wrong and a person can mend it.

    Args:
        problems: one problem or all that were found; at least one.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        """Keep the problems in the order in which they were found."""
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[MeshError], tuple[tuple[Problem, ...]]]:
        """Survive the trip between processes."""
        return (type(self), (self.problems,))


class DeclarationError(MeshError):
    """A declaration is not valid; holds every problem of the files that were read."""


class SettingsError(MeshError):
    """A setting is missing, unknown or out of range."""


class UnknownNameError(MeshError):
    """No product, domain, port or publication has this name."""


class QuestionError(MeshError):
    """What was asked of the mesh's pages has no meaning, as page 0."""


class HeldError(MeshError):
    """Somebody decided that this is not published until the hold ends."""


class NotPublishedError(MeshError):
    """Somebody asked for data that has no publication yet."""


class SourceError(MeshError):
    """A source outside the mesh is missing or unreadable."""


class TransformError(MeshError):
    """The transform raised, or returned something that is not its ports."""


class ExportError(MeshError):
    """A published port could not be copied to where its contract wants a copy."""


class RunError(MeshError):
    """The machinery failed, not the data: memory, disk, a bug. Another try may work."""


class StoreError(MeshError):
    """The store cannot be read or written."""


class ConflictError(StoreError):
    """Another publication came first and this candidate may not follow it."""


class OwnershipError(MeshError):
    """The domain belongs to another repository, or to none that is on record."""


class CorruptError(StoreError):
    """A file in the store is not what its record says it is."""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return a hint that names the closest choice, or nothing.

    >>> did_you_mean("fligths", ["flights", "weather"])
    ' (did you mean "flights"?)'
    >>> did_you_mean("zzz", ["flights"])
    ''
    """
    close = get_close_matches(word, list(choices), n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""
