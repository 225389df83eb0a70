"""The same pages as files, for a wiki, an archive, or whoever has no server."""

from __future__ import annotations

from pathlib import Path

from dataops_mesh.errors import MeshError
from dataops_mesh.run.environment import Environment
from dataops_mesh.store import files
from dataops_mesh.web.catalogue import Catalogue
from dataops_mesh.web.links import Files, file_of
from dataops_mesh.web.pages import PAGES, Page, html_of
from dataops_mesh.web.render import STYLE
from dataops_mesh.web.view import View, view_of

MENU = ("mesh", "search", "happened", "metrics", "plan", "sandboxes")
_DEPTH = (
    "mesh",
    "plan",
    "metrics",
    "sandboxes",
    "sandbox",
    "wrong",
    "happened",
    "search",
    "domain",
    "product",
)
_RECORDS = ("publication", "candidate", "incident")
_BY_KIND = {page.kind: page for page in PAGES}
Name = tuple[str, str, int]  # kind, name, page


def write_pages(environment: Environment, catalogue: Catalogue, folder: Path) -> int:
    """Write every page that a link of the pages of products leads to; return how many.

    What these lead to in turn stays words, or the whole history would follow.

    Args:
        environment: the store and the settings.
        catalogue: the declarations.
        folder: where they go; files of an earlier time are written over.
    """
    with view_of(environment, catalogue) as view:
        written = Files(set())
        wanted: list[Name] = [("mesh", "", 1), *(("product", n, 1) for n in catalogue.products)]
        done = _texts(view, written, wanted, _DEPTH)
        records = [one for one in written.asked if one[0] in _RECORDS]
        done |= _texts(view, written, records, ())
        written.known.update({*done, file_of("style")})
        texts = {file: _text(view, written, *name) for file, name in done.items()}
    for file, text in texts.items():
        _write(folder / file, text)
    _write(folder / file_of("style"), STYLE.read_text("utf-8"))
    return len(texts)


def _texts(
    view: View, written: Files, wanted: list[Name], follow: tuple[str, ...]
) -> dict[str, Name]:
    """Make pages once to see what they lead to; return those that there are, by their files."""
    done: dict[str, Name] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        file = file_of(*name)
        if file in done or name[0] not in _BY_KIND:
            continue
        before = len(written.asked)
        try:
            _text(view, written, *name)
        except MeshError:  # collected meanwhile: it stays words
            continue
        done[file] = name
        waiting += [one for one in list(written.asked)[before:] if one[0] in follow]
    return done


def _text(view: View, written: Files, kind: str, name: str, number: int) -> str:
    page: Page = _BY_KIND[kind]
    facts = page.facts(view, {"name": name, "page": str(number)})
    return html_of(page, facts, view, written.link_from(file_of(kind, name, number)), MENU)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    files.replace(file, text.encode(), durable=False)
