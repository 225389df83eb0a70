"""What can be found: by name, column, description and tag; a catalogue for consumers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataops_mesh.web.catalogue import Words
from dataops_mesh.web.facts.domain import require_domain
from dataops_mesh.web.facts.mesh import standings
from dataops_mesh.web.facts.paging import require_page
from dataops_mesh.web.facts.standing import Standing
from dataops_mesh.web.view import View

PAGE = 25
_LONGEST, _COLUMNS = 200, 6


@dataclass(frozen=True, slots=True)
class Hit:
    """A product that was found, and by what.

    Args:
        columns: those whose name or meaning fits.
        tags: those that fit.
    """

    standing: Standing
    description: str
    columns: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What a search found; all products if nothing was asked for."""

    query: str
    domain: str
    domains: tuple[str, ...]
    found: int
    page: int
    pages: int
    hits: tuple[Hit, ...]


def search_page(view: View, query: str = "", domain: str = "", page: int = 1) -> SearchPage:
    """Return the products in which every word of the query occurs, the best first.

    Raises:
        UnknownNameError: there are not so many pages, or no such domain.
    """
    asked = query[:_LONGEST].lower().split()
    names = require_domain(view, domain) if domain else view.catalogue.products
    ranked = rank({name: view.catalogue.words[name] for name in names}, asked)
    pages = require_page(page, len(ranked), PAGE)
    here = ranked[(page - 1) * PAGE : page * PAGE]
    hits = tuple(_hit(view, one, asked) for one in standings(view, here))
    known = tuple(view.catalogue.domains)
    return SearchPage(query[:_LONGEST], domain, known, len(ranked), page, pages, hits)


def rank(words: Mapping[str, Words], asked: list[str]) -> list[str]:
    """Return the names in which every word occurs: in the name first, in the text last.

    >>> found = {"a.flights": Words("a.flights", "", "all of them", ()),
    ...          "a.planes": Words("a.planes", "", "what flights fly", ())}
    >>> rank(found, ["flights"])
    ['a.flights', 'a.planes']
    """
    if not asked:
        return sorted(words)
    scores = {name: _score(one, asked) for name, one in words.items()}
    return sorted((n for n, score in scores.items() if score), key=lambda n: (-scores[n], n))


def _score(words: Words, asked: list[str]) -> int:
    total = 0
    for word in asked:
        if word in words.name or word in words.title:
            total += 100
        elif any(word in column for column in words.columns):
            total += 20
        elif any(word in tag for tag in words.tags):
            total += 10
        elif word in words.text or any(word in text for text in words.columns.values()):
            total += 1
        else:
            return 0
    return total


def _hit(view: View, one: Standing, asked: list[str]) -> Hit:
    product = view.catalogue.products[one.product]
    columns = [
        column.name
        for port in product.outputs
        for column in port.contract.columns
        if any(w in column.name.lower() or w in column.description.lower() for w in asked)
    ]
    tags = [tag for tag in product.tags if any(word in tag.lower() for word in asked)]
    text = product.description or product.outputs[0].description if product.outputs else ""
    return Hit(one, text, tuple(dict.fromkeys(columns))[:_COLUMNS], tuple(tags))
