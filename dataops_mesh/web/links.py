"""Where a page is: by its path, or, of files, relative to the page that says so."""

from __future__ import annotations

import os.path
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

Link = Callable[..., str]
# Of each kind of page: its folder below the start.
FOLDERS = {
    "domain": "domains", "product": "products", "publication": "publications",
    "candidate": "candidates", "incident": "incidents",
    "sandbox": "sandboxes",
}  # fmt: skip
PAGES = {"mesh": "", "wrong": "wrong", "happened": "happened", "search": "search",
         "metrics": "dataops", "sandboxes": "sandboxes", "plan": "plan",
         "api": "api"}  # fmt: skip


def served(kind: str, name: object = "", **query: object) -> str:
    """Return the path of a page.

    >>> served("product", "fleet.aircraft"), served("search", q="a b"), served("mesh")
    ('/products/fleet.aircraft', '/search?q=a+b', '/')
    """
    if kind == "style":
        return "/style.css"
    path = PAGES.get(kind)
    if path is None:
        path = f"{FOLDERS[kind]}/{quote(str(name))}"
    asked = {key: value for key, value in query.items() if value not in ("", None, 1)}
    return f"/{path}" + (f"?{urlencode(asked)}" if asked else "")


@dataclass(frozen=True, slots=True)
class Files:
    """Pages as files in a folder; what is no file has no link.

    Args:
        known: the files that are written.
        asked: those that pages link to, filled while they are written.
    """

    known: set[str]
    asked: dict[tuple[str, str, int], None] = field(default_factory=dict)

    def link_from(self, here: str) -> Link:
        """Return what says where a page is, seen from a file."""

        def link(kind: str, name: object = "", **query: object) -> str:
            number = query.get("page", 1)
            page = number if isinstance(number, int) else 1
            self.asked.setdefault((kind, str(name), page))
            target = file_of(kind, str(name), page)
            if target not in self.known:
                return ""
            return quote(os.path.relpath(target, os.path.dirname(here) or "."))  # noqa: PTH120

        return link


def file_of(kind: str, name: str = "", page: int = 1) -> str:
    """Return the file of a page.

    >>> file_of("product", "fleet.aircraft"), file_of("mesh"), file_of("domain", "fleet", 2)
    ('products/fleet.aircraft.html', 'index.html', 'domains/fleet-2.html')
    """
    if kind == "style":
        return "style.css"
    path = PAGES.get(kind)
    path = f"{FOLDERS[kind]}/{name}" if path is None else (path or "index")
    return f"{path}{'' if page == 1 else f'-{page}'}.html"
