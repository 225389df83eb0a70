"""`mesh check` looks into deliveries for their columns, and not where no domain may look."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import a_product, a_source, mesh, write_workspace

from dataops_mesh.cli.examine import examine_all
from dataops_mesh.errors import MeshError

COLUMNS = ["{name: k, logicalType: integer}"]


@pytest.mark.parametrize("through", ["a link", "a path"])
def test_what_no_domain_may_see_is_not_looked_into(tmp_path: Path, through: str):
    secret = "postgresql://ana:hunter2@db.example/shop"  # noqa: S105 - what must not be told
    path = "src.csv" if through == "a link" else "../../../keys/src.csv"
    made = a_product({"p": COLUMNS}, inputs=[a_source("src", path)],
                     files={"p.sql": "select nosuch as k from src"})  # fmt: skip
    settings = write_workspace(tmp_path, {"d": {"p": made}}, settings='connections = "keys"\n')
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "src.csv").write_text(f"{secret}\n")
    if through == "a link":
        (tmp_path / "domains/d/p/src.csv").symlink_to(tmp_path / "keys" / "src.csv")
    try:
        found = mesh(settings)
    except MeshError as error:
        told = str(error)
    else:
        told = "\n".join(map(str, examine_all(found, found.products, settings)[0]))
    assert "hunter2" not in told
