"""dbt's exposures: drawn once for all products of a project, through metrics, of inputs too."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dbt_cases import books, mesh, write_project
from helpers import product

from dataops_mesh.cli.examine import examine
from dataops_mesh.cli.planning import plan_of
from dataops_mesh.factory.domain import load_domain
from dataops_mesh.run.checks import dbt_nodes
from dataops_mesh.settings import Settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.transform.dbt.exposures import exposures_of
from dataops_mesh.transform.walls import walls_of

FILES = {
    "models/spine.sql": "{{ config(materialized='table') }} select date '2020-01-01' as date_day",
    "models/spine.yml": (
        "models:\n  - name: spine\n    time_spine: {standard_granularity_column: date_day}\n"
        "    columns: [{name: date_day, granularity: day}]\n"
    ),
    "models/meaning.yml": (
        "semantic_models:\n"
        "  - name: money\n    model: ref('totals')\n    defaults: {agg_time_dimension: at_day}\n"
        "    entities: [{name: shop, type: primary, expr: orders}]\n"
        "    dimensions:\n      - {name: at_day, type: time, expr: current_date, "
        "type_params: {time_granularity: day}}\n"
        "    measures: [{name: total_amount, agg: sum, expr: amount}]\n"
        "metrics:\n"
        "  - {name: turnover, label: T, type: simple, type_params: {measure: total_amount}}\n"
        "saved_queries:\n  - {name: weekly, query_params: {metrics: [turnover]}}\n"
        "exposures:\n"
        "  - name: dash\n    type: dashboard\n    owner: {name: Bo}\n"
        "    depends_on: [\"metric('turnover')\", \"ref('largest')\"]\n"
        "  - name: raw\n    type: notebook\n    owner: {name: Bo}\n"
        "    depends_on: [\"source('shop', 'orders')\"]\n"
        "  - name: deep\n    type: ml\n    owner: {name: Bo}\n"
        "    depends_on: [\"ref('staged')\"]\n"
    ),
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root: Path = tmp_path_factory.mktemp("exposures")
    made = mesh(
        root, one=books("totals", select="+totals"), two=books("largest", select="+largest")
    )
    write_project(root, FILES)
    return made


def test_one_dashboard_reads_the_ports_of_two_products(settings: Settings) -> None:
    graph = load_domain(settings.domains_folder / "books").resolve_asset_graph()
    parents = {
        name: {key.to_user_string() for key in graph.get(dg.AssetKey(name)).parent_keys}
        for name in (["books", "exposure", "dash"], ["books", "exposure", "raw"])
        for name in [tuple(name)]
    }
    assert parents[("books", "exposure", "dash")] == {"books/totals", "books/largest"}
    assert parents[("books", "exposure", "raw")] == {"shop/orders"}
    assert not graph.has(dg.AssetKey(["books", "exposure", "deep"]))


def test_a_metric_stands_for_its_models_and_what_nobody_can_read_is_said(
    settings: Settings,
) -> None:
    one = product(settings, "books.one")
    manifest, nodes = dbt_nodes(one, walls_of(settings))
    found = {e.name: (list(map(str, e.reads)), e.inner) for e in exposures_of(one, manifest, nodes)}
    assert found["dash"] == (["books.totals"], ())
    assert found["deep"] == ([], ("one/staged",))
    _, notes = examine([one], load_mesh(settings.root, settings.domains), settings)
    said = [note.what for _, note in notes]
    assert "the ml deep of Bo reads one/staged, which is not published" in said


def test_plan_names_the_notebook_that_reads_the_port_of_another_domain(settings: Settings) -> None:
    contract = settings.domains_folder / "shop" / "orders" / "orders.odcs.yaml"
    text = contract.read_text("utf-8")
    contract.write_text("".join(text.splitlines(keepends=True)[:-1]), "utf-8")  # a column less
    try:
        mesh_now = load_mesh(settings.root, settings.domains)
        plan = plan_of(settings, mesh_now, ("shop",), "published")
    finally:
        contract.write_text(text, "utf-8")
    (changed,) = plan.products
    assert "notebook raw of Bo" in [one.reader for one in changed.consumers]
