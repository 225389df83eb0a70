"""The page on Dagster projects: its definitions load and run, its source is one."""

from __future__ import annotations

import re
from pathlib import Path

import dagster as dg
from helpers import a_product, a_source, product, read, write_workspace

PAGE = (Path(__file__).parents[2] / "docs" / "dagster.md").read_text("utf-8")
KEYED = ["{name: id, logicalType: integer, primaryKey: true, required: true}"]


def block(language: str, start: str) -> str:
    """Return the block of the page that begins so."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return next(text for text in found if text.startswith(start))


def orders() -> dict:
    return a_product(
        {"orders": KEYED},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.csv": "id\n1\n2\n", "orders.sql": "select id from orders_csv"},
    )


def test_the_definitions_of_the_page_load(tmp_path, monkeypatch):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(block("python", "import dagster as dg"), "page", "exec"), names)  # noqa: S102 - of our own page
    # Dagster takes one of a module, and no more.
    assert [k for k, v in names.items() if isinstance(v, dg.Definitions)] == ["defs"]
    job = names["defs"].resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    assert result.output_for_node("report") == 2
    assert read(settings, "select count(*) from shop.orders") == [(2,)]


def test_the_source_of_the_page_is_read(tmp_path):
    made = orders()
    head = str(made["product.odps.yaml"]).partition("inputPorts:")[0]
    given = block("yaml", "# in domains/shop/orders/product").partition("\n")[2]
    made["product.odps.yaml"] = head + given
    made["orders.sql"] = "select id from orders_raw"
    settings = write_workspace(tmp_path, {"shop": {"orders": made}})
    (port,) = product(settings, "shop.orders").inputs
    assert port.source is not None
    assert port.source.asset == "raw/orders"
