"""policies.yaml: what it sets, and that every mistake in it is found, placed and answered."""

from __future__ import annotations

import pytest
from policy_cases import CONTRACT, FILES, PRODUCT, TODAY, replaced, verdict, write

from dataops_mesh.errors import DeclarationError
from dataops_mesh.policy.load import load_policies
from dataops_mesh.spec.model import Severity

NO_TEAM = replaced(
    PRODUCT, "team: {name: shop, members: [{username: ana@mesh.example, role: owner}]}\n", ""
)


def problems(tmp_path, text: str):
    (tmp_path / "policies.yaml").write_text(text, "utf-8")
    try:
        load_policies(tmp_path / "policies.yaml", tmp_path)
    except DeclarationError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("severity", ["error", "warning", "info"])
def test_the_platform_team_sets_the_severity(tmp_path, severity):
    files = {FILES["product"]: NO_TEAM, "policies.yaml": f"rules:\n  owner: {severity}\n"}
    (found,) = verdict(write(tmp_path, files)).violations
    assert found.severity is Severity(severity)


def test_only_errors_refuse(tmp_path):
    files = {FILES["product"]: NO_TEAM, "policies.yaml": "rules: {owner: warning}\n"}
    assert verdict(write(tmp_path, files)).refusals == ()
    files["policies.yaml"] = "default: error\n"
    (problem,) = verdict(write(tmp_path, files)).refusals
    assert "policy owner" in problem.what


def test_a_policy_is_off_with_a_reason(tmp_path):
    setting = "rules:\n  owner: {severity: off, reason: the register of teams is elsewhere}\n"
    files = {FILES["product"]: NO_TEAM, "policies.yaml": setting}
    assert verdict(write(tmp_path, files)).violations == ()
    policies = load_policies(tmp_path / "policies.yaml", tmp_path)
    assert [(p.id, why) for p, why in policies.off] == [
        ("owner", "the register of teams is elsewhere"),
        ("tested", "it holds only where the policies file names it"),
        ("four_eyes", "it holds only where the policies file names it"),
    ]
    assert "owner" in policies.known


BROKEN = [
    ("rules:\n  ownr: error\n", 2, "rules.ownr", 'did you mean "owner"'),
    ("rules:\n  owner: fatal\n", 2, "rules.owner", '"fatal" is not a severity'),
    ("rules:\n  owner: eror\n", 2, "rules.owner", 'did you mean "error"'),
    ("rules:\n  owner: [error]\n", 2, "rules.owner", "is not a severity"),
    ("rules:\n  owner: {severity: 3}\n", 2, "rules.owner.severity", "is not a severity"),
    ("rules:\n  owner: off\n", 2, "rules.owner", "only be off with a reason"),
    ("rules:\n  owner: {severity: off}\n", 2, "rules.owner", "say why"),
    ("rules:\n  owner:\n    sevrity: error\n", 3, "rules.owner.sevrity", 'did you mean "severity"'),
    ("rules:\n  naming:\n    columns: '('\n", 3, "rules.naming.columns", "regular expression"),
    ("rules:\n  naming: {columns: 7}\n", 2, "rules.naming.columns", "regular expression"),
    ("rules:\n  allowed_engines: {engines: sql}\n", 2, "rules.allowed_engines.engines", "a list of"),
    ("rules:\n  cycles: warning\n", 2, "rules.cycles", "always holds"),
    ("rules: [owner]\n", 1, "rules", "must be a mapping"),
    ("defaults: error\n", 1, "defaults", 'did you mean "default"'),
    ("default: eror\n", 1, "default", 'did you mean "error"'),
    ("organisation:\n  - id: x\n    expression: 'true'\n", 2, "organisation[0].message", "missing"),
    ("organisation:\n  - {id: X, expression: 'true', message: m}\n", 2, "organisation[0].id", "does not match"),
    ("organisation:\n  - {id: owner, expression: 'true', message: m}\n", 2, "organisation[0].id", "already"),
    ("organisation:\n  - {id: x, expression: '1 +', message: m}\n", 2, "organisation[0].expression", "not CEL"),
    ("organisation:\n  - {id: x, expression: 'prduct.id == 1', message: m}\n", 2, "organisation[0].expression", 'did you mean "product"'),
    ("organisation:\n  - {id: x, expression: 'siz(product.id) == 1', message: m}\n", 2, "organisation[0].expression", 'did you mean "size"'),
    ("organisation:\n  - {id: x, expression: 'product.x.matchs(1)', message: m}\n", 2, "organisation[0].expression", 'did you mean "matches"'),
    ("organisation:\n  - {id: x, expression: 'product.x.reduce(a, b, 0, a)', message: m}\n", 2, "organisation[0].expression", "no function"),
    ("a: [\n", 2, "", "is not YAML"),
    ("[]\n", 1, "", "must be a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "key", "says"), BROKEN)
def test_a_mistake_is_found_and_placed(tmp_path, text, line, key, says):
    found = problems(tmp_path, text)
    assert found
    (problem,) = [p for p in found if says in p.what]
    assert str(problem.where) == f"policies.yaml:{line}"
    assert problem.key == key


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path):
    text = (
        "default: eror\nrules:\n  ownr: error\n  naming: {columns: '('}\n"
        "organisation:\n  - {id: a, expression: '1 +', message: m}\n"
        "  - {id: a, expression: 'true', message: m}\n"
    )
    assert [p.where.line for p in problems(tmp_path, text)] == [1, 3, 4, 6, 7]


def test_an_expression_that_is_too_long_is_refused(tmp_path):
    rule = f"organisation:\n  - {{id: x, expression: \"'{'a' * 1000}' == ''\", message: m}}\n"
    assert "longer than" in problems(tmp_path, rule)[0].what


def organisation(expression: str) -> str:
    quoted = expression.replace('"', '\\"')
    return (
        f'organisation:\n  - {{id: own, expression: "{quoted}", message: no good, fix: mend it}}\n'
    )


# expression, products that break it
RULES = [
    ("product.outputPorts.all(p, p.contract.schema[0].properties.exists(c, c.primaryKey))", []),
    ("product.outputPorts.all(p, p.contract.schema[0].properties.exists(c, c.required))", ["desk.tickets"]),
    ("product.domain == 'shop'", ["desk.tickets"]),
    ("has(product.team.members)", ["desk.tickets"]),
    ("product.inputPorts.size() < 2", ["shop.orders"]),
    ("product.outputPorts.all(p, p.name == 'orders' || p.version == '1.0.0')", []),
    ("product.support.all(s, s.url.endsWith('@mesh.example'))", []),
    ("product.outputPorts.exists_one(p, p.contract.id.matches('^shop[.]'))", ["desk.tickets"]),
    ("product.outputPorts.all(p, p.contract.slaProperties.filter(s, s.property == 'retention').all(s, s.unit == 'y'))", []),
    ("product.status == 'active' ? true : false", []),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "products"), RULES)
def test_a_rule_of_the_organisation_is_one_line(tmp_path, expression, products):
    found = verdict(write(tmp_path, {"policies.yaml": organisation(expression)})).violations
    assert sorted(v.product for v in found) == sorted(products)
    assert all(v.finding.what.startswith("no good") for v in found)
    assert {v.finding.fix for v in found} <= {"mend it"}
    assert {v.rule for v in found} <= {"own"}


@pytest.mark.parametrize(
    "expression",
    [
        "product.nobody == 1",
        "product.id > 1",
        "1 / 0 == 1",
        "product.id.matches('(')",
        "product.outputPorts[9].name == ''",
        "product.outputPorts.all(p, p.nothing)",
        "product.outputPorts.exists_one(p, p.nothing == 1)",
        "size(product.id)",  # a number is not true, and not false either
        "product.status",
        "null",
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_broken_not_passed(tmp_path, expression):
    text = "default: info\n" + organisation(expression)
    waived = f"waivers: [{{rule: own, product: shop.orders, who: bo, why: x, until: {TODAY}}}]\n"
    judged = verdict(write(tmp_path, {"policies.yaml": text, "waivers.yaml": waived}))
    assert len(judged.violations) == 2
    words = ("could not be evaluated", "neither true nor false")
    assert all(any(one in v.finding.what for one in words) for v in judged.violations)
    assert {v.severity for v in judged.violations} == {Severity.ERROR}, "A21: never a warning"
    assert len(judged.refusals) == 2, "and no waiver covers what nobody knows"


NAMED = {
    "product.version > 3": "string and int do not go together in `product.version > 3`",
    "product.nobody == 1": "'nobody' in `product.nobody`",
    "product.outputPorts.all(p, p.nothing == 1)": "'nothing' in `p.nothing` of orders",
    "product.outputPorts.all(p, p.contract.schema.all(s, s.properties.all(c, c.name > 1)))": (
        "in `c.name > 1` of orders."
    ),
    "product.outputPorts.all(p, p.name == 'x' || p.version + 1 == 2)": "`p.version + 1` of orders",
}


@pytest.mark.parametrize("expression", NAMED)
def test_a_rule_that_cannot_be_evaluated_says_which_key_of_what(tmp_path, expression):
    found = verdict(write(tmp_path, {"policies.yaml": organisation(expression)})).violations
    (orders,) = [one for one in found if one.product == "shop.orders"]
    assert NAMED[expression] in orders.finding.what


def test_no_declaration_makes_a_rule_run_for_ever(tmp_path):
    columns = "".join(
        f"      - {{name: c{n}, logicalType: string, classification: public, description: x}}\n"
        for n in range(60)
    )
    inner = "true"
    for name in "abcd":
        inner = f"p.contract.schema[0].properties.all({name}, {inner})"
    files = {
        FILES["contract"]: replaced(CONTRACT, "    quality:\n", columns + "    quality:\n"),
        "policies.yaml": organisation(f"product.outputPorts.all(p, {inner})"),
    }
    found = verdict(write(tmp_path, files)).violations
    assert [(v.product, "more than" in v.finding.what) for v in found] == [("shop.orders", True)]
