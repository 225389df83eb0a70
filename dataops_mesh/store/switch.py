"""What a commit does to one address: pure functions on entries, whole or in partitions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dataops_mesh.spec.cut import same_cut
from dataops_mesh.store.hold import ROLLBACK
from dataops_mesh.store.tree.entry import Entry
from dataops_mesh.store.tree.part import PUBLICATION, Part, together

Built = Entry | Part


def without_part(current: Entry, key: str) -> Entry | None:
    """Return what is left of a port without one partition; None if nothing is."""
    return without_parts(current, (key,))


def without_parts(current: Entry, keys: Collection[str]) -> Entry | None:
    """Return what is left of a port without some partitions; None if nothing is."""
    parts = tuple(part for part in current.parts if part.key not in keys)
    if not parts:
        return None
    total, forms = together(parts)
    rows = sum(part.rows for part in parts)
    last = max(parts, key=lambda part: part.publication)
    left = replace(current, candidate=last.candidate, rows=rows, parts=parts)
    return replace(left, fingerprint=total, forms=forms)


def conflict(entry: Entry, newer: Entry, since: int, *, serial: bool) -> str:
    """Return why an entry may not follow one published after its run began; or nothing."""
    if not entry.parts or not newer.parts:
        return _conflict(entry, newer)
    for part in newer.newer_than(since):
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
    if not current.cut or same_cut(current.cut, cut):
        return ""
    return (
        f"is published in partitions that are {current.cut} (among them {current.parts[0].key}), "
        f"and one that is {cut} would repeat their rows"
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
    if whole and len(current.parts) != len(entry.parts):
        return False
    pairs = ((current.part(part.key), part) for part in entry.parts)
    return all(found is not None and found.candidate == part.candidate for found, part in pairs)


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
