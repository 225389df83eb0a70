"""The site has every page once, its reference is that of the code, and its links lead somewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))

from reference import PAGES  # noqa: E402 - beside this file

DOCS = REPOSITORY / "docs"


def listed(nav) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    inner = nav.values() if isinstance(nav, dict) else nav
    return [page for one in inner for page in listed(one)]


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", one)) for one in heads)
    return {re.sub(r"[-\s]+", "-", one.strip().lower()) for one in plain}


def test_every_page_is_in_the_navigation_once():
    site = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text("utf-8"))
    assert sorted(listed(site["nav"])) == sorted(page.name for page in DOCS.glob("*.md"))
    assert site["strict"] is True


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_reference_is_that_of_the_code(page):
    assert (DOCS / page).read_text("utf-8") == PAGES[page](), "make reference"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_to_pages_and_headings(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http", "mailto")):
            continue
        file, _, anchor = target.partition("#")
        other = page if not file else page.parent / file
        assert other.is_file(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(other), f"{page.name}: {target}"
