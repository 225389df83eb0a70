"""An input that cannot be read is said with its place, and nothing is published."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_product, an_input, environment, product, run, write_workspace
from product_cases import manifests, orders, python_shop, shop

from dataops_mesh.errors import NotPublishedError, SourceError
from dataops_mesh.store.manifest import ERROR


def test_an_input_that_nobody_published_names_the_next_command(tmp_path: Path) -> None:
    totals = a_product(
        {"totals": ["{name: total, logicalType: integer}"]},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select sum(amount)::bigint as total from shop.orders"},
    )
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders()}, "books": {"totals": totals}}
    )
    with pytest.raises(NotPublishedError) as caught:
        run(settings, "books.totals")
    (problem,) = caught.value.problems
    assert "shop.orders" in problem.what
    assert problem.next == "mesh run shop"
    assert str(problem.where) == "domains/books/totals/product.odps.yaml:5"


def test_a_source_that_is_missing_is_said_with_its_line(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    (tmp_path / "domains/shop/orders/orders.csv").unlink()
    with pytest.raises(SourceError, match="no file at") as caught:
        run(settings, "shop.orders")
    assert caught.value.problems[0].where is not None


def test_a_source_that_the_disk_cannot_give_is_a_source_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop(tmp_path)
    from dataops_mesh.run.inputs import bind

    def unreadable(*_: object) -> str:
        raise PermissionError(13, "Permission denied", "orders.csv")

    monkeypatch.setattr(bind, "fingerprint", unreadable)  # root may read everything
    with pytest.raises(SourceError, match="Permission denied"):
        run(settings, "shop.orders")


def test_a_source_of_another_format_is_a_source_error_without_values(tmp_path: Path) -> None:
    settings = shop(tmp_path, more="format: parquet")
    with pytest.raises(SourceError) as caught:
        run(settings, "shop.orders")
    assert "10" not in str(caught.value.problems[0].what)


def test_a_source_that_changes_while_it_is_read_is_not_published(tmp_path: Path) -> None:
    settings = python_shop(tmp_path, "def transform(orders_csv):\n    return orders_csv\n")
    file = tmp_path / "domains/shop/orders/orders.csv"

    def progress(line: str) -> None:
        if line.startswith("building"):  # pinned already
            file.write_text(file.read_text() + "3,30\n")

    from dataops_mesh.run.product import run_product

    found = product(settings, "shop.orders")
    with pytest.raises(SourceError, match="changed while it was read"):
        run_product(found, environment(settings), run_id="late", progress=progress)
    assert manifests(settings)[0].verdict == ERROR
