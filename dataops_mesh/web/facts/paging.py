"""Lists in pages: which pages there are."""

from __future__ import annotations

from dataops_mesh.errors import Problem, UnknownNameError


def require_page(page: int, found: int, at_once: int) -> int:
    """Return how many pages there are; the first is there even if nothing is on it.

    Raises:
        UnknownNameError: there is no page of this number.
    """
    pages = max(1, -(-found // at_once))
    if page > pages:
        what = f"there is no page {page}: the last is page {pages}"
        raise UnknownNameError(Problem(what, key="page", next=f"page={pages}"))
    return pages
