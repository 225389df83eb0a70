"""Compares how secret two versions of a column are."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_mesh.spec.classes import CLASSES, is_pii
from dataops_mesh.spec.model import Column

# From harmless to secret. Another name is of unknown rank: a change of it is a lowering.
RANKS = {name: rank for rank, name in enumerate(CLASSES)}
# No class at all counts as classified: samples leave the column out.
_UNDECLARED = RANKS["confidential"]


def protection(old: Column, new: Column) -> Iterator[tuple[str, str]]:
    """Return what changed of who may see a column: its class, its tags, its mask."""
    was, now = (old.classification or "").lower(), (new.classification or "").lower()
    if was != now:
        what = f"classification {was or 'undeclared'} to {now or 'undeclared'}"
        yield _classified(was, now), what
    lost = sorted(set(filter(is_pii, old.tags)) - set(new.tags))
    gained = sorted(set(filter(is_pii, new.tags)) - set(old.tags))
    if lost:
        yield "pii_removed", f"tag {', '.join(lost)} removed"
    if gained:
        yield "pii_added", f"tag {', '.join(gained)} added"
    if old.masking != new.masking:
        what = f"masking {old.masking or 'none'} to {new.masking or 'none'}"
        yield ("masking_removed" if old.masking else "masking_added"), what


def _classified(was: str, now: str) -> str:
    """Return the kind of a change of class.

    The first word about a column takes nothing back: nobody was promised another. To take a
    word away does, or else secret to nothing to public would be two harmless steps.

    >>> _classified("", "public"), _classified("restricted", ""), _classified("", "restricted")
    ('classified_first', 'classified_lower', 'classified_higher')
    """
    before, after = rank(was), rank(now)
    if not now:
        return "classified_higher" if before == 0 else "classified_lower"
    lower = before is None or after is None or after < before
    if lower:
        return "classified_lower" if was else "classified_first"
    return "classified_higher"


def rank(classification: str) -> int | None:
    """Return how secret a class is; None where nobody has said.

    >>> rank("public"), rank("top secret")
    (0, None)
    """
    return RANKS.get(classification.lower()) if classification else _UNDECLARED
