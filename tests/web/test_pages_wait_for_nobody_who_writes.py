"""Pages only show, so who writes the ledger keeps nobody from looking at them."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager

from eventful import browser, orders
from helpers import environment, run, write_product

from dataops_mesh.settings import load_settings


@contextmanager
def somebody_writes(settings):
    """Hold SQLite's write lock, as a long transaction of another process does."""
    other = sqlite3.connect(environment(settings).store.ledger_file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_a_page_is_shown_while_another_process_writes_the_ledger(own):
    run(own, "shop.customers")  # whatever its last release left to be put on record
    pages = browser(own)
    assert pages.get("/").status == 200
    with somebody_writes(own):
        for path in ("/", "/wrong", "/products/shop.orders", "/api/mesh", "/happened", "/metrics",
                     "/dataops", "/search?q=shop"):  # fmt: skip
            assert pages.get(path).status == 200, path
        assert browser(own).get("/").status == 200, "and by a server that was started just now"


def test_what_is_not_yet_on_record_is_said_to_be_busy_and_nothing_is_guessed(own):
    write_product(own.root, "shop", "orders", orders("id\n1\n2\n3\n"))
    elsewhere = load_settings(own.root, ledger=f"sqlite:///{own.root}/elsewhere.sqlite")
    assert run(elsewhere, "shop.orders").publication is not None
    pages = browser(own)
    with somebody_writes(own):
        begun = time.monotonic()
        page, facts = pages.get("/"), pages.get("/api/mesh")
        assert time.monotonic() - begun < 15, "nobody looks at an empty window for half a minute"
    for answer in (page, facts):
        assert answer.status == 503
        assert "busy" in answer.text
        assert "try again" in answer.text
        assert "check the setting" not in answer.text
    assert pages.get("/").status == 200
