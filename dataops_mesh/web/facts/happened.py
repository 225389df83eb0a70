"""What happened in the mesh, newest first; and all that is wrong, in pages."""

from __future__ import annotations

from dataclasses import dataclass

from dataops_mesh.ledger.days import Happening, happenings
from dataops_mesh.web.facts.held import Held, held_now
from dataops_mesh.web.facts.paging import require_page
from dataops_mesh.web.facts.pieces import with_pieces
from dataops_mesh.web.facts.wrong import Wrong
from dataops_mesh.web.view import View

PAGE = 50


@dataclass(frozen=True, slots=True)
class HappenedPage:
    """Builds, newest first.

    Args:
        before: what to ask for to see older ones; empty at the end.
    """

    happenings: tuple[Happening, ...]
    before: str


@dataclass(frozen=True, slots=True)
class WrongPage:
    """Everything that is wrong now, causes first, and everything that people hold."""

    wrong: tuple[Wrong, ...]
    wrong_in_all: int
    held: tuple[Held, ...]
    held_in_all: int
    page: int
    pages: int


def happened_page(view: View, before: str = "") -> HappenedPage:
    """Return what happened before a moment; the newest if none is said."""
    found = with_pieces(view, happenings(view.ledger, PAGE, before=before))
    return HappenedPage(found, found[-1].at.isoformat() if len(found) == PAGE else "")


def wrong_page(view: View, page: int = 1) -> WrongPage:
    """Return a page of what is wrong."""
    held = held_now(view.release)
    wrong = tuple(sorted(view.wrong(), key=lambda one: bool(one.because)))
    begin, end = (page - 1) * PAGE, page * PAGE
    pages = require_page(page, max(len(wrong), len(held)), PAGE)
    return WrongPage(wrong[begin:end], len(wrong), held[begin:end], len(held), page, pages)
