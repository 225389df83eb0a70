"""`mesh run` names the checks that warned: a number alone sends nobody to look."""

from __future__ import annotations

RULE = "      - {id: more_%d, metric: rowCount, mustBeGreaterThan: 100, severity: warning}\n"


def test_warnings_are_named_a_few_of_them_and_the_rest_by_a_command(mesh, workspace):
    file = workspace.root / "domains" / "shop" / "orders" / "orders.odcs.yaml"
    text = file.read_text("utf-8").rstrip() + "\n    quality:\n"
    file.write_text(text + "".join(RULE % n for n in range(5)), "utf-8")
    said = mesh("run", "shop.orders")
    assert said.code == 0
    assert "warnings, which refuse nothing:" in said.out + said.err
    for n in range(3):
        assert f"shop.orders.more_{n}: " in said.out + said.err
    assert "more_3" not in said.out + said.err
    assert "and 2 more: mesh show " in said.out + said.err
    (row,) = mesh("run", "shop.orders", "--format", "json").json
    assert len(row["warned"]) == 5
