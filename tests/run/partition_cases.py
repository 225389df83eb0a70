"""Sales by month: a product of partitions."""

import uuid

from dataops_mesh.run.product import run_product
from tests.helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    product,
    read,
    write_workspace,
)

CADENCE = "{cadence: monthly, start: '2020-01-01'}"
COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true}",
    "{name: day, logicalType: date, primaryKey: true, partitioned: true, classification: public}",
    "{name: amount, logicalType: integer, required: true, classification: public}",
]
SQL = (
    "select id, day, amount from sales_csv where day >= partition_start() and day < partition_end()"
)
MONTHS = ("2020-01-01", "2020-02-01", "2020-03-01")


def contract(columns=COLUMNS, cadence=CADENCE):
    return a_contract("sales", columns) + "customProperties:\n" + a_setting("partitions", cadence)


def csv(*rows: str):
    return "id,day,amount\n" + "".join(f"{row}\n" for row in rows)


THREE = csv("1,2020-01-05,10", "2,2020-02-05,20", "3,2020-03-05,30")


def sales(rows=THREE, sql=SQL, contract_text=None):
    return a_product(
        {"sales": contract_text or contract()},
        inputs=[a_source("sales_csv", "sales.csv")],
        files={"sales.sql": sql, "sales.csv": rows},
    )


def workspace(tmp_path, **content: str):
    return write_workspace(
        tmp_path, {"shop": {"sales": sales(**content)}}, settings='now = "2020-03-20T00:00:00Z"\n'
    )


def build(settings, key):
    return run_product(
        product(settings, "shop.sales"),
        environment(settings),
        run_id=uuid.uuid4().hex[:12],
        partition=key,
    )


def amounts(settings):
    return read(settings, "select id, amount from shop.sales order by id")
