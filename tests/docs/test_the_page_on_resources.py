"""The resource of docs/sources.md: asked for real, twice, of a server."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from helpers import a_contract, read, run, write_workspace

sys.path.append(str(Path(__file__).parents[1] / "fetch"))
from web_server import serving

PAGE = (Path(__file__).parents[2] / "docs/sources.md").read_text("utf-8")
BLOCKS = re.findall(r"^```\w+\n(?:#|--) (domains/\S+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_resource_of_the_page_brings_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    contract = a_contract(
        "orders",
        (
            "{name: id, logicalType: integer, primaryKey: true}",
            "{name: amount, logicalType: number}",
            "{name: updated_at, logicalType: string}",
        ),
    )
    made = write_workspace(tmp_path, {"shop": {"orders": {"orders.odcs.yaml": contract}}})
    for place, text in BLOCKS:
        file = tmp_path / place
        file.write_text(text.replace("\n\n\n\n", "\n"), "utf-8")
    with serving() as web:
        said = f'url = "{web.url("/api/orders")}"\napi_key = "the-key"'
        monkeypatch.setenv("MESH_CONNECTION_SHOP_API", said)
        web.password = "the-key"  # noqa: S105 - of this test

        def offer(*rows: tuple[int, str, str]) -> None:
            names = ("id", "amount", "updated_at")
            found = [dict(zip(names, row, strict=True)) for row in rows]
            web.files["/api/orders"] = json.dumps(found).encode()

        offer((1, "1.50", "2026-01-01"), (2, "2.00", "2026-01-02"))
        assert run(made, "shop.orders").published
        offer((1, "9.99", "2026-01-03"), (2, "7.77", "2026-01-01"))
        assert run(made, "shop.orders").published
    asked = "select id, amount::varchar from shop.orders order by 1"
    assert [(one, float(two)) for one, two in read(made, asked)] == [(1, 9.99), (2, 2.0)]
    assert sorted(place.rpartition(".")[2] for place, _ in BLOCKS) == ["py", "sql", "yaml"]
