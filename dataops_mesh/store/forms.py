"""The forms of a port: what everybody reads, and what each role of its contract reads.

Each has a fingerprint of its own, so that a reader is woken by what it reads. A port of one form
has none of these: its fingerprint is that of the form. So it is with what older versions of the
library published, whose one fingerprint is that of all forms together.
"""

from __future__ import annotations

MASKED = ""  # the form that everybody reads: no role is called so
Forms = tuple[tuple[str, str], ...]  # the role that reads a form, and its fingerprint


def form_of(forms: Forms, role: str, together: str) -> str:
    """Return the fingerprint of the form that is read by a role, or without one.

    Args:
        forms: those that there are.
        role: empty for the form that everybody reads.
        together: the fingerprint of all of them.

    >>> form_of((("", "m"), ("fraud", "c")), "fraud", "t"), form_of((), "fraud", "t")
    ('c', 't')
    """
    return dict(forms).get(role, together)
