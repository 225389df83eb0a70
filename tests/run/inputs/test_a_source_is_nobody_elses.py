"""A source is a delivery to the product, never what the store, a neighbour or the system keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_product, a_source, environment, product, run, write_workspace

from dataops_mesh.errors import MeshError, NotPublishedError, SourceError
from dataops_mesh.run.exporting import export_product

SSN = "{name: ssn, logicalType: string, primaryKey: true, classification: restricted}"
X = "{name: x, logicalType: string, primaryKey: true, classification: public}"
STORE = ".mesh/store/candidates/shop/customers/*/customers/*.parquet"
PATHS = {
    "the store": f"../../../{STORE}",
    "the store, by its whole path": f"{{root}}/{STORE}",
    "the store, by another root": f"/proc/self/root{{root}}/{STORE}",
    "another mesh's store": f"{{other}}/{STORE}",
    "a neighbour's delivery": "../../shop/customers/c.csv",
    "a link to a neighbour's delivery": "link.csv",
    "the system's": "/etc/passwd",
    "a process": "/proc/self/status",
}


def shop(root: Path, path: str):
    root.mkdir(exist_ok=True)
    customers = a_product(
        {"customers": [SSN]},
        inputs=[a_source("src", "c.csv")],
        files={"customers.sql": "select ssn from src", "c.csv": "ssn\nSECRET-111\n"},
    )
    evil = a_product(
        {"x": [X]},
        inputs=[a_source("raw", f"'{path}'")],
        files={"x.sql": "select * from raw"},
    )
    return write_workspace(root, {"shop": {"customers": customers}, "evil": {"x": evil}})


@pytest.mark.parametrize("case", PATHS)
def test_what_somebody_else_keeps_is_not_a_source(tmp_path: Path, case: str):
    root, other = tmp_path / "w", tmp_path / "other"
    assert run(shop(other, "none.csv"), "shop.customers").published
    settings = shop(root, PATHS[case].format(root=root, other=other))
    assert run(settings, "shop.customers").published
    (root / "domains" / "evil" / "x" / "link.csv").symlink_to("../../shop/customers/c.csv")
    with pytest.raises(MeshError, match=r"reads (the|a|another)|workspace") as refused:
        run(settings, "evil.x")
    assert not isinstance(refused.value, NotPublishedError)


def test_a_delivery_of_ones_own_domain_and_beside_the_domains_is_read(tmp_path: Path):
    settings = shop(tmp_path / "w", "../y/y.csv")
    folder = tmp_path / "w" / "domains" / "evil" / "y"
    folder.mkdir()
    (folder / "y.csv").write_text("x\na\n", "utf-8")
    assert run(settings, "evil.x").published
    settings = shop(tmp_path / "v", "../../../data/y.csv")
    (tmp_path / "v" / "data").mkdir()
    (tmp_path / "v" / "data" / "y.csv").write_text("x\na\n", "utf-8")
    assert run(settings, "evil.x").published


SERVER = (
    "servers:\n  - {server: files, type: local, path: exports, format: parquet,\n"
    "     customProperties: [{property: export, vendor: dataops_mesh, value: true}]}\n"
)
COPIES = {
    "by its version": "../../../exports/shop/customers/v*/customers/part-0.parquet",
    "by its name": "../../../exports/shop/customers/current/customers/*.parquet",
    "by its whole path": "{root}/exports/shop/customers/current/customers/*.parquet",
    "by a link": "copy.parquet",
}


def exported(root: Path, path: str):
    settings = shop(root, path)
    contract = root / "domains" / "shop" / "customers" / "customers.odcs.yaml"
    contract.write_text(contract.read_text("utf-8") + SERVER, "utf-8")
    assert run(settings, "shop.customers").published
    (copy,) = export_product(product(settings, "shop.customers"), environment(settings))
    assert copy.outcome == "exported", copy
    return settings


@pytest.mark.parametrize("case", COPIES)
def test_a_copy_that_was_exported_is_not_a_source(tmp_path: Path, case: str):
    root = tmp_path / "w"
    settings = exported(root, COPIES[case].format(root=root))
    link = root / "domains" / "evil" / "x" / "copy.parquet"
    link.symlink_to(root / "exports/shop/customers/current/customers/part-0.parquet")
    with pytest.raises(SourceError, match="reads a copy of what this mesh publishes"):
        run(settings, "evil.x")


def test_a_copy_of_another_mesh_is_a_source(tmp_path: Path):
    other, root = tmp_path / "other", tmp_path / "w"
    exported(other, "none.csv")
    path = f"{other}/exports/shop/customers/current/customers/part-0.parquet"
    settings = shop(root, path)
    evil = root / "domains" / "evil" / "x" / "x.sql"
    evil.write_text("select ssn as x from raw", "utf-8")
    assert run(settings, "shop.customers").published
    assert run(settings, "evil.x").published
