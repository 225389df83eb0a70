"""A product that cannot be loaded is told, and the rest of its domain runs on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest
from helpers import (
    a_contract,
    a_product,
    an_input,
    environment,
    run,
    write_product,
    write_workspace,
)
from locations import location

from dataops_mesh.errors import DeclarationError
from dataops_mesh.factory.domain import load_product
from dataops_mesh.settings import Settings
from dataops_mesh.store.release import latest

ID = "{name: id, logicalType: integer, primaryKey: true}"
GOOD = a_product({"good": [ID]}, files={"good.sql": "select 1 as id"})


def bad(query: str = "select 1 as id", inputs: Sequence[str] = (), sla: str = "") -> dict:
    columns = a_contract("bad", [ID], extra=sla)
    return a_product({"bad": columns}, files={"bad.sql": query}, inputs=inputs)


BAD = {
    "a cron that never comes": (
        bad(
            sla="slaProperties: [{property: frequency, value: 1, unit: d, schedule: '0 0 31 9 *'}]\n"
        ),
        "no year has that day",
    ),
    "no YAML": (bad() | {"product.odps.yaml": "a: [\n"}, "product.odps.yaml"),
    "no transform": (
        {n: t for n, t in bad().items() if n != "bad.sql"},
        "bad.sql",
    ),
    "SQL that is none": (bad(query="selec 1"), "bad.sql"),
    "an input of its own domain that nobody publishes": (
        bad(query="select id from shop.nothing", inputs=[an_input("shop.nothing")]),
        "no product publishes shop.nothing",
    ),
    "a waiver that is none": (bad() | {"waivers.yaml": "waivers: [{rule: x}]\n"}, "waivers.yaml"),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_workspace(tmp_path, {"shop": {"good": GOOD}})


@pytest.mark.parametrize("case", BAD)
def test_the_rest_of_the_domain_loads_and_the_fault_is_told(
    settings: Settings, case: str, caplog: pytest.LogCaptureFixture
):
    files, words = BAD[case]
    write_product(settings.root, "shop", "bad", files)
    with caplog.at_level(logging.ERROR):
        defs = location(settings, "shop")
    assert "shop.bad is not loaded" in caplog.text
    assert words in caplog.text
    dg.Definitions.validate_loadable(defs)
    graph = defs.resolve_asset_graph()
    assert graph.executable_asset_keys == {dg.AssetKey(["shop", "good"])}
    told = graph.get(dg.AssetKey(["shop", "bad"])).description or ""
    assert told.startswith("**Not loaded.**")
    assert words in told
    assert {sensor.name for sensor in defs.sensors or ()} == {"shop_automation", "shop_alerts"}
    with pytest.raises(DeclarationError, match=words):
        load_product(settings.domains_folder / "shop" / "bad")
    assert load_product(settings.domains_folder / "shop" / "good").resolve_asset_graph()


def test_two_that_read_each_other_leave_the_others(settings: Settings):
    for name, other in (("a", "b"), ("b", "a")):
        made = a_product(
            {name: [ID]},
            inputs=[an_input(f"shop.{other}")],
            files={f"{name}.sql": f"select id from shop.{other}"},
        )
        write_product(settings.root, "shop", name, made)
    keys = location(settings, "shop").resolve_asset_graph().executable_asset_keys
    assert dg.AssetKey(["shop", "good"]) in keys


def test_a_fault_that_belongs_to_no_product_stops_the_location(settings: Settings):
    (settings.root / "policies.yaml").write_text("rules: {ownr: error}\n", "utf-8")
    with pytest.raises(DeclarationError, match=r"policies.yaml:1"):
        location(settings, "shop")


def test_what_cannot_be_read_is_not_withdrawn(settings: Settings):
    """A folder that nobody can read is no product that was removed."""
    write_product(settings.root, "shop", "bad", bad())
    run(settings, "shop.bad")
    approval = "approvals: [{change: removed, who: ana, why: it ends}]\n"
    broken = {"product.odps.yaml": "a: [\n", "approvals.yaml": approval}
    write_product(settings.root, "shop", "bad", broken)
    defs = location(settings, "shop")
    (alerts,) = [sensor for sensor in defs.sensors or () if sensor.name == "shop_alerts"]
    with dg.DagsterInstance.ephemeral() as instance:
        alerts.evaluate_tick(dg.build_sensor_context(instance))
    assert not latest(environment(settings).store).withdrawn
