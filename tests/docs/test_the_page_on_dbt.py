"""The page on dbt: its declarations publish a product, and its selection is one."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from helpers import run

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "transform"))

from dbt_cases import PORTS, books, mesh, write_project  # noqa: E402 - of another room

HEAD = "apiVersion: v1.1.0\nkind: DataProduct\nid: urn:dataproduct:books:totals\n"
PAGE = (REPOSITORY / "docs" / "dbt.md").read_text("utf-8")
PRODUCT, SOURCES, SELECT = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_project_of_the_page_is_published(tmp_path):
    made = {**books("totals"), "product.odps.yaml": HEAD + PRODUCT}
    settings = mesh(tmp_path, totals=made)
    schema = "version: 2\nmodels:\n  - {name: totals, access: public}\n"
    write_project(tmp_path, {"models/sources.yml": SOURCES, "models/schema.yml": schema})
    assert run(settings, "books.totals").published


def test_select_says_what_is_built(tmp_path):
    chosen = HEAD + PRODUCT.replace(
        "value: {dbt: {project: ../../../project}}",
        SELECT.strip().replace("totals largest", "+totals"),
    )
    settings = mesh(tmp_path, totals={**books("totals"), "product.odps.yaml": chosen})
    kept = "select no_such_column from {{ ref('staged') }}"
    write_project(tmp_path, {"models/kept.sql": kept})
    assert sorted(PORTS) == ["largest", "totals"]
    assert run(settings, "books.totals").published
