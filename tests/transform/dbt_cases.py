"""A workspace whose product of two ports is a dbt project."""

from __future__ import annotations

from pathlib import Path

from helpers import a_product, a_setting, a_source, an_input, run, write_product, write_workspace

from dataops_mesh.settings import Settings

IBAN = "DE89370400440532013000"
GOOD = "id,amount,note\n1,10,a\n2,20,b\n"
PROJECT = {
    "dbt_project.yml": (
        "name: books\nversion: 1.0.0\nprofile: elsewhere\nmodel-paths: [models]\n"
        "flags: {send_anonymous_usage_stats: false}\n"
        "models: {books: {+materialized: view}}\n"
    ),
    "profiles.yml": (
        "elsewhere:\n  target: production\n  outputs:\n    production:\n      type: duckdb\n"
        "      path: @root/production.duckdb\n"
    ),
    "models/sources.yml": (
        "version: 2\nsources:\n  - {name: shop, database: mesh, schema: shop, tables: [{name: orders}]}\n"
    ),
    "models/staged.sql": "select id, amount, note from {{ source('shop', 'orders') }}\n",
    "models/totals.sql": (
        "{{ config(materialized='table') }}\n"
        "select count(*)::integer as orders, sum(amount)::integer as amount from {{ ref('staged') }}\n"
    ),
    "models/largest.sql": "select id from {{ ref('staged') }} order by amount desc limit 1\n",
    "models/schema.yml": (
        "version: 2\nmodels:\n"
        "  - name: staged\n    columns:\n      - {name: id, data_tests: [unique, not_null]}\n"
        "  - name: totals\n    access: public\n"
        "    columns:\n      - {name: amount, data_tests: [not_null]}\n"
        "  - name: largest\n    access: public\n"
    ),
    "tests/amount_is_low.sql": (
        "{{ config(severity='warn') }}\nselect * from {{ ref('totals') }} where amount > 100\n"
    ),
}  # fmt: skip
PORTS = {
    "totals": ["{name: orders, logicalType: integer}", "{name: amount, logicalType: integer}"],
    "largest": ["{name: id, logicalType: integer, primaryKey: true}"],
}
ORDERS = [
    "{name: id, logicalType: integer}",
    "{name: amount, logicalType: integer}",
    "{name: note, logicalType: string}",
]


def books(*ports: str, select: str = "", inputs: tuple[str, ...] = ("shop.orders",)) -> dict:
    chosen = f", select: {select}" if select else ""
    return a_product(
        {port: PORTS[port] for port in ports},
        inputs=[an_input(address) for address in inputs],
        settings=a_setting("transform", f"{{dbt: {{project: ../../../project{chosen}}}}}"),
        files={},
    )


def mesh(root: Path, csv: str = GOOD, **products: dict) -> Settings:
    orders = a_product(
        {"orders": ORDERS},
        inputs=[a_source("rows", "rows.csv")],
        files={
            "orders.sql": "select id::int as id, amount::int as amount, note from rows",
            "rows.csv": csv,
        },
    )
    settings = write_workspace(
        root,
        {"shop": {"orders": orders}, "books": products or {"both": books("totals", "largest")}},
    )
    write_project(root, PROJECT)
    run(settings, "shop.orders")
    return settings


def write_project(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("@root", str(root)), "utf-8")


def deliver(settings: Settings, csv: str) -> None:
    write_product(settings.root, "shop", "orders", {"rows.csv": csv})
    run(settings, "shop.orders")
