"""No page runs anything, changes anything, or holds a value of the data."""

from __future__ import annotations

import json
import re

import pytest
from eventful import COUNTED, HOSTILE, PERSON, PHONE, browser

KILOBYTES = 100


def test_every_link_leads_somewhere(crawled):
    assert {path: page.status for path, page in crawled.items() if page.status != 200} == {}
    kinds = {path.split("/")[1] for path in crawled}
    assert kinds >= {"", "products", "domains", "publications", "candidates", "incidents"}


def test_no_page_runs_a_script_or_asks_anybody_else(crawled):
    for path, page in crawled.items():
        if not page.headers["content-type"].startswith("text/html"):
            continue
        assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:", page.text), path
        assert not re.search(r"(src|href|action)=\"(https?:)?//", page.text), path
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"


def test_what_a_declaration_says_is_shown_and_never_run(crawled):
    shown = [path for path, page in crawled.items() if "&lt;script&gt;alert(1)" in page.text]
    assert "/products/shop.orders" in shown
    assert "/products/shop.customers" in shown
    for path, page in crawled.items():
        if page.headers["content-type"].startswith("text/html"):
            assert HOSTILE not in page.text, path


def test_nothing_of_a_classified_column_is_on_any_page(crawled, pages):
    facts = {f"/api{path if path != '/' else '/mesh'}" for path in crawled if path != "/api"}
    answers = {path: pages.get(path) for path in facts if not path.startswith("/api/api")}
    for path, page in {**crawled, **answers}.items():
        assert PERSON not in page.text, path
        assert PHONE not in page.text, path
        # How many rows break a rule about it is told where the rule failed, and nowhere else.
        for line in page.text.splitlines():
            assert "observed" in line or f">{COUNTED}<" not in line, path
    checks = json.loads(answers["/api/products/shop.customers"].text)["checks"]
    hidden = {check["name"]: check for check in checks if check["secret"]}
    assert "known" in hidden
    for check in hidden.values():
        assert [one["observed"] for one in check["before"]] == [None] * len(check["before"])
        assert check["outcome"] != "passed" or not check["reason"]


def test_pages_are_small(crawled):
    sizes = {path: len(page.text.encode()) // 1000 for path, page in crawled.items()}
    assert max(sizes.values()) < KILOBYTES, sizes


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(pages, method):
    assert pages.get("/", method).status == 405
    assert pages.get("/api/products/shop.orders", method).status == 405


def test_a_page_of_another_site_that_resolves_to_this_machine_reads_nothing(settings):
    local = browser(settings, ("localhost", "127.0.0.1"))
    assert local.get("/", host="localhost:8765").status == 200
    stranger = local.get("/", host="evil.example")
    assert stranger.status == 400
    assert "shop" not in stranger.text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing", "/products/no.such", "/domains/none", "/publications/0", "/publications/x",
        "/publications/99999999999999999999", "/candidates/../../etc/passwd", "/candidates/x",
        "/candidates/%00", "/incidents/' or 1=1", "/incidents/" + "9" * 4000, "/products/\u202e",
        "/domains/" + "a" * 9000,
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_plainly(pages, path):
    for answer in (pages.get(path), pages.get("/api" + path)):
        assert answer.status == 404
        assert "Traceback" not in answer.text
