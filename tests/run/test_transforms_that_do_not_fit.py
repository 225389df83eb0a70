"""A transform that does not fit its declaration is said by name and line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from helpers import environment, product, run, write_product
from product_cases import PLAIN, python_shop, shop

from dataops_mesh.errors import DeclarationError, TransformError
from dataops_mesh.store.release import latest

UNDECLARED = {
    "a table": ("select id, amount from orders_csv join secrets using (id)", '"secrets"'),
    "a file": ("select id, amount\nfrom orders_csv, read_csv('/etc/passwd')", "read_csv()"),
    "a file by its name": ("select id, amount\nfrom orders_csv, '/etc/passwd'", "/etc/passwd"),
    "another domain's port": ("select id, amount\nfrom orders_csv, fleet.aircraft", '"fleet.aircraft"'),
    "a table of the engine": ("select id, amount\nfrom orders_csv, duckdb_settings()", "duckdb_settings()"),
    "in a subquery": ("select id, (select max(x)\nfrom Hidden.Things) as amount from orders_csv", '"hidden.things"'),
}  # fmt: skip


@pytest.mark.parametrize("case", UNDECLARED)
def test_sql_that_reads_what_is_not_declared_is_refused_by_name(tmp_path: Path, case: str) -> None:
    sql, name = UNDECLARED[case]
    settings = shop(tmp_path, sql)
    with pytest.raises(DeclarationError) as caught:
        run(settings, "shop.orders")
    problem = next(p for p in caught.value.problems if name in p.what)
    line = 2 if "\n" in sql else 1
    assert str(problem.where) == f"domains/shop/orders/orders.sql:{line}"
    assert latest(environment(settings).store).ports == {}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select 1 as id, 2 as amount", "no SQL file reads it"),
        ("copy orders_csv to 'x'", "SELECT"),
        ("select id, amount from orders_csv; drop table x", "one statement"),
        ("", "empty"),
        ("select id, amount from orders_csv where (", "not valid SQL"),
    ],
)
def test_sql_that_is_not_one_select_of_its_inputs_is_refused(
    tmp_path: Path, sql: str, words: str
) -> None:
    settings = shop(tmp_path, sql)
    with pytest.raises(DeclarationError, match=words) as caught:
        run(settings, "shop.orders")
    assert caught.value.problems[0].where is not None


def test_sql_in_an_unknown_encoding_and_an_opaque_source_are_said(tmp_path: Path) -> None:
    settings = shop(tmp_path, more="format: file")
    with pytest.raises(DeclarationError, match="opaque file"):
        run(settings, "shop.orders")
    write_product(tmp_path, "shop", "orders", {"orders.sql": b"select \xff"})
    with pytest.raises(DeclarationError, match="is not UTF-8 text"):
        run(settings, "shop.orders")


WRONG_RETURNS = {
    "nothing": "return None",
    "a number": "return 7",
    "a list": "return [orders_csv]",
    "a generator": "yield orders_csv",
    "a missing port": "return {}",
    "an extra port": "return {'orders': orders_csv, 'extra': orders_csv}",
    "a misspelled port": "return {'order': orders_csv}",
    "a port without rows": "return {'orders': None}",
    "a file name": "return {'orders': __import__('pathlib').Path('x.parquet')}",
}


@pytest.mark.parametrize("case", WRONG_RETURNS)
def test_a_transform_that_returns_something_else_is_an_error(tmp_path: Path, case: str) -> None:
    settings = python_shop(tmp_path, f"def transform(orders_csv):\n    {WRONG_RETURNS[case]}\n")
    with pytest.raises(TransformError) as caught:
        run(settings, "shop.orders")
    (problem,) = caught.value.problems
    assert str(problem.where) == "domains/shop/orders/transform.py:1"
    assert problem.choices


def test_two_ports_need_a_mapping(tmp_path: Path) -> None:
    settings = python_shop(tmp_path, PLAIN, ports=2)
    with pytest.raises(TransformError, match="exactly its ports"):
        run(settings, "shop.orders")


UNFIT = {
    "no function": ("x = 1\n", "defines no function"),
    "not Python": ("def transform(:\n", "not Python"),
    "an unknown parameter": ("def transform(orders_csv, order_csv): ...\n", "did you mean"),
    "an input that is no parameter": ("def transform(now): ...\n", "is no parameter"),
    "an unknown annotation": ("def transform(orders_csv: int): ...\n", "annotation"),
    "a polars series": ("import polars as pl\ndef transform(orders_csv: pl.Series): ...\n", "annotation"),
    "a path to a table": ("def transform(orders_csv: pathlib.Path): ...\n", "annotation"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_a_function_that_does_not_fit_the_declaration_is_seen_without_running_it(
    tmp_path: Path, case: str
) -> None:
    from dataops_mesh.transform.validate import transform_problems

    text, words = UNFIT[case]
    settings = python_shop(tmp_path, text)
    found = transform_problems(product(settings, "shop.orders"))
    assert any(words in problem.what for problem in found)
    assert all(str(p.where).startswith("domains/shop/orders/transform.py:") for p in found)


def test_a_transform_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    from dataops_mesh.transform.validate import transform_problems

    settings = python_shop(tmp_path, PLAIN)
    found = product(settings, "shop.orders")
    found.transform.files[0].unlink()
    assert "No such file" in transform_problems(found)[0].what


def test_sql_that_would_run_for_hours_is_ended_at_its_limit(tmp_path: Path) -> None:
    endless = "select sum(a.range * b.range % 7) as id, 1 as amount from orders_csv, "
    endless += "range(1000000) a, range(10000000) b"
    settings = shop(tmp_path, endless).model_copy(update={"transform_limit": 0.5})
    before = time.monotonic()
    with pytest.raises(TransformError, match=r"longer than 0\.5 seconds") as caught:
        run(settings, "shop.orders")
    assert time.monotonic() - before < 20
    assert str(caught.value.problems[0].where) == "domains/shop/orders/orders.sql:1"
    assert latest(environment(settings).store).number == 0
