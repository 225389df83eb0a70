"""The partitions of a port, read chunk by chunk as they are asked for.

A chunk begins where the key says so, whatever is beside it: the same partitions lie in the same
chunks whatever came first.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from dataops_mesh.store.tree import versions
from dataops_mesh.store.tree.part import Part, Row, part_of

_MEAN = 64  # partitions in a chunk


def begins_chunk(key: str) -> bool:
    """Tell whether a chunk begins at a partition."""
    return zlib.crc32(key.encode()) % _MEAN == 0


def in_chunks(parts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return partitions in chunks, in the order of their keys.

    >>> [len(chunk) for chunk in in_chunks({"b": 1, "a": 2})]
    [2]
    """
    found: list[dict[str, Any]] = []
    for key in sorted(parts):
        if not found or begins_chunk(key):
            found.append({})
        found[-1][key] = parts[key]
    return found


class Parts(Sequence[Part]):
    """The partitions that consumers read, in the order of their keys."""

    def __init__(self, entry: Mapping[str, Any], chunk: Any) -> None:
        """Read nothing yet.

        Args:
            entry: the port's entry.
            chunk: reads a chunk's partitions, by its digest.
        """
        self._entry, self._chunk = entry, chunk
        self._all: tuple[Part, ...] | None = None
        self.since = since(entry)

    @property
    def cut(self) -> str:
        """Return how all of them are cut."""
        found: str = self._entry["cut"]
        return found

    def __len__(self) -> int:
        """Return how many there are, without reading any."""
        count: int = self._entry["live"]
        return count

    def __iter__(self) -> Iterator[Part]:
        """Iterate in order of the keys."""
        if self._all is None:
            self._all = tuple(self._of(self._chunks()))
        return iter(self._all)

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Part]: ...
    def __getitem__(self, index: int | slice) -> Part | Sequence[Part]:
        """Return some by their place; reads all of them but for the first."""
        if index == 0:
            return next(self._of(self._chunks()))
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence of partitions."""
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """Return the hash of the partitions."""
        return hash(tuple(self))

    def find(self, key: str) -> Part | None:
        """Return one partition; reads one chunk."""
        row = versions.at(self.rows(key), None)
        return part_of(key, row) if row is not None and versions.stands(row, self.since) else None

    def rows(self, key: str) -> Sequence[Any]:
        """Return the versions of a partition, those that are not read any more included."""
        chunks = self._entry["chunks"]
        place = place_of(chunks, key)
        if place < 0:
            return ()
        found: Sequence[Any] = self._chunk(chunks[place][1]).get(key, ())
        return found

    def between(self, first: str, last: str) -> list[Part]:
        """Return the partitions from one key to another; reads only their chunks."""
        chunks = self._entry["chunks"]
        low = max(place_of(chunks, first), 0)
        high = place_of(chunks, last)
        return list(self._of(self._chunks(low, high + 1), first, last))

    def newest_between(self, first: str, last: str) -> int:
        """Return a publication that nothing from one key to another is newer than; reads none."""
        chunks = self._entry["chunks"]
        low = max(place_of(chunks, first), 0)
        found = (chunk[3] for chunk in chunks[low : place_of(chunks, last) + 1])
        newest: int = max((self.since, *found))
        return newest

    def newer_than(self, number: int) -> Iterator[Part]:
        """Yield the partitions that were switched after a release; reads only their chunks."""
        chunks = [chunk for chunk in self._chunks() if chunk[3] > number]
        return (part for part in self._of(chunks) if part.publication > number)

    def _chunks(self, low: int = 0, high: int | None = None) -> list[list[Any]]:
        chunks: list[list[Any]] = self._entry["chunks"]
        return [chunk for chunk in chunks[low:high] if chunk[2] and chunk[3] >= self.since]

    def _of(
        self, chunks: Sequence[list[Any]], first: str = "", last: str | None = None
    ) -> Iterator[Part]:
        for _, digest, _, _ in chunks:
            found = self._chunk(digest)
            for key in sorted(found):
                if key < first or (last is not None and key > last):
                    continue
                row = versions.at(found[key], None)
                if row is not None and versions.stands(row, self.since):
                    yield part_of(key, row)


def since(entry: Mapping[str, Any], number: int | None = None) -> int:
    """Return the newest publication that was about a whole port: older partitions are gone."""
    row: Row | None = versions.at(entry["versions"], number)
    return row[1] if row is not None else 0


def place_of(chunks: Sequence[list[Any]], key: str) -> int:
    """Return which chunk a partition is in, or would be; -1 if it comes before all of them."""
    return bisect_right(chunks, key, key=lambda chunk: chunk[0]) - 1
