"""docs/roles.md shows what happens."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from textwrap import indent

import yaml
from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    read,
    run,
    write_workspace,
)

from dataops_mesh import connect
from dataops_mesh.store.verify import lost

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "roles.md").read_text("utf-8")
ROLES, PORT = re.findall(r"```yaml\n# [^\n]*\n(.*?)```", PAGE, re.DOTALL)
(SCHEMA,) = re.findall(
    r"```yaml\nschema:\n.*?properties:\n(.*?)```", (DOCS / "masks.md").read_text(), re.DOTALL
)
(SETTING,) = re.findall(r"```toml\n\[tool.dataops_mesh\]\n(.*?)```", PAGE, re.DOTALL)


def test_the_role_of_the_page_opens_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.setenv("MESH_SECRET_PASSENGERS", "a long text that nobody guesses")
    monkeypatch.chdir(tmp_path)
    contract = a_contract("passengers", [], extra=ROLES) + SCHEMA
    files = a_product(
        {"passengers": contract},
        inputs=[a_source("passengers_csv", "passengers.csv")],
        files={
            "passengers.sql": "select id, email, phone, born from passengers_csv",
            "passengers.csv": "id,email,phone,born\n1,ann@example.org,+491234578,1983-05-17\n",
        },
    )
    (entry,) = yaml.safe_load(PORT)["inputPorts"]
    named = an_input(entry["name"]) + indent(
        yaml.safe_dump({"customProperties": entry["customProperties"]}), "  "
    )
    refunds = a_product(
        {"refunds": ["{name: n, logicalType: integer, classification: internal}"]},
        inputs=[named],
        files={
            "refunds.sql": "select count(*)::int as n from travel.passengers where email like '%@%'"
        },
    )
    domains = {"travel": {"passengers": files}, "finance": {"refunds": refunds}}
    place = SETTING.replace("/srv/", f"{tmp_path}/")
    settings = write_workspace(tmp_path, domains, settings=place)
    assert run(settings, "travel.passengers").published
    assert run(settings, "finance.refunds").published
    assert read(settings, "from finance.refunds") == [(1,)]
    (typed,) = re.findall(r"^\$ (mesh query .*)$", PAGE, re.MULTILINE)
    *_, role, query = shlex.split(typed)
    with connect(tmp_path, role=role) as con:
        row = con.execute(query).fetchone()
    (shown,) = re.findall(r"^(ann@.*)$", PAGE, re.MULTILINE)
    assert row is not None
    assert shown.split() == [str(cell) for cell in row]
    store = environment(settings).store
    assert lost(store) == {}
    shutil.rmtree(tmp_path / "mesh-restricted")
    assert "a file is missing" in lost(store)["travel.passengers"]
