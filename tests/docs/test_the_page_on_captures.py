"""The page on captures: what it shows is what is shown, and its words do what it says."""

from __future__ import annotations

import re
from pathlib import Path

from helpers import a_contract, a_product, a_source, environment, run, write_workspace
from typer.testing import CliRunner

from dataops_mesh.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "captures.md").read_text("utf-8")
COLUMNS = ["{name: id, logicalType: integer, primaryKey: true}"]


def squeezed(text: str) -> list[str]:
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


def test_the_page_says_what_show_says(tmp_path, monkeypatch):
    files = {"orders.sql": "select id from orders_csv", "orders.csv": "id,amount\n1,10\n2,20\n"}
    sources = [a_source("orders_csv", "orders.csv")]
    orders = a_product({"orders": COLUMNS}, inputs=sources, files=files)
    settings = write_workspace(tmp_path, {"shop": {"orders": orders}})
    run(settings, "shop.orders")
    monkeypatch.chdir(tmp_path)
    (shown,) = re.findall(r"```\n(captures\n.*?)```", PAGE, re.DOTALL)
    said = CliRunner().invoke(app, ["show", "shop.orders"])
    assert "\n".join(squeezed(shown)) in "\n".join(squeezed(said.output))


def test_the_words_of_the_page_do_what_it_says(tmp_path):
    (declared,) = re.findall(r"```yaml\n# domains/shop/orders/\S+\n(.*?)```", PAGE, re.DOTALL)
    files = {
        "product.odps.yaml": declared,
        "orders.odcs.yaml": a_contract("orders", COLUMNS),
        "orders.sql": "select id from orders_csv union select id from clicks_csv",
        "orders.csv": "id\n1\n",
        "clicks.csv": "id\n2\n",
    }
    settings = write_workspace(tmp_path, {"shop": {"orders": files}}, settings='capture = "0"\n')
    report = run(settings, "shop.orders")
    assert report.published
    assert [read.kept for read in report.reads] == ["store", ""]
    found = environment(settings).store.captures.glob("??/*")
    assert [path.read_text() for path in found] == ["id\n1\n"]


def test_the_page_builds_a_publication_again(tmp_path, monkeypatch):
    files = {"orders.sql": "select id from orders_csv", "orders.csv": "id,amount\n1,10\n2,20\n"}
    sources = [a_source("orders_csv", "orders.csv")]
    orders = a_product({"orders": COLUMNS}, inputs=sources, files=files)
    settings = write_workspace(tmp_path, {"shop": {"orders": orders}})
    run(settings, "shop.orders")
    (tmp_path / "domains/shop/orders/orders.csv").write_text("id,amount\n")
    monkeypatch.chdir(tmp_path)
    (shown,) = re.findall(r"```\n(port .*?)```", PAGE, re.DOTALL)
    said = CliRunner().invoke(app, ["run", "shop.orders", "--reproduce", "1"])
    assert said.exit_code == 0
    table, told = squeezed(shown)[:2], squeezed(shown)[2].partition(", built by ")[0]
    assert "\n".join(table) in "\n".join(squeezed(said.output))
    assert told in said.output
