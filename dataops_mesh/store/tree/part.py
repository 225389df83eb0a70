"""A version of a partition, or of a port that is published whole; and how a file says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataops_mesh.store.forms import Forms, form_of
from dataops_mesh.store.tree import content

PUBLICATION = "publication"
_FORMS = 12  # where a row has them, if it has any
Row = list[Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One partition of a port: where its data is, and what it was built from.

    Args:
        key: of the partition; empty for a port that was published whole.
        files: relative to the candidate's folder; named here so that a reader of many
            partitions need not open as many manifests.
        columns: a digest of the columns' names and types.
        own: a digest of those inputs that are the partition's own.
        open: it was built before it was over.
        cut: how the product was cut then; empty of older publications.
        forms: the fingerprint of each form, where there are several.
    """

    key: str
    candidate: str
    publication: int
    fingerprint: str
    rows: int
    files: tuple[str, ...]
    columns: str
    inputs: tuple[tuple[str, int], ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    kind: str = PUBLICATION
    own: str = ""
    open: bool = False
    cut: str = ""
    forms: Forms = ()

    def form(self, role: str) -> str:
        """Return the fingerprint of the form that is read by a role, or without one."""
        return form_of(self.forms, role, self.fingerprint)


def row_of(part: Part) -> Row:
    """Return a version as a file says it: shorter than with names, and there are many.

    >>> part_of("jan", row_of(Part("jan", "a/b/c", 3, "f", 1, ("p",), "d"))).publication
    3
    """
    return [
        part.candidate,
        part.publication,
        part.fingerprint,
        part.rows,
        list(part.files),
        part.columns,
        [list(pair) for pair in part.inputs],
        [list(pair) for pair in part.sources],
        part.kind,
        part.own,
        part.open,
        part.cut,
        *([[list(pair) for pair in part.forms]] if part.forms else []),
    ]


def part_of(key: str, row: Row) -> Part:
    """Return the version that a row says."""
    candidate, number, print_, rows, files, columns, inputs, sources, *others = row[:_FORMS]
    part = Part(
        key,
        candidate,
        number,
        print_,
        rows,
        tuple(files),
        columns,
        tuple((name, read) for name, read in inputs),
        tuple((name, content) for name, content in sources),
        *others,
    )
    if len(row) <= _FORMS:
        return part
    return replace(part, forms=tuple((role, form) for role, form in row[_FORMS]))


def together(parts: Sequence[Part]) -> tuple[str, Forms]:
    """Return the fingerprint of partitions together, and that of each form of them."""
    total, names = content.nothing(), sorted({name for part in parts for name, _ in part.forms})
    sums = dict.fromkeys(names, total)
    for part in parts:
        total = content.plus(total, part.key, part.fingerprint)
        sums |= {name: content.plus(sums[name], part.key, part.form(name)) for name in names}
    return total, tuple(sums.items())
