"""What nobody executes of severity error refuses until somebody says otherwise, with an end."""

from __future__ import annotations

import pytest
from policy_cases import CONTRACT, FILES, replaced, verdict, write

from dataops_mesh.spec.model import Severity

SODA = "      - {id: soda, type: custom, engine: soda, implementation: x%s}\nroles:\n"
WAIVER = (
    "waivers: [{rule: rules_executed, product: shop.orders, who: ana, why: it runs elsewhere, "
    "until: 2026-12-01}]\n"
)


def contract(severity: str) -> str:
    return replaced(CONTRACT, "roles:\n", SODA % severity)


@pytest.mark.parametrize(
    ("severity", "policies", "expected"),
    [
        ("", "", Severity.ERROR),
        (", severity: error", "default: info\n", Severity.ERROR),
        (", severity: error", "rules: {rules_executed: warning}\n", Severity.WARNING),
        (", severity: warning", "default: error\n", Severity.WARNING),
        (", severity: info", "rules: {rules_executed: info}\n", Severity.INFO),
    ],
)
def test_a_rule_is_as_grave_as_its_failure_would_have_been(tmp_path, severity, policies, expected):
    files = {FILES["contract"]: contract(severity)}
    found = verdict(write(tmp_path, files | {"policies.yaml": policies or "rules: {}\n"}))
    (one,) = [v for v in found.violations if v.rule == "rules_executed"]
    assert one.severity is expected
    assert 'shop.orders: rule "soda"' in one.finding.what
    assert one.finding.where.line == 13
    assert bool(found.refusals) is (expected is Severity.ERROR)


def test_a_waiver_with_an_end_lets_it_pass(tmp_path):
    files = {FILES["contract"]: contract(""), "waivers.yaml": WAIVER}
    found = verdict(write(tmp_path, files))
    assert found.refusals == ()
    assert [violation.rule for violation, _ in found.waived] == ["rules_executed"]
