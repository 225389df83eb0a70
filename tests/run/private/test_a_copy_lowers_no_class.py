"""How secret an input is says what its owner published, and not a copy or an edit of its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    product,
    read,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.guards.flow import policy_problems
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import read_manifest

KEY = "{name: id, logicalType: integer, primaryKey: true, classification: public}"
STRICT = "rules: {classification_known: error}\n"
RULE = """\
organisation:
  - id: nothing_restricted
    expression: >-
      product.inputPorts.all(i, !has(i.contract) || i.contract.schema[0].properties.all(
        c, !has(c.classification) || c.classification != 'restricted'))
    message: reads what is restricted
    rationale: it stays at home
    severity: error
"""
PYTHON = (
    "def transform(inputs):\n"
    "    return inputs['people.customers'].to_arrow_table().rename_columns(['id', 'code'])\n"
)


def customers(said: str = "restricted"):
    ssn = f"{{name: ssn, logicalType: string, classification: {said}}}"
    return a_product(
        {"customers": [KEY, ssn]},
        inputs=[a_source("people_csv", "people.csv")],
        files={
            "customers.sql": "select id, ssn from people_csv",
            "people.csv": "id,ssn\n1,078-05-1120\n",
        },
    )


def reader(made: str = "select id, ssn as code from people.customers", said: str = "public"):
    code = f"{{name: code, logicalType: string, classification: {said}}}"
    name = "transform.py" if made.startswith("def") else "promo.sql"
    return a_product(
        {"promo": a_contract("promo", [KEY, code])},
        inputs=[an_input("people.customers")],
        files={name: made},
    )


def published(settings) -> set[str]:
    return {str(address) for address in latest(environment(settings).store).ports}


@pytest.fixture(params=["a copy in another repository", "an edit that nobody published"])
def lowered(request, tmp_path: Path):
    """The owner has published `ssn` as restricted; where the reader runs, a folder says public."""
    owner = tmp_path / "owner"
    owner.mkdir()
    here = write_workspace(owner, {"people": {"customers": customers()}})
    assert isinstance(run(here, "people.customers").decision, Publish)
    if "copy" in request.param:
        copy = tmp_path / "copy"
        copy.mkdir()
        here = write_workspace(copy, {}, settings=f'store = "{here.store_folder}"\n')
    write_product(here.root, "people", "customers", customers("public"))
    (here.root / "policies.yaml").write_text(STRICT, "utf-8")
    return here


@pytest.mark.parametrize(
    ("made", "rule"),
    [
        ("select id, ssn as code from people.customers", "classification_lineage"),
        ("select id, upper(ssn) as code from people.customers", "classification_lineage"),
        (PYTHON, "classification_known"),
    ],
)
def test_what_the_folder_calls_public_is_not_published_as_public(lowered, made, rule):
    write_product(lowered.root, "evil", "promo", reader(made))
    decision = run(lowered, "evil.promo").decision
    assert isinstance(decision, Refuse)
    (reason,) = decision.reasons
    assert "people.customers.ssn is restricted" in reason
    assert rule in reason
    assert "domains/evil/promo/promo.odcs.yaml:" in reason
    assert "by the published contracts" in reason
    assert published(lowered) == {"people.customers"}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("select id, ssn as code from people.customers", "restricted"),
        ("select id, sha256('salt' || ssn) as code from people.customers", "public"),
        ("select id, 'x' as code from people.customers", "public"),
    ],
)
def test_who_keeps_the_class_or_ends_it_is_published(lowered, made, said):
    write_product(lowered.root, "good", "promo", reader(made, said))
    assert isinstance(run(lowered, "good.promo").decision, Publish)


def test_an_organisations_rule_sees_the_published_class(lowered):
    (lowered.root / "policies.yaml").write_text(RULE, "utf-8")
    made = "select id, 'x' as code from people.customers"
    write_product(lowered.root, "evil", "promo", reader(made))
    decision = run(lowered, "evil.promo").decision
    assert isinstance(decision, Refuse)
    assert "nothing_restricted" in decision.reasons[0]


def test_what_the_owner_raises_counts_before_it_is_published(tmp_path: Path):
    domains = {"people": {"customers": customers("public")}, "good": {"promo": reader()}}
    settings = write_workspace(tmp_path, domains)
    assert isinstance(run(settings, "people.customers").decision, Publish)
    assert isinstance(run(settings, "good.promo").decision, Publish)
    write_product(tmp_path, "people", "customers", customers("restricted"))
    (problem,) = policy_problems(product(settings, "good.promo"), settings)  # the gate asks both
    assert "people.customers.ssn is restricted" in problem.what
    assert isinstance(run(settings, "people.customers").decision, Publish)
    assert isinstance(run(settings, "good.promo").decision, Refuse)
    assert read(settings, "select code from good.promo") == [("078-05-1120",)]  # what it made stays


def test_a_published_contract_that_is_lost_is_no_word(lowered):
    store = environment(lowered).store
    (entry,) = latest(store).ports.values()
    digest = read_manifest(store, entry.candidate).declaration
    (store.root / "declarations" / digest).unlink()
    write_product(lowered.root, "evil", "promo", reader())
    decision = run(lowered, "evil.promo").decision
    assert isinstance(decision, Refuse)
    assert any("nobody can tell how secret people.customers is" in one for one in decision.reasons)
    assert published(lowered) == {"people.customers"}
