"""A shop of two exported ports, and what a reader of the copies finds."""

from __future__ import annotations

import json
from contextlib import contextmanager
from textwrap import indent

import duckdb
import psycopg2
from helpers import a_contract, a_product, a_source, environment, product, run, write_workspace

from dataops_mesh.run.exporting import export_product

VARIABLE = "MESH_CONNECTION_WAREHOUSE"
ORDERS = ("{name: id, logicalType: integer, primaryKey: true, description: Which order.}",
          "{name: amount, logicalType: number, physicalType: 'DECIMAL(18,2)'}")  # fmt: skip
TOTALS = ("{name: round, logicalType: integer}", "{name: total, logicalType: number, physicalType: 'DECIMAL(38,2)'}")  # fmt: skip


def to_postgres(schema="public", connection="warehouse", name="dwh"):
    """Return a server of a contract that gets a copy."""
    value = f"{{connection: {connection}}}"
    return (
        f"- {{server: {name}, type: postgres, host: db, port: 5432, database: d, schema: {schema},\n"
        f"   customProperties: [{{property: export, vendor: dataops_mesh, value: {value}}}]}}\n"
    )


def to_folder(path="exports", form="parquet", name="files"):
    """Return a server of a contract that is a folder."""
    return (
        f"- {{server: {name}, type: local, path: {path}, format: {form},\n"
        "   customProperties: [{property: export, vendor: dataops_mesh, value: true}]}\n"
    )


def exported(port, columns, servers, extra=""):
    """Return a contract with copies."""
    listed = "servers:\n" + indent("".join(servers), "  ") if servers else ""
    return a_contract(port, columns, extra=listed + extra)


def shop(root, servers, settings=""):
    """Write a shop whose two ports are exported to the servers; `deliver` says what they have."""
    files = {
        "orders.sql": "select id, amount from sold",
        "totals.sql": "select max(round) as round, sum(amount) as total from sold",
        "sold.csv": "round,id,amount\n0,1,1.00\n",
    }
    ports = {
        "orders": exported("orders", ORDERS, servers),
        "totals": exported("totals", TOTALS, servers),
    }
    made = a_product(ports, files=files, inputs=[a_source("sold", "sold.csv", more="options: {types: {amount: 'DECIMAL(18,2)', id: BIGINT, round: BIGINT}}")])  # fmt: skip
    return write_workspace(root, {"shop": {"sales": made}}, settings=settings)


def deliver(settings, number, rows=20):
    """Put the rows of a round into the source: every order has the round's number as amount."""
    lines = [f"{number},{one},{number}.00" for one in range(rows)]
    path = settings.domains_folder / "shop" / "sales" / "sold.csv"
    path.write_text("\n".join(["round,id,amount", *lines, ""]), "utf-8")


def publish(settings, number, rows=20):
    """Publish a round, and return its release."""
    deliver(settings, number, rows)
    report = run(settings, "shop.sales")
    assert report.published, report.decision
    return report.publication


def export(settings, name="shop.sales"):
    """Bring the copies to what the log says."""
    return export_product(product(settings, name), environment(settings))


@contextmanager
def reading(url):
    """Open a database as one of its readers."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def ask(url, query):
    """Return the rows of a query."""
    with reading(url) as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def relations(url, schema):
    """Return the names of all relations in a schema, with their kind."""
    query = (
        "select c.relname, c.relkind::text from pg_class c join pg_namespace n"
        f" on n.oid = c.relnamespace where n.nspname = '{schema}' and c.relkind in ('r', 'v')"
    )
    return dict(ask(url, query))


def round_of(url, schema):
    """Return the round that both views show, seen by one statement."""
    query = (
        f"select (select round from {schema}.totals), count(*), min(amount), max(amount),"
        f" (select total from {schema}.totals) from {schema}.orders"
    )
    ((number, count, low, high, total),) = ask(url, query)
    assert low == high == number
    assert total == number * count
    return number


def scan(port):
    """Return what reads the files of a port."""
    kind = "csv" if any(port.glob("*.csv")) else "parquet"
    return f"read_{kind}('{port}/*.{kind}')"


def in_folder(current):
    """Return the round that a version of the folder shows, and how many orders it has."""
    assert json.loads((current / "_mesh.json").read_text("utf-8"))["product"] == "shop.sales"
    con = duckdb.connect()
    numbers = con.execute(
        f"select min(amount), max(amount), count(*) from {scan(current / 'orders')}"
    )
    low, high, count = numbers.fetchone()
    number, total = con.execute(f"select round, total from {scan(current / 'totals')}").fetchone()
    assert low == high == number
    assert total == number * count
    return number, count
