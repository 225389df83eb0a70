"""Products whose contracts let rows be set aside, and what a build has set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from dataops_mesh.run.report import Report
from dataops_mesh.settings import Settings
from tests.helpers import a_contract, a_product, a_source, environment, write_workspace

KEY = "{name: id, logicalType: integer, primaryKey: true, classification: public}"
CSV = "id,amount\n1,10\n2,\n3,-5\n4,40\n"


def aside(most: str) -> str:
    """Return the custom properties of a column or a rule that may set so many rows aside."""
    setting = f"{{property: onFailure, vendor: dataops_mesh, value: {{quarantine: {most}}}}}"
    return f"customProperties: [{setting}]"


def amount(most: str, more: str = "") -> str:
    """Return a column of which neither null nor less than nothing is right."""
    return (
        "{name: amount, logicalType: integer, required: true, "
        f"logicalTypeOptions: {{minimum: 0}}, {aside(most)}{more}}}"
    )


def orders(
    most: str = "2 rows", csv: str = CSV, python: str = "", sql: str = "from orders_csv"
) -> dict[str, str | bytes]:
    files = {"transform.py": python} if python else {"orders.sql": sql}
    return a_product(
        {"orders": a_contract("orders", [KEY, amount(most)])},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.csv": csv, **files},
    )


def shop(root: Path, *args: Any, **kwargs: Any) -> Settings:
    return write_workspace(root, {"shop": {"orders": orders(*args, **kwargs)}})


def rows_aside(settings: Settings, report: Report, port: str = "orders") -> list[tuple[Any, ...]]:
    """Return what a build has set aside of a port, as DuckDB reads the files."""
    folder = environment(settings).store.candidates / report.candidate / f"{port}.quarantine"
    if not folder.exists():
        return []
    with duckdb.connect() as con:
        return con.execute(f"from read_parquet('{folder}/*.parquet') order by 1").fetchall()
