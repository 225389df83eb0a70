"""A folder above the workspace has a name in which DuckDB sees a pattern: a name is a name."""

from __future__ import annotations

import pytest
from dbt_cases import books, mesh
from helpers import a_product, an_input, read, run, write_product

PYTHON = a_product(
    {"ids": ["{name: id, logicalType: integer}"]},
    inputs=[an_input("shop.orders")],
    files={
        "transform.py": (
            "def transform(shop_orders):\n    return shop_orders.project('id::bigint as id')\n"
        )
    },
)


@pytest.mark.parametrize("name", ["a[1]b", "star*s q?m", "Zürich's {x}"])
def test_confined_code_reads_what_is_published(tmp_path, name):
    # What the pattern would match is somebody else's, with other rows.
    for folder, rows in (("a1b", "id,amount,note\n7,7,x\n8,8,x\n9,9,x\n"), (name, None)):
        root = tmp_path / folder
        root.mkdir()
        products = {"both": books("totals", "largest")} if "[" in name and rows is None else {}
        settings = mesh(root, **({"csv": rows} if rows else {}), **products)
    write_product(settings.root, "books", "ids", PYTHON)
    assert run(settings, "books.ids").published
    assert read(settings, "select id from books.ids order by id") == [(1,), (2,)]
    if "[" in name:
        report = run(settings, "books.both")
        assert report.published, report
        assert read(settings, "select orders, amount from books.totals") == [(2, 30)]
