"""Loading a code location: cheap, complete, and with every mistake placed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from helpers import a_product, a_source, write_product, write_workspace
from locations import COLUMNS, GOOD, ORDERS, location, orders, totals, write_dbt_product

from dataops_mesh import load_domain
from dataops_mesh.errors import DeclarationError, SettingsError

pytestmark = pytest.mark.usefixtures("without_pauses")
REPOSITORY = Path(__file__).parents[2]
DEFINITIONS = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
HEAVY = ("great_expectations", "pandas", "polars", "pyspark", "dbt", "dagster_dbt")
LOAD = """
import json, sys
from pathlib import Path
from dataops_mesh import load_domain
defs = load_domain(Path(sys.argv[1]))
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""


LOAD_AGAIN = """
import gc, json, sys
from pathlib import Path
from dataops_mesh import load_domain
def loaded():
    assert gc.isenabled()
    return len(load_domain(Path(sys.argv[1])).assets or ()), gc.get_freeze_count(), gc.isenabled()
print(json.dumps([loaded(), loaded()]))
"""


def status(text, csv=GOOD):
    files = orders(csv)
    text = files["product.odps.yaml"].replace("inputPorts:", f"status: {text}\ninputPorts:")
    return {**files, "product.odps.yaml": text}


def imported_by_loading(settings, domain):
    return set(said_by(LOAD, settings, domain))


def said_by(script, settings, domain):
    done = subprocess.run(
        [sys.executable, "-c", script, str(settings.domains_folder / domain)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    return json.loads(done.stdout)


def test_every_mistake_of_a_domain_is_reported_at_once_with_its_line(tmp_path):
    settings = write_workspace(
        tmp_path,
        {
            "shop": {
                "orders": orders(
                    columns=["{name: id, logicalType: numeric}"], select="select 1 as id"
                ),
                "typo": orders(select="select id, kind from order_csv"),
            }
        },
    )
    with pytest.raises(DeclarationError) as raised:
        location(settings, "shop")
    said = str(raised.value)
    assert "domains/shop/orders/orders.odcs.yaml:8: " in said
    assert "numeric" in said


def test_a_transform_that_reads_what_is_not_declared_is_not_loaded(tmp_path):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders(select="select id, kind\nfrom order_csv")}}
    )
    with pytest.raises(DeclarationError) as raised:
        location(settings, "shop")
    (problem, *_) = raised.value.problems
    assert str(problem.where) == "domains/shop/orders/orders.sql:2"
    assert 'did you mean "orders_csv"' in problem.what


def test_a_dbt_project_and_its_declaration_that_disagree_are_not_loaded(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    write_dbt_product(tmp_path, kinds=2)
    model = tmp_path / "dbt_projects" / "dots" / "models" / "kinds.yml"
    # Another model is public: where none is, the contracts choose.
    text = model.read_text("utf-8").replace("public", "protected")
    model.write_text(text + "  - name: stg_orders\n    access: public\n", "utf-8")
    with pytest.raises(DeclarationError) as raised:
        location(settings, "dots")
    assert "not a public model" in str(raised.value)


def test_a_retired_product_is_not_loaded_and_a_proposed_one_is_not_in_the_job(tmp_path):
    retired = status("retired")
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    for name, state in (("past", retired), ("next", status("proposed"))):
        files = {
            key.replace("orders.", f"{name}."): text.replace(
                "name: orders\n", f"name: {name}\n"
            ).replace(":orders", f":{name}")
            for key, text in state.items()
            if key != "orders.csv"
        }
        write_product(tmp_path, "shop", name, {**files, "orders.csv": GOOD})
    defs = location(settings, "shop")
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().materializable_asset_keys}
    assert keys == {"shop/orders", "shop/next"}
    job = defs.resolve_job_def("shop")
    assert set(job.asset_layer.executable_asset_keys) == {ORDERS}


def test_loading_imports_neither_expectations_nor_frames_nor_dbt(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    assert imported_by_loading(settings, "shop").isdisjoint(HEAVY)


def test_only_a_domain_with_a_dbt_product_imports_dbt(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    write_dbt_product(tmp_path, kinds=2)
    imported = imported_by_loading(settings, "dots")
    assert "dagster_dbt" in imported
    assert "great_expectations" not in imported


def test_what_a_process_loads_first_is_not_looked_at_for_garbage_and_the_rest_is(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    (first, frozen, on), (second, still, on_again) = said_by(LOAD_AGAIN, settings, "shop")
    assert first == second > 0
    assert frozen > 10_000, "what was loaded is set aside"
    assert still <= frozen, "what is loaded again can be garbage one day"
    assert on
    assert on_again


def test_loading_makes_no_store_and_no_file(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    before = {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts}
    location(settings, "shop")
    assert {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts} == before


def test_definitions_are_loadable_by_dagster(tmp_path):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders()}, "desk": {"totals": totals("shop.orders")}}
    )
    for domain in ("shop", "desk"):
        dg.Definitions.validate_loadable(location(settings, domain))


def test_three_lines_are_a_code_location(tmp_path):
    write_workspace(tmp_path, {"shop": {"orders": orders()}})
    file = tmp_path / "domains" / "shop" / "definitions.py"
    file.write_text(DEFINITIONS, "utf-8")
    namespace = {"__file__": str(file)}
    exec(compile(DEFINITIONS, str(file), "exec"), namespace)  # noqa: S102 - as Dagster does
    assert isinstance(namespace["defs"], dg.Definitions)


def test_a_domain_outside_a_workspace_says_what_is_missing(tmp_path):
    folder = tmp_path / "domains" / "shop"
    folder.mkdir(parents=True)
    with pytest.raises(SettingsError) as raised:
        load_domain(folder)
    assert "[tool.dataops_mesh]" in str(raised.value)


def test_a_domain_without_products_is_an_empty_location(tmp_path):
    settings = write_workspace(tmp_path, {})
    (tmp_path / "domains" / "shop").mkdir()
    assert not location(settings, "shop").resolve_asset_graph().get_all_asset_keys()


def test_one_job_per_domain_and_one_step_per_product_at_a_time(tmp_path):
    """A job per product makes loading quadratic; two builds of one product would race."""
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(), "totals": totals()}})
    defs = location(settings, "shop")
    assert [job.name for job in defs.jobs] == ["shop"]
    steps = [a for a in defs.assets if isinstance(a, dg.AssetsDefinition)]
    assert {step.op.pool for step in steps} == {"shop__orders", "shop__totals"}
    assert not any(step.can_subset for step in steps)


def test_a_port_name_that_is_used_twice_in_a_domain_is_an_error_with_a_place(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(), "more": orders()}})
    with pytest.raises(DeclarationError) as raised:
        location(settings, "shop")
    assert "shop.orders is also a port of shop.more" in str(raised.value)
    assert "domains/shop/orders/orders.odcs.yaml:" in str(raised.value)


def test_another_teams_mistake_does_not_keep_a_domain_from_loading(tmp_path):
    broken = {"product.odps.yaml": "nonsense"}
    settings = write_workspace(
        tmp_path, {"shop": {"orders": broken}, "desk": {"totals": totals("shop.orders")}}
    )
    assert location(settings, "desk").assets


def test_a_python_transform_with_the_wrong_parameters_is_not_loaded(tmp_path):
    product = a_product(
        ports={"orders": COLUMNS},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "transform.py": "def transform(order_csv):\n    return order_csv\n",
            "orders.csv": GOOD,
        },
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": product}})
    with pytest.raises(DeclarationError) as raised:
        location(settings, "shop")
    assert "domains/shop/orders/transform.py:1" in str(raised.value)
