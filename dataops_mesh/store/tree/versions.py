"""The versions of a port or partition, as a file lists them: newest first, then what is forgotten.

    [[candidate, publication, ...], [candidate, publication, ...], 3]

The number at the end, if there is one, is the newest publication that is not listed any more. A
version without a candidate is a withdrawal. Of a port, the versions under no key are about all of
it: it was published whole, its partitions were taken away, or others took their place; what is
older than the newest of them is not read any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dataops_mesh.store.tree.part import Row

LISTED = 10  # at least
Rows = Sequence[Any]


def with_version(rows: Rows, row: Row, listed: int) -> list[Any]:
    """Return versions with a new one in front, and no more than are to be listed.

    >>> with_version([["b", 2], ["a", 1]], ["c", 3], 2)[0]
    ['c', 3]
    """
    most = max(listed, LISTED)
    known = [row, *rows_of(rows)]
    gone = known[most][1] if len(known) > most else forgotten(rows)
    return [*known[:most], *([gone] if gone else [])]


def rows_of(rows: Rows) -> list[Row]:
    """Return the versions that are listed, newest first."""
    return [row for row in rows if isinstance(row, list)]


def forgotten(rows: Rows) -> int:
    """Return the newest publication that is not listed any more; 0 if all are."""
    last = rows[-1] if rows else 0
    return last if isinstance(last, int) else 0


def at(rows: Rows, number: int | None) -> Row | None:
    """Return the version that a release shows, withdrawals included; the newest if None."""
    return next((row for row in rows_of(rows) if number is None or row[1] <= number), None)


def stands(row: Row | None, since: int) -> bool:
    """Tell whether consumers read a version: it is no withdrawal, and not older than all of it."""
    return row is not None and bool(row[0]) and row[1] >= since


def kept(rows: Rows, count: int, pasts: Sequence[int]) -> Iterator[Row]:
    """Yield the versions that stay: the newest, and what readers of old releases use."""
    listed = [row for row in rows_of(rows) if row[0]]
    yield from listed[:count]
    for number in pasts:
        row = at(rows, number)
        if row is not None and row[0]:
            yield row
