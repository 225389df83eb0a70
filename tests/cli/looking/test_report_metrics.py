"""`mesh report metrics` counts what was run."""

from __future__ import annotations

import json


def test_the_command_counts_what_was_run(mesh):
    assert mesh("run", "shop").code == 0
    said = mesh("report", "metrics", "--format", "json")
    assert said.code == 0, said.err
    found = {one["of"]: one for one in json.loads(said.out)}
    assert found["shop.orders"]["publications"] == found["all"]["publications"] == 1
    assert found["shop.orders"]["deployments"] == 1
    assert len(found["shop.orders"]["over_time"]) == 12
    table = mesh("report", "metrics", "shop")
    assert table.code == 0
    assert "shop.orders" in table.out
    assert "desk" not in table.out
    assert mesh("report", "metrics", "--from", "2999-01-01").code == 2
