"""A table with sentences is as wide as a page, however many of its columns have some (B41)."""

from __future__ import annotations

import pytest

from dataops_mesh.cli.output import PAGE, Format, show

WORDS = "the auditor of the group reads it until Friday, and nobody else may publish before"


@pytest.mark.parametrize("wrap", ["why", ("why", "ends"), ("why", "gone")])
def test_sentences_make_a_table_wider_than_a_page(capsys, wrap):
    rows = [{"port": "shop.orders", "why": WORDS, "ends": "" if "ends" not in wrap else WORDS}]
    show(rows, Format.TABLE, columns=("port", "why", "ends"), wrap=wrap)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= PAGE
    assert sorted(" ".join(lines[1:]).split()).count("auditor") == 1 + ("ends" in wrap)
    assert all(word in " ".join(lines) for word in WORDS.split())
