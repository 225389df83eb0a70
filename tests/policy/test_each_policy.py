"""Each policy: a declaration that keeps it, one that breaks it, and the line that is named."""

from __future__ import annotations

import pytest
from policy_cases import CONTRACT, FILES, PRODUCT, TICKETS, replaced, verdict, write

from dataops_mesh.policy.builtin import BUILT_IN
from dataops_mesh.policy.judge import judge
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_mesh
from dataops_mesh.spec.model import Severity

# policy, file that breaks it, text, what it becomes, line, key
BREAKS = [
    ("owner", "product", "team: {name: shop, members: [{username: ana@mesh.example, role: owner}]}\n", "", 1, "team"),
    ("support_channel", "product", 'support:\n  - {channel: shop, url: "mailto:shop@mesh.example"}\n', "", 1, "support"),
    ("support_channel", "product", '"mailto:shop@mesh.example"', '" "', 15, "support"),
    ("description", "product", "  purpose: Every order.\n", "", 5, "description.purpose"),
    ("description", "contract", "description: {purpose: One row per order.}\n", "", 1, "description.purpose"),
    ("limitations", "product", "  limitations: Orders by telephone are missing.\n", "", 5, "description.limitations"),
    ("columns_described", "contract", ", description: Number.", "", 9, "schema[0].properties[0].description"),
    ("columns_classified", "contract", "classification: public, ", "", 9, "schema[0].properties[0].classification"),
    ("sensitive_protected", "contract", "roles:\n  - {role: shop_reader, access: read}\n", "", 10, "schema[0].properties[1].classification"),
    ("personal_data", "contract", "classification: pii, ", "classification: internal, ", 10, "schema[0].properties[1].classification"),
    ("naming", "contract", "name: email", "name: eMail", 10, "schema[0].properties[1].name"),
    ("primary_key", "contract", "primaryKey: true, ", "", 8, "schema[0].properties"),
    ("completeness", "contract", "required: true, ", "unique: true, ", 8, "schema[0].properties"),
    ("row_count", "contract", "    quality:\n      - {id: enough, metric: rowCount, mustBeGreaterThan: 10}\n", "", 7, "schema[0].quality"),
    ("critical_columns", "contract", "required: true, ", "", 10, "schema[0].properties[1].criticalDataElement"),
    ("few_set_aside", "contract", "required: true, ", "required: true, customProperties: [{property: onFailure, vendor: dataops_mesh, value: {quarantine: 5.1%}}], ", 10, "onFailure"),
    ("rules_executed", "contract", "roles:\n", "      - {id: soda, type: custom, engine: soda, implementation: x, severity: info}\nroles:\n", 13, "quality"),
    ("freshness", "contract", "  - {property: freshness, value: 1, unit: d}\n", "", 15, "slaProperties"),
    ("retention", "contract", "  - {property: retention, value: 1, unit: y}\n", "", 15, "slaProperties"),
    ("semantic_version", "product", "version: 1.2.0\n", "version: v1.2\n", 4, "version"),
    ("semantic_version", "product", "version: 1.2.0\n", "", 1, "version"),
    ("semantic_version", "contract", "version: 1.2.0\n", "version: '1'\n", 4, "version"),
    ("closed_network", "product", "team: {name: shop,", "customProperties: [{property: network, vendor: dataops_mesh, value: true}]\nteam: {name: shop,", 14, "customProperties"),
    ("active_inputs", "tickets", "version: 1.0.0\n", "version: 1.0.0\nstatus: proposed\n", 12, "inputPorts[1]"),
    ("input_versions", "product", "    version: 1.0.0\n", "", 12, "inputPorts[1].version"),
]  # fmt: skip
TEXTS = {"product": PRODUCT, "contract": CONTRACT, "tickets": TICKETS["product.odps.yaml"]}


def test_the_product_that_the_others_are_made_from_keeps_every_policy(tmp_path):
    assert verdict(write(tmp_path)).violations == ()


@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_policy_is_found_and_placed(tmp_path, case):
    rule, file, old, new, line, key = case
    files = {FILES[file]: replaced(TEXTS[file], old, new)}
    if new.startswith("name: eMail"):
        files["domains/shop/orders/orders.sql"] = (
            "select o.id, o.email as eMail from orders_csv o join desk.tickets t on o.id = t.id\n"
        )
    found = [v for v in verdict(write(tmp_path, files)).violations if v.rule == rule]
    assert len(found) == 1, found
    (violation,) = found
    assert violation.severity is Severity.WARNING
    stands_in = FILES["product"] if rule == "active_inputs" else FILES[file]
    assert str(violation.finding.where) == f"{stands_in}:{line}"
    assert violation.finding.key == key
    assert violation.finding.fix
    assert violation.product == "shop.orders"
    text = str(violation.problem())
    assert rule in text
    assert violation.rationale in text


def test_every_policy_is_broken_above_but_the_ones_with_options():
    tried = {rule for rule, *_ in BREAKS}
    assert {policy.id for policy in BUILT_IN} - tried == {
        "allowed_engines",
        "classification_lineage",  # tests/policy/test_a_class_follows_its_values.py
        "classification_known",
        "decided_by_committer",  # tests/policy/test_whose_word_it_is.py
        "four_eyes",
        "tests_exist",  # tests/scaffold/test_ci_templates.py
        "tested",  # below
    }


def test_an_example_is_asked_for_where_the_policy_is_named(tmp_path):
    assert verdict(write(tmp_path)).violations == ()
    root = write(tmp_path, {"policies.yaml": "rules: {tested: error}\n"})

    def without() -> set[str]:
        found = judge(load_mesh(root), load_settings(root)).violations
        return {one.product for one in found if one.rule == "tested"}

    assert without() == {"shop.orders", "desk.tickets"}
    example = root / "domains" / "shop" / "orders" / "examples" / "two_rows"
    example.mkdir(parents=True)
    assert without() == {"shop.orders", "desk.tickets"}
    (example / "expected").mkdir()
    assert without() == {"desk.tickets"}


OPTIONS = [
    ("allowed_engines: {engines: [dbt]}", "allowed_engines", {"shop.orders", "desk.tickets"}),
    ("columns_classified: {classifications: [public]}", "columns_classified", {"shop.orders"}),
    ("sensitive_protected: {sensitive: [public]}", "sensitive_protected", {"desk.tickets"}),
    ("naming: {columns: '[a-d].*'}", "naming", {"shop.orders", "desk.tickets"}),
]


@pytest.mark.parametrize(("setting", "rule", "products"), OPTIONS)
def test_an_option_of_the_platform_team_counts(tmp_path, setting, rule, products):
    found = verdict(write(tmp_path, {"policies.yaml": f"rules:\n  {setting}\n"})).violations
    assert {v.rule for v in found} == {rule}
    assert {v.product for v in found} == products


@pytest.mark.parametrize(
    ("most", "bound", "kept"),
    [
        ("[10%]", "10%", True), ("[10%]", "10.01%", False), ("[10%]", "1 row", False),
        ("[10%, 5 rows]", "5 rows", True), ("[5 rows]", "6 rows", False), ("[]", "1 row", False),
        ("[many]", "1 row", False),
    ],
)  # fmt: skip
def test_the_platform_caps_how_many_rows_may_be_set_aside(tmp_path, most, bound, kept):
    setting = f"{{property: onFailure, vendor: dataops_mesh, value: {{quarantine: {bound}}}}}"
    made = f"required: true, customProperties: [{setting}], "
    files = {
        FILES["contract"]: replaced(CONTRACT, "required: true, ", made),
        "policies.yaml": f"rules:\n  few_set_aside: {{most: {most}}}\n",
    }
    found = verdict(write(tmp_path, files)).violations
    assert [v.rule for v in found] == ([] if kept else ["few_set_aside"])


def test_a_mask_protects_a_sensitive_column_without_a_role(tmp_path):
    text = replaced(CONTRACT, "roles:\n  - {role: shop_reader, access: read}\n", "")
    text = replaced(text, "classification: pii,", "classification: pii, encryptedName: email_enc,")
    assert verdict(write(tmp_path, {FILES["contract"]: text})).violations == ()


@pytest.mark.parametrize(
    ("by", "mask", "kept"),
    [
        ("[hash, constant]", "{method: hash, secret: people}", True),
        ("[hash, constant]", '{method: constant, value: "-"}', True),
        ("[hash, constant]", "{method: partial, keepLast: 2}", False),
        ("[mask]", "{method: partial, keepLast: 2}", True),
        ("[elsewhere, role]", "{method: partial, keepLast: 2}", True),  # the contract has a role
        ("[elsewhere]", "{method: hash, secret: people}", False),
        ("[hash]", None, False),  # a role is not enough for this platform
        ("[hsah]", "{method: hash, secret: people}", False),
        ("[]", "{method: hash, secret: people}", False),
    ],
)
def test_the_platform_says_which_masks_protect(tmp_path, by, mask, kept):
    said = f"{{property: masking, vendor: dataops_mesh, value: {mask}}}"
    said = f"customProperties: [{said}], " if mask else ""
    files = {
        FILES["contract"]: replaced(
            CONTRACT, "classification: pii, ", f"classification: pii, {said}"
        ),
        "policies.yaml": f"rules:\n  sensitive_protected: {{by: {by}}}\n",
    }
    found = verdict(write(tmp_path, files)).violations
    assert [v.rule for v in found] == ([] if kept else ["sensitive_protected"])


def test_a_tag_makes_a_column_as_sensitive_as_a_classification(tmp_path):
    text = replaced(CONTRACT, "roles:\n  - {role: shop_reader, access: read}\n", "")
    text = replaced(text, "classification: pii,", "classification: internal, tags: [PII],")
    found = verdict(write(tmp_path, {FILES["contract"]: text})).violations
    assert [v.rule for v in found] == ["sensitive_protected"]


def test_a_draft_may_read_a_draft_and_a_retired_product_is_left_alone(tmp_path):
    tickets = replaced(TEXTS["tickets"], "version: 1.0.0\n", "version: 1.0.0\nstatus: proposed\n")
    files = {
        "domains/desk/tickets/product.odps.yaml": tickets,
        FILES["product"]: replaced(PRODUCT, "version: 1.2.0\n", "version: 1.2.0\nstatus: draft\n"),
    }
    assert verdict(write(tmp_path, files)).violations == ()
    retired = replaced(PRODUCT, "version: 1.2.0\n", "status: retired\n")
    assert verdict(write(tmp_path, {FILES["product"]: retired})).violations == ()
