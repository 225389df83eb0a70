"""docs/other-contracts.md: its blocks load and do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

from helpers import a_product, a_source, product, write_workspace

from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.checks.coverage import unexecuted
from dataops_mesh.spec.model import Product

PAGE = (Path(__file__).parents[2] / "docs" / "other-contracts.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def a_shop(root: Path, more: str) -> Product:
    files = a_product(
        {"orders": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id from orders_csv", "orders.csv": "id\n1\n"},
    )
    files["orders.odcs.yaml"] = files["orders.odcs.yaml"].rstrip() + "\n" + indent(more, "    ")
    return product(write_workspace(root, {"shop": {"orders": files}}), "shop.orders")


def test_the_rules_of_the_page_are_executed_or_named(tmp_path):
    found = a_shop(tmp_path, BLOCKS[0])
    assert {"some", "none_old"} <= {check.name for check in checks_of(found)}
    assert [one.what.split('"')[1] for one in unexecuted(found)] == ["few", "some"]
