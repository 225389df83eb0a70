"""What a commit does to one address: pure functions on entries, whole or in partitions."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from dataops_mesh.spec.partition import same_cut
from dataops_mesh.store.hold import ROLLBACK, WITHDRAWAL
from dataops_mesh.store.log import PUBLICATION, Entry, Part

Built = Entry | Part


def switch(current: Entry | None, entry: Entry, number: int, kind: str) -> Entry:
    """Return what the address resolves to after the commit.

    Args:
        current: what it resolves to before; None if there is nothing to keep.
        entry: what is published: a whole, or some partitions.
        number: the number of the release.
        kind: `publication` or `rollback`.
    """
    if not entry.parts:
        return replace(entry, publication=number, kind=kind)
    kept = {part.key: part for part in current.parts} if current else {}
    new = {part.key: replace(part, publication=number, kind=kind) for part in entry.parts}
    parts = tuple(part for _, part in sorted({**kept, **new}.items()))
    return replace(
        entry,
        publication=number,
        kind=kind,
        rows=sum(part.rows for part in parts),
        fingerprint=parts_fingerprint(parts),
        parts=parts,
        inputs=(),
        sources=(),
    )


def without_part(current: Entry, key: str, number: int) -> Entry | None:
    """Return what is left of a port without one partition; None if nothing is."""
    parts = tuple(part for part in current.parts if part.key != key)
    if not parts:
        return None
    return replace(
        current,
        candidate=max(parts, key=lambda part: part.publication).candidate,
        publication=number,
        kind=WITHDRAWAL,
        rows=sum(part.rows for part in parts),
        fingerprint=parts_fingerprint(parts),
        parts=parts,
    )


def parts_fingerprint(parts: tuple[Part, ...]) -> str:
    """Return the fingerprint of a port's content, from those of its partitions."""
    text = "\n".join(f"{part.key} {part.fingerprint}" for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def conflict(entry: Entry, newer: Entry, since: int, *, serial: bool) -> str:
    """Return why an entry may not follow one published after its run began; or nothing."""
    if not entry.parts or not newer.parts:
        return _conflict(entry, newer)
    for part in newer.parts:
        if part.publication <= since:
            continue
        mine = entry.part(part.key)
        if mine is not None and (why := _conflict(mine, part)):
            return f"partition {part.key} {why}"
        if mine is None and serial:
            return f"partition {part.key} was published while all of them were checked"
    return ""


def cut_otherwise(current: Entry | None, cut: str) -> str:
    """Return why a partition of this cut cannot stand beside what is published; or nothing."""
    if current is None:
        return ""
    if not current.parts:
        return "is published whole, and one partition would take its place"
    other = next((part for part in current.parts if part.cut and not same_cut(part.cut, cut)), None)
    if other is None:
        return ""
    return (
        f"is published in partitions that are {other.cut} (among them {other.key}), and one that "
        f"is {cut} would repeat their rows"
    )


def taken_back(current: Entry, entry: Entry, *, whole: bool) -> dict[str, frozenset[str]]:
    """Return the candidates that consumers read no longer after a commit, by partition.

    Args:
        current: what an address resolves to before.
        entry: what is published.
        whole: it takes the place of all partitions.
    """
    if not entry.parts or not current.parts:
        return {"": current.refs}
    new = {part.key: part.candidate for part in entry.parts}
    return {
        part.key: frozenset((part.candidate,))
        for part in current.parts
        if (whole or part.key in new) and new.get(part.key) != part.candidate
    }


def holds(current: Entry, entry: Entry, *, whole: bool = False) -> bool:
    """Tell whether consumers read the entry's data already; and nothing else, if it is a whole."""
    if not entry.parts:
        return not current.parts and current.candidate == entry.candidate
    found = {part.key: part.candidate for part in current.parts}
    if whole and found.keys() != {part.key for part in entry.parts}:
        return False
    return all(found.get(part.key) == part.candidate for part in entry.parts)


def claims_truly(claimed: Entry, evidence: Entry) -> bool:
    """Tell whether an entry says of a candidate what its manifest says."""
    if not evidence.parts:
        return not claimed.parts and _bare(claimed) == _bare(evidence)
    (truth,) = evidence.parts
    said = [part for part in claimed.parts if part.candidate == truth.candidate]
    return len(said) == 1 and _bare(said[0]) == _bare(truth)


def _bare(built: Built) -> Built:
    return replace(built, publication=0, kind=PUBLICATION)


def _conflict(mine: Built, newer: Built) -> str:
    if newer.kind == ROLLBACK:
        return "was rolled back while this candidate was built"
    read = dict(mine.inputs)
    if any(read[name] < number for name, number in newer.inputs if name in read):
        return "was published from newer inputs while this candidate was built"
    seen = dict(mine.sources)
    if any(seen[name] != content for name, content in newer.sources if name in seen):
        return "was published from other sources while this candidate was built"
    return ""
