"""What Dagster shows of a product and of each of its publications."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from helpers import a_contract, write_product, write_workspace
from locations import (
    COLUMNS,
    GOOD,
    MORE,
    ORDERS,
    execute,
    location,
    orders,
    pair,
    totals,
    write_dbt_product,
)
from publication_cases import materializations, plain, publications

pytestmark = pytest.mark.usefixtures("without_pauses")
EXTRA = """\
name: Orders
version: 2.1.0
status: active
tags: [daily, "needs care"]
description: {purpose: What was ordered., limitations: Test data only.}
team:
  name: order desk
  members:
    - {username: ana@mesh.example, role: owner}
    - {username: joe@mesh.example, role: steward}
    - {username: nobody, role: owner}
support:
  - {channel: desk, url: "mailto:desk@mesh.example"}
"""


def described():
    files = orders(GOOD)
    text = files["product.odps.yaml"]
    return {**files, "product.odps.yaml": text.replace("inputPorts:", EXTRA + "inputPorts:")}


def test_a_materialization_carries_the_facts_of_its_publication(shop, instance):
    assert execute(shop, "shop", instance).success
    (event,) = materializations(instance)
    facts = plain(event.metadata)
    assert facts["mesh/publication"] == 1
    assert facts["dagster/row_count"] == 2
    assert facts["mesh/bytes"] > 0
    assert facts["mesh/changed"] is True
    assert facts["mesh/warnings"] == "none"
    assert facts["mesh/inputs"]["orders_csv"].startswith("fingerprint ")
    assert facts["mesh/candidate"].startswith("shop/orders/")
    assert (
        facts["mesh/code_version"]
        == location(shop, "shop").resolve_asset_graph().get(ORDERS).code_version
    )
    assert "5 of 5 checks ran" in facts["mesh/coverage"]


def test_the_data_version_is_the_content_and_stays_when_the_content_stays(shop, instance):
    for csv in (GOOD, "id,kind\n2,b\n1,a\n", MORE):
        write_product(shop.root, "shop", "orders", orders(csv))
        assert execute(shop, "shop", instance).success
    events = materializations(instance)
    versions = [event.tags["dagster/data_version"] for event in events]
    assert versions[0] == versions[1] != versions[2]
    assert [plain(e.metadata)["mesh/changed"] for e in events] == [True, False, True]
    assert publications(instance) == [1, 2, 3]


def test_what_a_consumer_read_is_on_the_event_by_publication(tmp_path, instance):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders(GOOD), "totals": totals("shop.orders")}}
    )
    assert execute(settings, "shop", instance).success
    (event,) = materializations(instance, dg.AssetKey(["shop", "totals"]))
    assert plain(event.metadata)["mesh/inputs"] == {"shop.orders": "publication 1"}


def test_checks_are_attached_to_the_materialization_they_are_about(shop, instance):
    """The UI shows a check on the materialization it tested only if it comes with it."""
    assert execute(shop, "shop", instance).success
    (event,) = instance.fetch_materializations(ORDERS, limit=1).records
    keys = [dg.AssetCheckKey(ORDERS, name) for name in ("primary_key", "not_empty")]
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    for record in found.values():
        evaluation = record.event.asset_check_evaluation
        assert evaluation.target_materialization_data.storage_id == event.storage_id
        assert plain(evaluation.metadata)["mesh/publication"] == 1


def test_the_ui_shows_who_owns_a_product_and_what_it_is(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": described()}})
    node = location(settings, "shop").resolve_asset_graph().get(ORDERS)
    assert node.owners == ["team:order-desk", "ana@mesh.example", "team:nobody"]
    assert node.group_name == "shop"
    assert node.kinds == {"dataproduct", "sql", "parquet"}
    assert node.tags["daily"] == ""
    assert node.tags["needs-care"] == ""
    assert node.tags["mesh/product"] == "orders"
    assert node.description == "What was ordered."
    facts = node.metadata
    assert facts["dagster/table_name"] == "shop.orders"
    assert facts["mesh/limitations"] == "Test data only."
    assert facts["mesh/product_version"] == "2.1.0"
    schema = facts["dagster/column_schema"]
    assert [column.name for column in schema.columns] == ["id", "kind"]
    assert schema.columns[0].constraints.other == ["primary key"]
    assert schema.columns[0].tags == {"classification": "public"}
    references = facts["dagster/code_references"].code_references
    assert [Path(r.file_path).name for r in references] == [
        "product.odps.yaml",
        "orders.odcs.yaml",
        "orders.sql",
    ]
    assert all(Path(reference.file_path).is_file() for reference in references)


def test_checks_in_dagster_do_not_block_because_the_gate_has_decided(shop):
    specs = location(shop, "shop").resolve_asset_graph().asset_check_keys
    definitions = location(shop, "shop").assets
    step = next(a for a in definitions if isinstance(a, dg.AssetsDefinition))
    assert {spec.key for spec in step.check_specs} == specs
    assert not any(spec.blocking for spec in step.check_specs)
    assert all(spec.metadata["declared at"] for spec in step.check_specs)


def test_lineage_starts_at_the_source_and_crosses_domains(tmp_path):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders(GOOD)}, "desk": {"totals": totals("shop.orders")}}
    )
    shop = location(settings, "shop").resolve_asset_graph()
    source = dg.AssetKey(["shop", "source", "orders_csv"])
    assert shop.get(ORDERS).parent_keys == {source}
    assert not shop.get(source).is_materializable
    assert shop.get(source).kinds == {"source", "csv"}
    desk = location(settings, "desk").resolve_asset_graph()
    assert desk.get(dg.AssetKey(["desk", "totals"])).parent_keys == {ORDERS}
    assert not desk.get(ORDERS).is_materializable


def test_all_ports_of_a_product_come_from_one_publication(tmp_path, instance):
    settings = write_workspace(tmp_path, {"two": {"two": pair(GOOD)}})
    assert execute(settings, "two", instance).success
    for port in ("left", "right"):
        assert publications(instance, dg.AssetKey(["two", port])) == [1]


def test_inner_models_of_dbt_are_drawn_and_say_that_nobody_reads_them(tmp_path, instance):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD)}})
    write_dbt_product(tmp_path, kinds=2)
    assert execute(settings, "shop", instance).success
    assert execute(settings, "dots", instance).success
    graph = location(settings, "dots").resolve_asset_graph()
    inner, port = dg.AssetKey(["dots", "dots", "stg_orders"]), dg.AssetKey(["dots", "kinds"])
    assert graph.get(port).parent_keys == {inner}
    assert graph.get(inner).parent_keys == {ORDERS}
    assert graph.get(inner).kinds == {"dbt", "private"}
    (event,) = materializations(instance, inner)
    assert plain(event.metadata)["mesh/readable"] == "no: private to the run"
    assert publications(instance, port) == [2]


def test_a_contract_with_every_rule_executed_says_so(tmp_path, instance):
    contract = a_contract(
        "orders",
        COLUMNS,
        "{name: enough, metric: rowCount, mustBeGreaterThan: 1}",
        "{name: judged, type: text, description: Somebody looks at it.}",
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD, columns=contract)}})
    assert execute(settings, "shop", instance).success
    (event,) = materializations(instance)
    assert plain(event.metadata)["mesh/coverage"].endswith("6 of 6 checks ran")
    assert "of" in plain(event.metadata)["mesh/coverage"]


def test_rows_that_were_set_aside_are_told_as_numbers(tmp_path: Path, instance):
    setting = "{property: onFailure, vendor: dataops_mesh, value: {quarantine: 60%}}"
    column = (
        "{name: id, logicalType: integer, primaryKey: true, logicalTypeOptions: {maximum: 1}, "
        f"customProperties: [{setting}]}}"
    )
    files = orders("id\n1\n2\n", columns=[column], select="select id::bigint as id from orders_csv")
    settings = write_workspace(tmp_path, {"shop": {"orders": files}})
    assert execute(settings, "shop", instance).success
    (event,) = materializations(instance)
    facts = plain(event.metadata)
    assert (facts["dagster/row_count"], facts["mesh/rows_set_aside"]) == (1, 1)
    assert facts["mesh/set_aside_by"] == {"id_required": 0, "id_range": 1}
