"""docs/other-contracts.md: its blocks load and do what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import indent

import yaml
from helpers import a_product, a_source, product, read, run, write_workspace

from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.checks.coverage import unexecuted
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.types.systems import physical

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


def test_each_object_of_the_page_is_a_port(tmp_path):
    files = a_product(
        {"orders": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "orders.sql": "select 1 as id, now()::timestamp as placed_at from orders_csv",
            "order_lines.sql": "select 2 as id, 1 as order_id from orders_csv",
            "orders.csv": "id\n1\n",
        },
    )
    head = files.pop("orders.odcs.yaml").partition("schema:")[0]
    files["sales.odcs.yaml"] = head + BLOCKS[1]
    settings = write_workspace(tmp_path, {"shop": {"orders": files}})
    found = product(settings, "shop.orders")
    assert [str(port.address) for port in found.outputs] == ["shop.orders", "shop.order_lines"]
    assert [[sla.property for sla in port.contract.slas] for port in found.outputs] == [
        ["frequency", "freshness"],
        ["frequency"],
    ]
    run(settings, "shop.orders")
    assert read(settings, "select order_id from shop.order_lines") == [(1,)]


TYPES = {
    "NUMBER(38,0)": "DECIMAL(38,0)",
    "numeric(10,2)": "DECIMAL(10,2)",
    "int(11)": "INTEGER",
    "NVARCHAR2(9)": "VARCHAR",
    "GEOGRAPHY": None,
    "NUMBER": None,
    "float(3,2)": None,
}


def test_the_types_of_the_page_are_what_it_says():
    for written, wanted in TYPES.items():
        assert f"`{written}`" in PAGE
        found = physical(written)
        assert (found.name if found else None) == wanted


def test_the_column_of_the_page_is_checked_inside(tmp_path):
    column = yaml.safe_load(BLOCKS[2])
    files = a_product({"orders": [json.dumps(column)]}, files={"orders.sql": "select 1 as n"})
    found = product(write_workspace(tmp_path, {"shop": {"orders": files}}), "shop.orders")
    names = {check.name for check in checks_of(found)}
    inside = {name for name in names if name.startswith("basket__")}
    assert inside == {
        "basket__item_sku_required", "basket__item_sku_length", "basket__item_price_range",
    }  # fmt: skip
    assert all(f"`{name}`" in PAGE for name in inside)
    assert [one.what.split("`")[1] for one in unexecuted(found)] == ["unique"]
