"""docs/masks.md shows what happens."""

from __future__ import annotations

import re
from pathlib import Path

from helpers import a_product, a_source, read, run, write_workspace

PAGE = (Path(__file__).parents[2] / "docs" / "masks.md").read_text("utf-8")
(SCHEMA,) = re.findall(r"```yaml\n(schema:.*?)```", PAGE, re.DOTALL)
HEAD = """\
apiVersion: v3.2.0
kind: DataContract
id: urn:datacontract:@domain:passengers
version: 1.0.0
"""


def test_the_contract_of_the_page_masks_what_it_shows(tmp_path, monkeypatch):
    (secret,) = re.findall(r'MESH_SECRET_PASSENGERS="(.*?)"', PAGE)
    monkeypatch.setenv("MESH_SECRET_PASSENGERS", secret)
    files = a_product(
        {"passengers": HEAD + SCHEMA},
        inputs=[a_source("passengers_csv", "passengers.csv")],
        files={
            "passengers.sql": "select id, email, phone, born from passengers_csv",
            "passengers.csv": "id,email,phone,born\n1,ann@example.org,+491234578,1983-05-17\n",
        },
    )
    settings = write_workspace(tmp_path, {"travel": {"passengers": files}})
    assert run(settings, "travel.passengers").published
    (query,) = re.findall(r'mesh query "(.*?)"', PAGE)
    (row,) = read(settings, query)
    (shown,) = re.findall(r"^ 1  (.*)$", PAGE, re.MULTILINE)
    assert shown.split() == [str(cell) for cell in row[1:]]
