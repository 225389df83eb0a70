"""Check, plan, run and show name a rule that nobody executes; nothing is published unsaid."""

from __future__ import annotations

import json

WAIVER = (
    "waivers: [{rule: rules_executed, product: shop.orders, who: ana, why: soda runs it, "
    "until: %s}]\n"
)
RULES = """\
    quality:
      - {id: known, type: custom, engine: soda, implementation: duplicates, severity: %s}
"""


def test_a_rule_of_another_engine_is_named_until_it_is_waived_and_afterwards(mesh, workspace):
    file = workspace.root / "domains" / "shop" / "orders" / "orders.odcs.yaml"
    text = file.read_text("utf-8").rstrip() + "\n"
    file.write_text(text + RULES % "error", "utf-8")
    said = mesh("check")
    assert said.code == 1
    assert 'shop.orders: rule "known": nobody executes it here' in said.err
    assert mesh("run", "shop.orders").code != 0
    file.write_text(text + RULES % "warning", "utf-8")
    said = mesh("check")
    assert said.code == 0, said.err
    assert "warning" in said.err
    assert 'rule "known"' in said.err
    plan = mesh("plan", "--format", "json").json
    (planned,) = [one for one in plan["products"] if one["product"] == "shop.orders"]
    assert len(planned["not_executed"]) == 1
    for form in ("table", "markdown"):
        assert "nobody executes it here" in mesh("plan", "--format", form).out
    assert mesh("run", "shop.orders").code == 0
    (one,) = mesh("show", "1", "--format", "json").json["candidates"]
    assert one["not_executed"] == planned["not_executed"]
    for name in ("1", "shop.orders"):
        assert "nobody executes it here" in mesh("show", name).out
    path = next((workspace.store_folder / "candidates").glob("shop/orders/*/manifest.json"))
    assert json.loads(path.read_text("utf-8"))["unexecuted"] == planned["not_executed"]
