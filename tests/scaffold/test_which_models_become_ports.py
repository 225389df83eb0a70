"""Which models of a dbt project become ports, and how their columns are declared."""

from __future__ import annotations

import duckdb
import pytest
import yaml
from helpers import a_contract, a_product, product, write_workspace

from dataops_mesh.errors import DeclarationError
from dataops_mesh.scaffold.columns import property_of
from dataops_mesh.scaffold.dbt.ports import choose_ports
from dataops_mesh.spec.types.stored import wanted_types


def manifest(**models: dict) -> dict:
    nodes = {}
    for name, said in models.items():
        key = f"model.p.{name}"
        folder = said.get("folder", "models")
        nodes[key] = {
            "unique_id": key,
            "name": name,
            "resource_type": said.get("kind", "model"),
            "package_name": said.get("package", "p"),
            "fqn": ["p", folder, name],
            "access": said.get("access", "protected"),
            "config": {"materialized": said.get("materialized", "table")},
            "depends_on": {"nodes": [f"model.p.{one}" for one in said.get("on", ())]},
        }
    return {"nodes": nodes, "metadata": {"project_name": "p"}}


@pytest.mark.parametrize(
    ("models", "ports"),
    [
        ({"stg": {}, "a": {"on": ["stg"]}, "b": {"on": ["stg"]}}, {"a", "b"}),
        ({"stg": {}, "a": {"on": ["stg"], "access": "public"}, "b": {"on": ["a"]}}, {"a"}),
        ({"a": {"folder": "marts"}, "b": {"folder": "marts", "on": ["a"]}, "c": {}}, {"a", "b"}),
        ({"a": {}, "e": {"materialized": "ephemeral"}, "theirs": {"package": "q"}}, {"a"}),
    ],
)
def test_ports_are_what_is_public_else_marts_else_leaves(models: dict, ports: set[str]) -> None:
    told = manifest(**models)
    assert set(choose_ports(told, told["nodes"], ()).nodes) == ports


def test_what_keeps_its_history_is_a_port_like_others() -> None:
    told = manifest(kept={"materialized": "incremental"}, on_it={"on": ["kept"]}, stg={})
    assert set(choose_ports(told, told["nodes"], ()).nodes) == {"on_it", "stg"}
    assert set(choose_ports(told, told["nodes"], ["kept"]).nodes) == {"kept"}


def test_a_model_that_is_wanted_and_not_there_is_named() -> None:
    with pytest.raises(DeclarationError, match='no model "ordrs" that can be a port'):
        choose_ports(manifest(orders={}), ["model.p.orders"], ["ordrs"])


TYPES = (
    *("INTEGER", "BIGINT", "TINYINT", "HUGEINT", "UBIGINT", "DOUBLE", "FLOAT", "DECIMAL(9,2)"),
    *("VARCHAR", "UUID", "JSON", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"),
    *("TIMESTAMP_NS", "TIMESTAMP_MS", "INTEGER[]", "STRUCT(a INTEGER, b VARCHAR[])"),
    *("MAP(VARCHAR, DOUBLE)", "ENUM('a', 'b')"),
)


@pytest.mark.parametrize("type_", TYPES)
def test_a_column_of_a_type_of_duckdb_is_declared_so_that_its_values_fit(
    tmp_path: object, type_: str
) -> None:
    """What DuckDB calls the type is read back from the contract as one that holds its values."""
    [row] = duckdb.sql(f"describe select null::{type_} as it").fetchall()
    found = property_of("it", row[1])
    assert found is not None
    flow = yaml.safe_dump(found, default_flow_style=True, width=1000).strip()
    files = {"p.sql": "select 1"}
    settings = write_workspace(
        tmp_path,  # type: ignore[arg-type]
        {"d": {"p": a_product({"p": a_contract("p", [flow])}, files=files)}},
    )
    (port,) = product(settings, "d.p").outputs
    wanted = str(wanted_types(port.contract)["it"])
    wide = duckdb.sql(f"select typeof(coalesce(null::{type_}, null::{wanted}))").fetchone()
    assert wide is not None
    [(back,)] = duckdb.sql(f"select typeof(null::{wanted})").fetchall()
    assert type_ in {"HUGEINT", "ENUM('a', 'b')"} or wide[0] == back


@pytest.mark.parametrize("type_", ["INTERVAL", "BLOB", "BIT", "UNION(a INTEGER)"])
def test_a_column_that_no_contract_can_say_is_said(type_: str) -> None:
    assert property_of("it", type_) is None
