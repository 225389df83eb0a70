"""What a run must publish, with its evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import (
    a_product,
    a_source,
    an_input,
    environment,
    product,
    read,
    run,
    write_product,
    write_workspace,
)
from product_cases import AMOUNT, KEY, PLAIN, manifests, orders, python_shop, shop

from dataops_mesh.gate import Publish
from dataops_mesh.store.manifest import pending_refs


def test_a_good_sql_product_is_published_with_its_evidence(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    stages: list[str] = []
    from dataops_mesh.run.product import run_product

    report = run_product(
        product(settings, "shop.orders"),
        environment(settings),
        run_id="r1",
        progress=stages.append,
    )
    assert report.published
    assert isinstance(report.decision, Publish)
    assert report.publication == 1
    assert report.rows == 2
    assert report.executed == len(report.checks) == len(report.results)
    assert report.notes == ()
    assert not report.retryable
    assert report.seconds > 0
    assert [str(address) for address in report.changed] == ["shop.orders"]
    assert stages[-1] == "published as 1"
    assert read(settings, "select id, amount from shop.orders order by id") == [(1, 10), (2, 20)]
    (manifest,) = manifests(settings)
    assert manifest.verdict == "publish"
    assert manifest.person == "ana"
    assert manifest.results == report.results
    assert manifest.inputs[0].fingerprint
    assert pending_refs(environment(settings).store) == ()


def test_the_same_content_again_is_no_change(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    again = run(settings, "shop.orders")
    assert again.publication == 2
    assert again.changed == ()


FORMS = {
    "relation without annotation": PLAIN,
    "relation": "import duckdb\n"
    + PLAIN.replace("orders_csv)", "orders_csv: duckdb.DuckDBPyRelation)"),
    "lazy relation": "def transform(orders_csv):\n    return orders_csv.filter('id > 0').project('id, amount')\n",
    "table": "import pyarrow as pa\n" + PLAIN.replace("orders_csv)", "orders_csv: pa.Table)"),
    "reader": "import pyarrow\n"
    + PLAIN.replace("orders_csv)", "orders_csv: pyarrow.RecordBatchReader)"),
    "pandas": (
        "import pandas as pd\n"
        "def transform(orders_csv: pd.DataFrame) -> pd.DataFrame:\n"
        "    return orders_csv[orders_csv['id'] > 0]\n"
    ),
    "polars": "import polars as pl\n" + PLAIN.replace("orders_csv)", "orders_csv: pl.DataFrame)"),
    "lazy polars": (
        "import polars as pl\n"
        "def transform(orders_csv: pl.LazyFrame) -> pl.DataFrame:\n"
        "    return orders_csv.filter(pl.col('id') > 0).collect()\n"
    ),
    "text annotation": PLAIN.replace("orders_csv)", "orders_csv: 'pyarrow.Table')"),
    "a mapping of its one port": PLAIN.replace(
        "return orders_csv", "return {'orders': orders_csv}"
    ),
    "keyword only": PLAIN.replace("(orders_csv)", "(*, orders_csv)"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_python_transform_publishes_the_same_rows(tmp_path: Path, form: str) -> None:
    settings = python_shop(tmp_path, FORMS[form])
    report = run(settings, "shop.orders")
    assert report.published, report.decision
    assert read(settings, "select id, amount from shop.orders order by id") == [(1, 10), (2, 20)]


def test_an_opaque_file_and_the_clock_reach_a_python_transform(tmp_path: Path) -> None:
    transform = (
        "import pathlib\nfrom datetime import datetime\nimport pyarrow as pa\n"
        "def transform(letter: pathlib.Path, now: datetime):\n"
        "    n = len(letter.read_text())\n"
        "    return pa.table({'id': [n], 'amount': [now.year]})\n"
    )
    files = a_product(
        {"orders": [KEY, AMOUNT]},
        inputs=[a_source("letter", "letter.txt", more="format: file")],
        files={"transform.py": transform, "letter.txt": "hello"},
    )
    settings = write_workspace(
        tmp_path, {"shop": {"orders": files}}, settings='now = "2013-05-01T00:00:00Z"\n'
    )
    assert run(settings, "shop.orders").published
    assert read(settings, "select id, amount from shop.orders") == [(5, 2013)]
    assert manifests(settings)[0].now.year == 2013


def test_two_ports_of_one_python_transform_are_published_together(tmp_path: Path) -> None:
    transform = "def transform(orders_csv):\n    return {'orders': orders_csv, 'more': orders_csv.limit(1)}\n"
    settings = python_shop(tmp_path, transform, ports=2)
    report = run(settings, "shop.orders")
    assert report.published
    assert read(
        settings, "select (select count(*) from shop.orders), (select count(*) from shop.more)"
    ) == [(2, 1)]


def test_a_transform_that_was_edited_is_the_one_that_runs(tmp_path: Path) -> None:
    settings = python_shop(tmp_path, PLAIN)
    first = run(settings, "shop.orders")
    write_product(
        tmp_path,
        "shop",
        "orders",
        {"transform.py": PLAIN.replace("return orders_csv", "return orders_csv.limit(1)")},
    )
    second = run(settings, "shop.orders")
    assert (first.rows, second.rows) == (2, 1)
    assert first.code_version != second.code_version


@pytest.mark.parametrize(
    "sql",
    [
        "select id, amount from orders_csv -- the last line is a comment",
        "select id, amount from orders_csv; -- done",
        "select id, amount from orders_csv ;\n/* ä € */ ;\n",
        "-- first: 'it''s; a; comment'\nFROM orders_csv SELECT id, amount",
        "with orders as (select * from orders_csv) select id, amount from orders",
        "(select id, amount from orders_csv)",
        "select id, amount from ORDERS_CSV order by id limit 5",
    ],
)
def test_any_way_to_write_one_select_is_published(tmp_path: Path, sql: str) -> None:
    settings = shop(tmp_path, sql)
    assert run(settings, "shop.orders").published
    assert read(settings, "select count(*) from shop.orders") == [(2,)]


def test_a_product_reads_the_publication_of_another_and_says_which(tmp_path: Path) -> None:
    totals = a_product(
        {"totals": ["{name: total, logicalType: integer}"]},
        inputs=[an_input("shop.orders", "{column: amount, metric: nullValues, mustBe: 0}")],
        files={"totals.sql": "select sum(amount)::bigint as total from shop.orders"},
    )
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders()}, "books": {"totals": totals}}
    )
    run(settings, "shop.orders")
    report = run(settings, "books.totals")
    assert report.published
    assert [(read.name, read.publication) for read in report.reads] == [("shop.orders", 1)]
    assert read(settings, "select total from books.totals") == [(30,)]
