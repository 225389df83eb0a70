"""Chromium opens the pages of a mesh in which everything has happened: nobody is kept out.

As a desk and a phone show them, in both colour schemes, without JavaScript; pictures of them are
left in the test's folder. By default one page of each kind, in the long profile all of them.
"""

from __future__ import annotations

import json
import os

import pytest
from eventful import browser
from helpers import environment, mesh, run
from looking import DESKTOP, PHONE, answering, chromium, file_of

from dataops_mesh.errors import NotPublishedError
from dataops_mesh.watch.trouble import look

pytestmark = [pytest.mark.needs_a_browser, pytest.mark.timeout(600)]
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SERIOUS = {"moderate", "serious", "critical"}


@pytest.fixture(scope="module")
def window():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def url(pages):
    with answering(pages.app) as found:
        yield found


def kinds(paths: list[str]) -> list[str]:
    """Return one page of each kind; of products, those that stand in a way of their own."""
    first = {path.strip("/").partition("?")[0].partition("/")[0]: path for path in reversed(paths)}
    troubled = ("shop.orders", "shop.customers", "desk.late", "crew.held", "crew.gone")
    return sorted({*first.values(), *(f"/products/{name}" for name in troubled)})


def test_nobody_is_kept_out_of_a_page(pages, crawled, url, window, tmp_path):
    shown = [path for path in crawled if crawled[path].headers["content-type"][:9] == "text/html"]
    barriers, wide = {}, {}
    for path in shown if LONG else kinds(shown):
        for size, dark in ((DESKTOP, False), (PHONE, True)):
            window.visit(url + path, size, dark=dark)
            window.picture(tmp_path / f"{file_of(path)}-{size[0]}.png")
            found = window.examine()
            assert found["dark"] is dark
            if serious := [one for one in found["wrong"] if one["impact"] in SERIOUS]:
                barriers[path, size] = serious
            if found["wide"] > size[0]:  # only tables and the map scroll, each in its own box
                wide[path, size] = found["wide"]
    assert barriers == {}
    assert wide == {}


def test_a_phone_shows_at_once_what_is_broken_for_how_many_and_what_to_type(url, window):
    window.visit(url, PHONE)
    seen = window.seen()
    for product, word in (("desk.late", "late"), ("shop.orders", "refused"), ("crew.lost", "")):
        assert product in seen
        assert word in seen
    assert "6 read it" in seen
    assert "1 late with it" in seen  # with its cause
    assert "owner ana@mesh.example" in seen
    assert "mesh show " in seen


def test_a_failed_run_fits_a_phone(own, window):
    """Why it failed begins with a path, in which there is no place for a new line."""
    with pytest.raises(NotPublishedError):
        run(own, "crew.lost")
    look(mesh(own).products, environment(own))
    pages, wide = browser(own), {}
    product = json.loads(pages.get("/api/products/crew.lost").text)
    paths = [f"/candidates/{product['events'][0]['candidate']}"]
    paths += [f"/incidents/{one['incident']}" for one in product["incidents"]]
    assert len(paths) > 2  # what it reads was withdrawn, and its run failed
    with answering(pages.app) as url:
        for path in paths:
            window.visit(url + path, PHONE)
            if (found := window.examine())["wide"] > PHONE[0]:
                wide[path] = found["wide"]
    assert wide == {}


def test_a_barrier_would_be_found(window):
    page = '<html><body><img src="x.png"><p class="pale">pale</p></body></html>'
    window.visit(f"data:text/html,{page}", DESKTOP)
    assert {one["id"] for one in window.examine()["wrong"]} >= {"image-alt", "html-has-lang"}
