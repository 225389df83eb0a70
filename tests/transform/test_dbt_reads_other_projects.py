"""`ref('shop', 'orders')` to another project is an input port: pinned, in lineage, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt_cases import PORTS, PROJECT, mesh, write_project
from helpers import a_product, a_setting, an_input, environment, product, read, run

from dataops_mesh.errors import DeclarationError
from dataops_mesh.factory.domain import load_domain
from dataops_mesh.run.lineage import product_lineage, upstream_ports
from dataops_mesh.settings import Settings
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.release import latest
from dataops_mesh.transform.walls import walls_of

PLAIN = {name: text for name, text in PROJECT.items() if name != "models/sources.yml"}
FAR = {**PLAIN, "models/staged.sql": "select id, amount, note from {{ ref('shop', 'orders') }}\n"}


def books(*inputs: str, dbt: str = "{project: ../../../project}") -> dict:
    return a_product(
        PORTS,
        inputs=[an_input(address) for address in inputs],
        settings=a_setting("transform", f"{{dbt: {dbt}}}"),
        files={},
    )


def workspace(root: Path, **products: dict) -> Settings:
    settings = mesh(root, **products)
    (root / "project" / "models" / "sources.yml").unlink()
    write_project(root, FAR)
    return settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One project, read by products that declare the same input in three ways."""
    return workspace(
        tmp_path_factory.mktemp("far"),
        both=books("shop.orders"),
        none=books(),
        unread=books("shop.orders", "shop.items"),
    )


def test_a_model_of_another_project_is_the_pinned_publication(settings: Settings) -> None:
    report = run(settings, "books.both")
    assert report.published
    assert read(settings, "select orders, amount from books.totals") == [(2, 30)]
    store = environment(settings).store
    (ref,) = {p.candidate for a, p in latest(store).ports.items() if a.domain == "books"}
    (one,) = read_manifest(store, ref).inputs
    assert (str(one.address), one.publication) == ("shop.orders", 1)


def test_it_is_in_the_lineage_of_columns(settings: Settings) -> None:
    both = product(settings, "books.both")
    found = upstream_ports(both, settings.domains_folder, settings.root)
    ports = {address: port for address, (_, port) in found.items()}
    lineage = product_lineage(both, ports, walls_of(settings))
    assert lineage.used["largest", "shop.orders"] == {"id", "amount"}


def test_one_that_is_no_input_port_is_named(settings: Settings) -> None:
    with pytest.raises(DeclarationError) as raised:
        run(settings, "books.none")
    assert "ref('shop', 'orders'), which is no input port" in str(raised.value)
    assert "- name: shop.orders" in str(raised.value)


def test_an_input_that_no_model_refers_to_is_named(settings: Settings) -> None:
    with pytest.raises(DeclarationError, match=r'"shop\.items" is declared and no dbt model reads'):
        run(settings, "books.unread")


def test_another_projects_name_is_bound_by_the_product_and_drawn_in_dagster(tmp_path: Path) -> None:
    dbt = "{project: ../../../project, sources: {jaffle.raw: shop.orders}}"
    settings = workspace(tmp_path, both=books("shop.orders", dbt=dbt))
    write_project(tmp_path, {"models/staged.sql": FAR["models/staged.sql"].replace(
        "'shop', 'orders'", "'jaffle', 'raw'")})  # fmt: skip
    assert run(settings, "books.both").published
    file = settings.domains_folder / "books" / "definitions.py"
    file.write_text("", "utf-8")
    graph = load_domain(str(file)).resolve_asset_graph()
    keys = {key.to_user_string(): key for key in graph.get_all_asset_keys()}
    parents = {one.to_user_string() for one in graph.get(keys["books/both/staged"]).parent_keys}
    assert parents == {"shop/orders"}
