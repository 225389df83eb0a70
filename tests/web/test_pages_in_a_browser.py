"""Chromium finds no serious barrier on any kind of page, in both colour schemes and sizes."""

from __future__ import annotations

import pytest
from looking import DESKTOP, PHONE, examine

pytestmark = [pytest.mark.needs_a_browser, pytest.mark.timeout(300)]
SERIOUS = {"serious", "critical"}


@pytest.mark.parametrize(
    ("path", "dark"),
    [
        ("/", False), ("/", True), ("/products/shop.orders", False), ("/products/desk.late", True),
        ("/domains/crew", False), ("/search?q=orders", True), ("/publications/1", False),
        ("/api", True),
    ],
)  # fmt: skip
def test_nobody_is_kept_out_of_a_page(pages, path, dark):
    style = pages.get("/style.css").text
    found = examine(pages.get(path).text, style, PHONE if dark else DESKTOP, dark=dark)
    assert found["dark"] is dark
    assert [one for one in found["wrong"] if one["impact"] in SERIOUS] == []
    assert found["wide"] <= 0  # only tables and the map scroll, each in its own box


def test_a_barrier_would_be_found():
    page = '<html><body><img src="x.png"><p class="pale">pale</p></body></html>'
    found = examine(page, "", DESKTOP)
    assert {one["id"] for one in found["wrong"]} >= {"image-alt", "html-has-lang"}
