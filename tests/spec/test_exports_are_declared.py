"""A server that gets a copy: what may be said of it, and that it says nothing of the types."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_contract, a_product, a_source, product, write_workspace

from dataops_mesh.connections import Connections
from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.settings import Settings
from dataops_mesh.spec.kept.codec import decode, encode

HOST = "host: h, port: 5432, database: d, schema: s"
ORDERS = ("{name: id, logicalType: integer}",)


def a_server(kind, more, value):
    setting = f"{{property: export, vendor: dataops_mesh, value: {value}}}"
    return f"servers:\n  - {{server: x, type: {kind}, {more}, customProperties: [{setting}]}}\n"


def load(root, servers, columns=ORDERS):
    files = {"orders.sql": "select id from sold", "sold.csv": "id\n1\n"}
    contract = a_contract("orders", columns, extra=servers)
    made = a_product({"orders": contract}, files=files, inputs=[a_source("sold", "sold.csv")])
    return product(write_workspace(root, {"shop": {"sales": made}}), "shop.sales")


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        (a_server("postgres", HOST, "true"), "needs the name of a connection"),
        (a_server("postgres", HOST, "{connection: Ware-House}"), "Ware-House"),
        (a_server("postgres", HOST, "{conection: warehouse}"), "connection"),
        (a_server("local", "path: a, format: csv", "{connection: b}"), "say all of such an export"),
        (a_server("local", "path: /a, format: csv", "true"), "is not a folder in the workspace"),
        (a_server("local", "path: ../a, format: csv", "true"), "is not a folder in the workspace"),
        (a_server("local", "path: ., format: csv", "true"), "is not a folder in the workspace"),
        (a_server("local", "path: a, format: delta", "true"), '"delta" is not one of'),
        (a_server("mysql", "host: h, port: 1, database: d", "{connection: a}"), 'type "mysql"'),
        (
            a_server("local", "path: a, format: csv", "true")
            + a_server("local", "path: a, format: parquet", "true").removeprefix("servers:\n"),
            "folder a is there twice",
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(servers, said, tmp_path):
    with pytest.raises(DeclarationError) as raised:
        load(tmp_path, servers)
    assert said in str(raised.value)
    assert "orders.odcs.yaml:" in str(raised.value)


def test_a_name_that_postgres_would_cut_is_refused(tmp_path):
    long = f"{{name: {'c' * 64}, logicalType: integer}}"
    with pytest.raises(DeclarationError, match="no names of more than 63 bytes"):
        load(tmp_path, a_server("postgres", HOST, "{connection: a}"), (long,))


@pytest.mark.parametrize("name", ["xmin", "CTID", "tableoid"])
def test_a_column_that_postgres_has_itself_is_refused_there_alone(name, tmp_path):
    column = f"{{name: {name}, logicalType: integer}}"
    with pytest.raises(DeclarationError, match=f'a column "{name}" of its own'):
        load(tmp_path, a_server("postgres", HOST, "{connection: a}"), (column,))
    assert load(tmp_path, a_server("local", "path: a, format: csv", "true"), (column,))


def test_a_copy_does_not_change_for_which_system_a_contract_is_written(tmp_path):
    for servers in (
        a_server("postgres", HOST, "{connection: a}"),
        a_server("local", "path: a, format: csv", "true"),
    ):
        assert load(tmp_path, servers).outputs[0].contract.system == ""
    mysql = "  - {server: y, type: mysql, host: h, port: 1, database: d}\n"
    both = load(tmp_path, a_server("local", "path: a, format: csv", "true") + mysql)
    assert both.outputs[0].contract.system == "mysql", "a local copy is not where it is written for"


def test_exports_are_kept_as_they_were_parsed(tmp_path):
    found = load(tmp_path, a_server("postgres", HOST, "{connection: a}"))
    assert decode(encode(found)) == found
    (export,) = found.outputs[0].contract.exports
    assert (export.target, export.schema) == ("connection a", "s")


def test_a_source_has_no_copies(tmp_path):
    contract = a_contract("sold", ORDERS, extra=a_server("local", "path: a, format: csv", "true"))
    files = {
        "orders.sql": "select id from sold",
        "sold.csv": "id\n1\n",
        "inputs/sold.odcs.yaml": contract,
    }
    made = a_product({"orders": ORDERS}, files=files, inputs=[a_source("sold", "sold.csv")])
    settings = write_workspace(tmp_path, {"shop": {"sales": made}})
    with pytest.raises(DeclarationError, match="a setting of an output port's contract"):
        product(settings, "shop.sales")


def test_a_connection_comes_from_the_environment_or_a_file(tmp_path, monkeypatch):
    made = a_product({"orders": ORDERS}, files={"orders.sql": "select 1 as id"})
    settings = write_workspace(tmp_path, {"shop": {"sales": made}})
    asks = product(settings, "shop.sales")
    monkeypatch.delenv("MESH_CONNECTION_WAREHOUSE", raising=False)

    def found(settings: Settings) -> str | Problem:
        return Connections.of(settings).find("warehouse", asks, None)

    assert isinstance(found(settings), Problem)
    assert "MESH_CONNECTION_WAREHOUSE" in str(found(settings).next)
    monkeypatch.setenv("MESH_CONNECTION_WAREHOUSE", "postgresql://variable")
    assert found(settings) == "postgresql://variable"
    monkeypatch.setenv("MESH_CONNECTION_WAREHOUSE_FOR", "desk")
    assert "is not for shop" in found(settings).what
    settings = settings.model_copy(update={"connections": Path("urls")})
    assert isinstance(found(settings), Problem), "the folder alone counts, where there is one"
    (tmp_path / "urls").mkdir()
    (tmp_path / "urls" / "warehouse").write_text("postgresql://file\n", "utf-8")
    assert found(settings) == "postgresql://file"
    assert tmp_path / "urls" in settings.secret_paths, "no product may read it"
