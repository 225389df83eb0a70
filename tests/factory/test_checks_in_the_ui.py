"""What Dagster shows of checks: results belong to their partition, and who refuses is said."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import dagster as dg
import pytest
from helpers import a_contract, a_product, a_setting, a_source, product, write_workspace
from locations import execute, in_process, job_of, location, orders

from dataops_mesh.factory.describe import REFUSES, WARNS
from dataops_mesh.factory.instance import open_instance
from dataops_mesh.factory.watch import monitor

COLUMNS = [
    "{name: id, logicalType: integer, primaryKey: true}",
    "{name: day, logicalType: date, primaryKey: true, partitioned: true, classification: public}",
]
MONTHS = "customProperties:\n" + a_setting("partitions", "{cadence: monthly, start: '2020-01-01'}")
OF_MONTH = "from sales_csv where day >= partition_start() and day < partition_end()"
SALES = dg.AssetKey(["shop", "sales"])
EXECUTIONS = "SELECT check_name, partition, execution_status FROM asset_check_executions"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / ".mesh/dagster"))
    sales = a_product(
        {"sales": a_contract("sales", COLUMNS) + MONTHS},
        inputs=[a_source("sales_csv", "sales.csv")],
        files={
            "sales.sql": f"select id, day {OF_MONTH}",
            "sales.csv": "id,day\n1,2020-01-05\n2,2020-02-05\n2,2020-02-05\n",
        },
    )
    return write_workspace(
        tmp_path, {"shop": {"sales": sales}}, settings='now = "2020-03-20T00:00:00Z"\n'
    )


def executions(settings) -> list[tuple]:
    with closing(sqlite3.connect(settings.dagster_folder / "history/runs/index.db")) as con:
        return con.execute(EXECUTIONS).fetchall()


def test_a_partitions_results_stay_planned_for_ever(settings):
    with open_instance(settings) as instance:
        for month, published in (("2020-01-01", True), ("2020-02-01", False)):
            done = in_process(job_of(settings, "shop"), instance, partition_key=month)
            assert done.success is published
        monitor(product(settings, "shop.sales"), instance, settings)
        latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(SALES, "primary_key")]
        )
    found = executions(settings)
    assert {status for *_, status in found} == {"SUCCEEDED", "FAILED"}
    assert {partition for _, partition, _ in found} == {"2020-01-01", "2020-02-01"}
    assert ("primary_key", "2020-01-01", "SUCCEEDED") in found
    assert ("primary_key", "2020-02-01", "FAILED") in found
    assert latest


def test_a_whole_products_results_stay_planned_or_get_a_partition(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / ".mesh/dagster"))
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    with open_instance(settings) as instance:
        assert execute(settings, "shop", instance).success
    assert {(part, status) for _, part, status in executions(settings)} == {(None, "SUCCEEDED")}


def test_nobody_is_told_which_checks_refuse(settings):
    asset = location(settings, "shop").resolve_assets_def(SALES)
    specs = {spec.name: spec for spec in asset.check_specs}
    assert specs["primary_key"].description.endswith(REFUSES)
    assert specs["primary_key"].metadata["if it fails"] == REFUSES
    for spec in specs.values():
        assert spec.metadata["if it fails"] == {"error": REFUSES}.get(
            spec.metadata["severity"], WARNS
        )
        assert not spec.blocking
