"""The page on shared building blocks: its files, as they stand there, make two products."""

from __future__ import annotations

import re
from pathlib import Path

from helpers import a_contract, a_product, a_source, an_input, mesh, read, run, write_workspace

from dataops_mesh.cli.planning import plan_of

PAGE = (Path(__file__).parents[2] / "docs" / "shared.md").read_text("utf-8")
FILES = dict(re.findall(r"```\w+\n(?:#|--) (\S+)\n(.*?)```", PAGE, re.DOTALL))
ROWS = "id,amount,ship_to,loaded_at\n1,10,DE,2026-01-01T00:00:00Z\n2,20,FR,2026-01-02T00:00:00Z\n"


def test_the_files_of_the_page_make_products_that_are_published(tmp_path: Path) -> None:
    orders = a_product(
        {}, inputs=[a_source("orders_csv", "orders.csv")], files={"orders.csv": ROWS}
    )
    columns = ["{name: id, logicalType: integer}", "{name: region, logicalType: string}"]
    regions = a_product(
        {"orders_by_region": a_contract("orders_by_region", columns)},
        inputs=[an_input("sales.orders")],
        files={},
    )
    domain = {"sales": {"orders": orders, "orders_by_region": regions}}
    settings = write_workspace(tmp_path, domain)
    assert len(FILES) == 6
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    assert run(settings, "sales.orders").published
    assert run(settings, "sales.orders_by_region").published
    assert read(settings, "select euro, region from sales.orders join sales.orders_by_region using (id) order by id") == [
        (9.2, "north"), (18.4, "south"),
    ]  # fmt: skip
    for name, users in {
        "shared/columns.odcs.yaml": ["sales.orders"],
        "shared/money.sql": ["sales.orders"],
        "domains/sales/shared/regions.py": ["sales.orders_by_region"],
    }.items():
        text = FILES[name].replace("rowCount, mustBe", "rowCount, description: x, mustBe")
        text = text.replace("rate, 2", "rate, 3").replace("south", "west")
        (tmp_path / name).write_text(text, "utf-8")
        planned = plan_of(settings, mesh(settings), [], "published").products
        assert [one.product for one in planned] == users
        (tmp_path / name).write_text(FILES[name], "utf-8")
