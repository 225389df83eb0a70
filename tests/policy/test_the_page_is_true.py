"""docs/policies.md: its lists are complete and its blocks do what they say."""

from __future__ import annotations

import re
from pathlib import Path

from policy_cases import TODAY, verdict, write

from dataops_mesh.policy.builtin import ALWAYS, BUILT_IN
from dataops_mesh.policy.load import load_policies, schema_validator
from dataops_mesh.policy.model import Policy
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.yaml import parse_document
from dataops_mesh.spec.standards.schema import validate

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_every_policy_and_what_always_holds_is_on_the_page():
    table = PAGE.partition("## What comes with the library")[2].partition("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [p.id for p in BUILT_IN]
    assert all(f"`{name}`" in table for name in ALWAYS)
    for policy in BUILT_IN:
        (row,) = re.findall(rf"^\| `{policy.id}` \|.*", table, re.MULTILINE)
        assert all(f"`{option}`" in row for option in policy.options)


def test_the_policies_file_of_the_page_holds(tmp_path):
    file = tmp_path / "policies.yaml"
    file.write_text(blocks("yaml")[0], "utf-8")
    policies = load_policies(file, tmp_path)
    assert [policy.id for policy, _ in policies.off] == [
        "tested",
        "input_versions",
        "four_eyes",
    ]
    assert policies.rules[-1].id == "owner_is_a_person"


def test_the_expression_of_the_page_is_kept(tmp_path):
    rule = f"organisation: [{{id: own, message: m, expression: {blocks('cel')[0].strip()!r}}}]\n"
    assert verdict(write(tmp_path, {"policies.yaml": rule}), TODAY).violations == ()


def test_the_python_policy_of_the_page_is_one():
    namespace: dict[str, object] = {}
    exec(blocks("python")[0], namespace)  # noqa: S102 - the page is ours
    assert isinstance(namespace["POLICY"], Policy)


def test_the_waiver_of_the_page_is_valid():
    document = parse_document(blocks("yaml")[1], "waivers.yaml")
    assert validate(schema_validator("waivers"), Node(document, document.data)) == []
