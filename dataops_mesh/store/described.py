"""What a manifest says of one thing: a file, a port, an input, what was set aside or masked."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.spec.model import Address
from dataops_mesh.store.forms import Forms


@dataclass(frozen=True, slots=True)
class File:
    """One file of a candidate; the path is relative to the candidate's folder.

    Args:
        changed: when the file system last changed it (`ctime`, which nobody can set), in
            nanoseconds: as long as it says so, the content need not be read to be known. 0 of
            older candidates.
    """

    path: str
    bytes: int
    sha256: str
    changed: int = 0


@dataclass(frozen=True, slots=True)
class PortData:
    """The data of one output port.

    Args:
        columns: name and DuckDB type, in order.
        fingerprint: of the content: the same rows in any order, in any files, have the same. Where
            roles read clear values, of all forms together.
        forms: where roles read clear values, the fingerprint of each form.
    """

    address: Address
    rows: int
    bytes: int
    files: tuple[File, ...]
    columns: tuple[tuple[str, str], ...]
    fingerprint: str
    forms: Forms = ()


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What is remembered of a column, so that it can be told when it is unusual.

    Args:
        nulls: rows in which it is null.
        mean: of a number that may be shown.
        distinct: how many different values there are, of a column that may be shown.
    """

    port: Address
    column: str
    nulls: int
    mean: float | None = None
    distinct: int | None = None


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The rows that the build set aside from one output port; consumers have no address of them.

    Args:
        rules: each rule that sets rows aside, with how many rows break it.
        columns: those of the port, and the names of the rules that a row breaks.
        fingerprint: of the content; empty where nothing was set aside.
    """

    address: Address
    rows: int = 0
    bytes: int = 0
    files: tuple[File, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    fingerprint: str = ""
    rules: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class MaskApplied:
    """A column that consumers see masked."""

    port: Address
    column: str
    kind: str


@dataclass(frozen=True, slots=True)
class ClearKept:
    """The clear values of a port that roles read, in the restricted folder (store/restricted.py).

    Args:
        columns: whose values they are.
        digest: of the record there; it is salted, so that no value can be guessed by it.
    """

    port: Address
    columns: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class PersonalFound:
    """A column that looks like personal data, and whose contract does not say so.

    Args:
        matched: how many of the values look like it.
        sampled: how many values were looked at.
    """

    port: Address
    column: str
    kind: str
    matched: int
    sampled: int

    def __str__(self) -> str:
        """Return the finding as a sentence; no value is in it."""
        return (
            f"{self.port}: {self.matched} of {self.sampled} values of {self.column} look like "
            f"{self.kind}, and the contract does not say that they are"
        )


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source.

    Args:
        name: its path from where the declared one begins: the product's folder, the package's, or
            the root of the disk; of what was fetched, a number and a name.
        capture: the name of its capture; empty where none was taken.
    """

    name: str
    bytes: int
    capture: str = ""


@dataclass(frozen=True, slots=True)
class InputRead:
    """What was read: a publication (of `self`, there may be none), or a source's fingerprint.

    Args:
        fingerprint: of the form that was read.
        role: by which it was read unmasked; empty where it was not.
        files: of a source; none of older candidates.
        kept: where the bytes of these are: `store`, `restricted`, or empty for nowhere.
        why: they are not kept, in words.
    """

    name: str
    address: Address | None = None
    publication: int | None = None
    candidate: str | None = None
    fingerprint: str = ""
    role: str = ""
    files: tuple[SourceFile, ...] = ()
    kept: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ContractUsed:
    """The contract that a port was checked against."""

    address: Address
    id: str
    version: str
    fingerprint: str
