"""A rule of the organisation sees the contracts of what a product reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from policy_cases import write

from dataops_mesh.policy.judge import judge
from dataops_mesh.run.guards.flow import flows_in
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.model import Product

RULE = """\
organisation:
  - id: reads_what_is_stable
    expression: >-
      product.inputPorts.all(i, !has(i.contract) || i.contract.version.startsWith('VERSION'))
    message: reads a contract of another version
    rationale: nobody builds on sand
    severity: error
"""


@pytest.mark.parametrize(("version", "broken"), [("1.", []), ("2.", ["shop.orders"])])
def test_the_contract_of_an_input(tmp_path, version, broken):
    root = write(tmp_path, {"policies.yaml": RULE.replace("VERSION", version)})
    settings, mesh = load_settings(root), load_mesh(root)
    remembered: list[str] = []

    def answers(text: str, product: Product | None, ask: Callable[[], str]) -> str:
        if product is not None:
            remembered.append(text)
        return ask()

    found = judge(mesh, settings, flows=flows_in(mesh, settings), answers=answers).violations
    told = [one.product for one in found if one.rule == "reads_what_is_stable"]
    assert told == broken
    assert remembered == []  # it hangs on another product's contract, not on this product alone
