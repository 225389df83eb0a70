"""A port that its contract shows to some is read by nobody else, whatever the reader tries."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    mesh,
    product,
    read,
    roll_back,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.errors import DeclarationError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.plan.compare import compare
from dataops_mesh.plan.publication import change_reasons
from dataops_mesh.spec.mesh import check_mesh

KEY = "{name: id, logicalType: integer, primaryKey: true}"


def salaries(visibility: str = "", version: str = "1.0.0"):
    extra = "customProperties:\n" + a_setting("visibility", visibility) if visibility else ""
    contract = a_contract("salaries", [KEY], extra=extra).replace("1.0.0", version)
    return a_product(
        {"salaries": contract},
        inputs=[a_source("salaries_csv", "salaries.csv")],
        files={"salaries.sql": "select id from salaries_csv", "salaries.csv": "id\n1\n2\n"},
    )


def reader(port: str):
    return a_product(
        {port: [KEY]},
        inputs=[an_input("people.salaries")],
        files={f"{port}.sql": "select id from people.salaries"},
    )


def referring():
    key = "{name: id, logicalType: integer, relationships: [{to: people.salaries.id}]}"
    return a_product(
        {"referring": a_contract("referring", [key])},
        inputs=[a_source("ids_csv", "ids.csv"), an_input("people.salaries")],
        files={"referring.sql": "select id from ids_csv", "ids.csv": "id\n1\n"},
    )


def workspace(root: Path, visibility: str = ""):
    domains = {
        "people": {"salaries": salaries(visibility), "own": reader("own")},
        "finance": {"reports": reader("reports"), "costs": reader("costs")},
        "sales": {"reports": reader("boni"), "referring": referring()},
    }
    return write_workspace(root, domains)


READERS = ("people.own", "finance.reports", "finance.costs", "sales.reports", "sales.referring")


@pytest.mark.parametrize(
    ("visibility", "may"),
    [
        ("", READERS),
        ("organisation", READERS),
        ("domain", ["people.own"]),
        ("[finance]", ["people.own", "finance.reports", "finance.costs"]),
        ("[finance.reports]", ["people.own", "finance.reports"]),
        ("[people, finance.costs, sales]", {*READERS} - {"finance.reports"}),
    ],
)
def test_who_may_read_is_asked_before_and_at_the_gate(tmp_path: Path, visibility, may):
    settings = workspace(tmp_path, visibility)
    told = [str(one) for one in check_mesh(mesh(settings))]
    assert isinstance(run(settings, "people.salaries").decision, Publish)
    for name in READERS:
        decision = run(settings, name).decision
        mentioned = any(f"and {name} reads it" in one for one in told)
        assert (isinstance(decision, Publish), mentioned) == (name in may, name not in may)
        if isinstance(decision, Refuse):
            (reason,) = decision.reasons
            assert "people.salaries is for people" in reason
            assert f"{name} reads it (domains/{name.replace('.', '/')}/" in reason
            assert "`visibility` in domains/people/salaries/salaries.odcs.yaml" in reason


def test_what_the_owner_published_counts_and_not_a_readers_copy_of_it(tmp_path: Path):
    settings = workspace(tmp_path, "domain")
    run(settings, "people.salaries")
    write_product(tmp_path, "people", "salaries", salaries("[finance]"))
    assert not any("finance.reports reads it" in one.what for one in check_mesh(mesh(settings)))
    assert isinstance(run(settings, "finance.reports").decision, Refuse)


def test_a_port_that_is_hidden_later_is_not_read_again(tmp_path: Path):
    settings = workspace(tmp_path)
    run(settings, "people.salaries")
    assert isinstance(run(settings, "sales.reports").decision, Publish)
    before = product(settings, "people.salaries")
    write_product(tmp_path, "people", "salaries", salaries("domain"))
    refused = run(settings, "people.salaries").decision
    assert isinstance(refused, Refuse)  # it breaks its readers
    assert "visibility organisation to people" in refused.reasons[0]
    write_product(tmp_path, "people", "salaries", salaries("domain", "2.0.0"))
    assert isinstance(run(settings, "people.salaries").decision, Publish)
    assert isinstance(run(settings, "sales.reports").decision, Refuse)
    assert read(settings, "select count(*) from sales.boni") == [(2,)]  # what it made stays
    wider = compare(product(settings, "people.salaries"), before)
    assert {"visibility_wider"} == {one.kind for one in wider} - {"version_back"}
    (back,) = [one for one in wider if one.kind == "visibility_wider"]
    assert back.one_way == "what people have seen cannot be made unseen"
    reasons = change_reasons(product(settings, "people.salaries"), before)
    assert any("cannot be taken back" in one for one in reasons)


@pytest.mark.parametrize(
    ("visibility", "said"),
    [
        ("[]", "needs at least 1"),
        ("nobody", "nobody"),
        ("[finance.*]", "does not match"),
        ("[finance, finance]", "twice"),
        ("true", "true"),
    ],
)
def test_a_word_that_means_nothing_is_refused(tmp_path: Path, visibility, said):
    settings = workspace(tmp_path, visibility)
    with pytest.raises(DeclarationError, match=r"salaries.odcs.yaml:6: customProperties") as caught:
        product(settings, "people.salaries")
    assert said in str(caught.value)


def test_a_name_that_nobody_has_is_told_and_another_repositorys_is_not(tmp_path: Path):
    settings = workspace(tmp_path, "[finance.reprots, elsewhere.reports, sales]")
    told = [one for one in check_mesh(mesh(settings)) if "is no product" in one.what]
    (one,) = told
    assert 'people.salaries is for "finance.reprots"' in one.what
    assert 'did you mean "finance.reports"?' in one.what


def test_a_rollback_brings_back_rows_and_does_not_open_the_port(tmp_path: Path):
    settings = workspace(tmp_path)
    first = run(settings, "people.salaries").publication
    write_product(tmp_path, "people", "salaries", salaries("domain", "2.0.0"))
    assert isinstance(run(settings, "people.salaries").decision, Publish)
    roll_back(settings, "people.salaries", first, "wrong rows")
    assert isinstance(run(settings, "sales.reports").decision, Refuse)
    assert isinstance(run(settings, "people.own").decision, Publish)
