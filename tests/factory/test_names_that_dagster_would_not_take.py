"""Names that people have are no reason for Dagster to refuse a location."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from helpers import a_product, a_source, write_workspace
from locations import COLUMNS, execute, location

ODD = ["a@b.c", ".a@b.co", "ana", "Ana Å. Smith", "田中", "", " ", "x" * 300, "a@b@c.de",
       "x" * 300 + "@mesh.example", "ana@mesh.photography", "team:x", "-", "🙂"]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_any_name_of_a_person_team_tag_or_channel_is_no_reason_not_to_load(
    tmp_path, instance, name
):
    said = json.dumps(name, ensure_ascii=False)
    content = a_product(
        ports={"orders": COLUMNS},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "orders.sql": "select id::bigint as id, kind from orders_csv",
            "orders.csv": "id,kind\n1,a\n",
        },
        extra=f"""\
team: {{name: {said}, members: [{{username: {said}, role: owner}}, {{username: b@mesh.example, role: owner}}]}}
tags: [{said}, fine]
description: {{purpose: {said}, limitations: {said}}}
support: [{{channel: {said}, url: "mailto:shop@mesh.example"}}]
""",
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": content}}, settings="retries = 0\n")
    (spec,) = (s for s in location(settings, "shop").resolve_all_asset_specs() if s.owners)
    assert "b@mesh.example" in spec.owners
    assert spec.key == dg.AssetKey(["shop", "orders"])
    if name == ODD[0]:
        assert execute(settings, "shop", instance).success
