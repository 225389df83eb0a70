"""Products in a Dagster project that was there before: merged, woken, changed, and still gated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from helpers import a_product, a_source, read, write_workspace

from dataops_mesh import load_product
from dataops_mesh.errors import DeclarationError

GOOD, BAD = "id\n1\n2\n", "id\n1\n1\n"
KEYED = ["{name: id, logicalType: integer, primaryKey: true, required: true}"]
RAW = dg.AssetKey(["raw", "orders"])


def orders(rows: str, more: str = "") -> dict:
    return a_product(
        {"orders": KEYED},
        inputs=[a_source("orders_csv", "orders.csv", more=more)],
        files={"orders.csv": rows, "orders.sql": "select id from orders_csv"},
    )


def lines(rows: str) -> dict:
    made = orders(rows)
    return {
        name.replace("orders", "lines"): text.replace("orders", "lines")
        for name, text in made.items()
    }


@pytest.fixture
def shop(tmp_path):
    return write_workspace(tmp_path, {"shop": {"orders": orders(GOOD), "lines": lines(GOOD)}})


def folder(settings, name: str = "orders") -> Path:
    return settings.domains_folder / "shop" / name


@dg.asset(deps=[dg.AssetKey(["shop", "orders"])])
def report() -> int:
    return 1


def everything(settings) -> dg.Definitions:
    own = dg.Definitions(
        assets=[report],
        executor=dg.in_process_executor,
        resources={"io_manager": dg.InMemoryIOManager()},
        loggers={"own": dg.json_console_logger},
    )
    products = [load_product(folder(settings, name)) for name in ("orders", "lines")]
    return dg.Definitions.merge(own, *products)


def materialize(defs: dg.Definitions, instance):
    job = defs.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=False)


def test_two_products_and_an_asset_with_an_executor_and_resources_of_its_own(shop, instance):
    defs = everything(shop)
    assert materialize(defs, instance).success
    assert read(shop, "select count(*) from shop.orders") == [(2,)]
    assert {job.name for job in defs.resolve_all_job_defs()} >= {
        "shop__orders_job",
        "shop__lines_job",
    }


def test_what_reads_a_refused_product_does_not_run(shop, instance):
    assert materialize(everything(shop), instance).success
    (folder(shop) / "orders.csv").write_text(BAD, "utf-8")
    result = materialize(everything(shop), instance)
    assert not result.success
    done = {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}
    assert done == {"shop/lines"}
    assert read(shop, "select count(*) from shop.orders") == [(2,)]


# Dagster calls the functions themselves preview or beta; who uses them has decided.
@pytest.mark.filterwarnings("ignore::dagster.PreviewWarning")
def test_tags_and_conditions_may_change_and_the_gate_stays(shop, instance):
    def eager(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(
            automation_condition=dg.AutomationCondition.eager(), skippable=True
        ).merge_attributes(tags={"team": "ours"})

    defs = everything(shop).map_resolved_asset_specs(
        func=eager, selection=dg.AssetSelection.keys("shop/orders")
    )
    spec = defs.resolve_assets_def(dg.AssetKey(["shop", "orders"])).get_asset_spec(
        dg.AssetKey(["shop", "orders"])
    )
    assert spec.tags["team"] == "ours"
    (folder(shop) / "orders.csv").write_text(BAD, "utf-8")
    assert not materialize(defs, instance).success
    with pytest.raises(Exception, match=r"no publication|not published"):
        read(shop, "select count(*) from shop.orders")


def test_no_selection_leaves_the_checks_out(shop, instance):
    (folder(shop) / "orders.csv").write_text(BAD, "utf-8")
    selection = dg.AssetSelection.keys("shop/orders") - dg.AssetSelection.all_asset_checks()
    job = dg.define_asset_job("sly", selection=selection)
    defs = dg.Definitions.merge(everything(shop), dg.Definitions(jobs=[job]))
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="sly"):
        defs.resolve_job_def("sly").execute_in_process(instance=instance)


def test_a_folder_that_is_no_product_is_said(shop):
    with pytest.raises(DeclarationError, match="is no product's folder") as told:
        load_product(shop.domains_folder / "shop" / "nothing")
    assert "domains/<domain>/<product>" in told.value.problems[0].next


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_the_asset_that_writes_a_source_is_drawn_and_wakes_the_product(tmp_path, instance):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD, "asset: raw/orders")}})

    @dg.asset(key=RAW)
    def raw() -> None:
        (folder(settings) / "orders.csv").write_text(GOOD + "3\n", "utf-8")

    mine = dg.Definitions.merge(load_product(folder(settings)), dg.Definitions(assets=[raw]))
    key = dg.AssetKey(["shop", "orders"])
    assert mine.resolve_asset_graph().get(key).parent_keys == {RAW}

    def woken(cursor: Any = None) -> Any:
        return dg.evaluate_automation_conditions(mine, instance=instance, cursor=cursor)

    first = woken()
    assert first.total_requested == 0
    dg.materialize([raw], instance=instance)
    then = woken(first.cursor)
    assert then.get_num_requested(key) == 1
    assert woken(then.cursor).total_requested == 0
    assert materialize(mine, instance).success
    assert read(settings, "select count(*) from shop.orders") == [(3,)]


DG = """
[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "ours"
"""
LIST = """
import dagster as dg
from pathlib import Path

defs = dg.load_from_defs_folder(path_within_project=Path("ours"))
keys = defs.resolve_asset_graph().materializable_asset_keys
print(*sorted(key.to_user_string() for key in keys))
"""


@pytest.mark.parametrize(
    ("component", "attribute", "wanted"),
    [
        ("DataProductComponent", "product: domains/shop/orders", ["shop/orders"]),
        ("DomainComponent", "domain: domains/shop", ["shop/lines", "shop/orders"]),
    ],
)
def test_a_file_of_dg_names_what_is_loaded(shop, component, attribute, wanted):
    root = shop.root
    made = root / "ours" / "defs" / "mesh"
    made.mkdir(parents=True)
    for package in (made.parent, made.parent.parent):
        (package / "__init__.py").write_text("", "utf-8")
    text = f"type: dataops_mesh.{component}\nattributes:\n  {attribute}\n"
    (made / "defs.yaml").write_text(text, "utf-8")
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(DG)
    done = subprocess.run(
        [sys.executable, "-c", LIST],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == wanted
