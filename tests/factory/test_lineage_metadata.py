from __future__ import annotations

from pathlib import Path

import dagster as dg
from helpers import a_product, a_source, an_input, product, write_product, write_workspace

from dataops_mesh.factory.assets import product_asset

THINGS = a_product(
    {"things": ["{name: id, logicalType: integer, primaryKey: true}"]},
    inputs=[a_source("s", "s.csv")],
    files={"things.sql": "select number as id from s", "s.csv": "number\n1\n"},
    extra="status: deprecated\n",
)
REPORT = a_product(
    {"report": ["{name: id, logicalType: integer, primaryKey: true}"]},
    inputs=[an_input("up.things")],
    files={"report.sql": "with t as (select * from up.things) select id from t"},
)


def metadata(settings, name: str) -> dict:
    found = product_asset(product(settings, name), settings)
    (spec,) = found.specs
    return dict(spec.metadata)


def published_lineage(settings, name: str) -> set[tuple[str, ...]]:
    """Publish a product in Dagster and return what its column `id` is made of."""
    found = product_asset(product(settings, name), settings)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([found], instance=instance)
        (event,) = result.asset_materializations_for_node(found.op.name)
    lineage = event.metadata["dagster/column_lineage"].value
    return {(*dep.asset_key.path[1:], dep.column_name) for dep in lineage.deps_by_column["id"]}


def test_a_port_shows_where_its_columns_come_from_and_that_its_input_will_end(tmp_path: Path):
    settings = write_workspace(tmp_path, {"up": {"things": THINGS}, "down": {"report": REPORT}})
    assert metadata(settings, "down.report")["mesh/deprecated_inputs"] == [
        "up.things: deprecated, no end announced"
    ]
    assert "mesh/deprecated_inputs" not in metadata(settings, "up.things")
    assert published_lineage(settings, "up.things") == {("source", "s", "number")}
    assert published_lineage(settings, "down.report") == {("things", "id")}


def test_no_lineage_is_no_reason_not_to_load(tmp_path: Path):
    settings = write_workspace(tmp_path, {"up": {"things": THINGS}, "down": {"report": REPORT}})
    write_product(tmp_path, "up", "things", {"things.odcs.yaml": "broken: ["})
    shown = metadata(settings, "down.report")
    assert "mesh/deprecated_inputs" not in shown
    assert shown["mesh/product"] == "down.report"
