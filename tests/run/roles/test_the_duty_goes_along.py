"""Who reads unmasked has what it read as its own: it may not publish it less protected."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    environment,
    mesh,
    product,
    read,
    run,
    write_product,
)
from mask_cases import KEY, MARKER, cells, column, hashed
from role_cases import HASH, RESTRICTED, people, reader, role, workspace

from dataops_mesh.cli.output import Format
from dataops_mesh.cli.report.personal import report_pii
from dataops_mesh.errors import MeshError, TransformError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.policy.judge import judge
from dataops_mesh.run.guards.flow import flows_in
from dataops_mesh.run.product import run_product
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.testing import try_product


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


def refusals(settings, name: str) -> list[str]:
    found = mesh(settings)
    verdict = judge(found, settings, only={name}, flows=flows_in(found, settings))
    return [str(one) for one in verdict.refusals]


OPEN = "{name: mail, logicalType: string, classification: internal}"
CLOSED = column("mail", "string", HASH, ", classification: internal")


@pytest.mark.parametrize("said", ["restricted", "internal"])
@pytest.mark.parametrize(
    "sql", ["select mail from hr.people", "select upper(mail) as mail from hr.people"]
)
def test_what_was_read_unmasked_cannot_be_published_open(tmp_path: Path, said, sql):
    """Also where the owner calls the masked column harmless: who needs a role is not."""
    files = people(roles=role("fin.cases"))
    files["people.odcs.yaml"] = files["people.odcs.yaml"].replace("restricted", said)
    domains = {"hr": {"people": files}, "fin": {"cases": reader([OPEN], sql)}}
    settings = workspace(tmp_path, domains)
    (problem,) = refusals(settings, "fin.cases")
    assert "hr.people.mail is restricted" in problem
    write_product(tmp_path, "fin", "cases", reader([CLOSED], sql))
    assert refusals(settings, "fin.cases") == []


def test_the_duty_is_that_of_the_published_contract(tmp_path: Path):
    """A copy of the owner's folder may say neither a class nor a mask: what it made is refused."""
    sql = "select mail from hr.people"
    files = people(roles=role("fin.cases"))
    domains = {"hr": {"people": files}, "fin": {"cases": reader([OPEN], sql)}}
    settings = workspace(tmp_path, domains)
    assert isinstance(run(settings, "hr.people").decision, Publish)
    write_product(tmp_path, "hr", "people", {"people.odcs.yaml": a_contract("people", [OPEN])})
    refused = run(settings, "fin.cases").decision
    assert isinstance(refused, Refuse)
    assert any("hr.people.mail is restricted" in one for one in refused.reasons)
    write_product(tmp_path, "fin", "cases", reader([CLOSED], sql))
    assert isinstance(run(settings, "fin.cases").decision, Publish)


def test_a_bucket_or_a_count_ends_it(tmp_path: Path):
    counted = ["{name: cases, logicalType: integer, classification: internal}"]
    sql = "select count(*)::int as cases from hr.people where mail is not null"
    domains = {
        "hr": {"people": people(roles=role("fin.cases"))},
        "fin": {"cases": reader(counted, sql)},
    }
    assert refusals(workspace(tmp_path, domains), "fin.cases") == []


def test_a_second_mask_of_the_same_secret_makes_the_same_key(tmp_path: Path):
    """So a product that reads by a role and masks again can be joined to the masked form."""
    domains = {
        "hr": {"people": people(roles=role("fin.cases"))},
        "fin": {"cases": reader([CLOSED], "select mail from hr.people")},
    }
    settings = workspace(tmp_path, domains)
    run(settings, "hr.people")
    assert isinstance(run(settings, "fin.cases").decision, Publish)
    joined = "select count(*) from hr.people join fin.cases using (mail)"
    assert read(settings, joined) == [(2,)]
    assert MARKER not in cells(settings.store_folder)


@pytest.mark.parametrize(
    "body",
    [
        "select mail::int as cases from hr.people",
        "select error(mail)::int as cases from hr.people",
        "def transform(hr_people):\n    raise ValueError(str(hr_people.fetchall()))\n",
    ],
    ids=["cast", "error", "python"],
)
def test_a_transform_that_fails_leaves_no_value_in_its_error(tmp_path: Path, body):
    counted = ["{name: cases, logicalType: integer, classification: restricted}"]
    domains = {
        "hr": {"people": people(roles=role("fin.cases"))},
        "fin": {"cases": reader(counted, body)},
    }
    settings = workspace(tmp_path, domains)
    run(settings, "hr.people")
    with pytest.raises(TransformError) as caught:
        run(settings, "fin.cases")
    assert MARKER not in str(caught.value)
    assert MARKER not in cells(settings.store_folder)


def test_expectations_on_what_was_read_show_no_value(tmp_path: Path):
    counted = ["{name: cases, logicalType: integer, classification: internal}"]
    files = reader(counted, "select count(*)::int as cases from hr.people")
    rule = "[{column: mail, metric: invalidValues, mustBe: 0, arguments: {pattern: zzz}}]"
    files["product.odps.yaml"] += "      " + a_setting("expectations", rule)
    domains = {"hr": {"people": people(roles=role("fin.cases"))}, "fin": {"cases": files}}
    settings = workspace(tmp_path, domains)
    run(settings, "hr.people")
    report = run(settings, "fin.cases")
    assert isinstance(report.decision, Refuse)
    assert MARKER not in str(report)
    assert MARKER not in cells(settings.store_folder)


CUT = """\
customProperties:
  - {property: partitions, vendor: dataops_mesh, value: {values: [a, b]}}
"""


def pieces(roles: str):
    columns = [
        "{name: part, logicalType: string, partitioned: true, partitionKeyPosition: 1, classification: internal}",
        column("mail", "string", HASH, ", classification: restricted"),
    ]
    extra = CUT + (f"roles:\n{roles}" if roles else "")
    return a_product(
        {"people": a_contract("people", columns, extra=extra)},
        inputs=[
            a_source("people_csv", "'people-{partition}.csv'", more="options: {all_varchar: true}")
        ],
        files={
            "people.sql": "select part, mail from people_csv",
            "people-a.csv": f"part,mail\na,{MARKER}\n",
            "people-b.csv": "part,mail\nb,ben@x.org\n",
        },
    )


def build(settings, name: str, key: str):
    return run_product(product(settings, name), environment(settings), run_id="r", partition=key)


def test_partitions_are_read_unmasked_together_and_none_without_its_values(tmp_path: Path):
    counted = ["{name: cases, logicalType: integer, classification: internal}"]
    sql = "select count(*)::int as cases from hr.people where mail not like '%x.org' or part = 'b'"
    other = role("fin.cases")
    domains = {"hr": {"people": pieces(other)}, "fin": {"cases": reader(counted, sql)}}
    settings = workspace(tmp_path, domains)
    for key in "ab":
        assert isinstance(build(settings, "hr.people", key).decision, Publish)
    assert isinstance(run(settings, "fin.cases").decision, Publish)
    assert read(settings, "from fin.cases") == [(2,)]
    assert {row[0] for row in read(settings, "select mail from hr.people")} == {
        hashed(MARKER),
        hashed("ben@x.org"),
    }
    store = environment(settings).store
    (ref,) = (
        path.relative_to(store.candidates).as_posix()
        for path in store.candidates.glob("hr/people/*")
        if read_manifest(store, path.relative_to(store.candidates).as_posix()).partition == "a"
    )
    shutil.rmtree(store.restricted / ref)
    decision = run(settings, "fin.cases").decision
    assert isinstance(decision, Refuse)
    assert "clear values of hr.people are not what was kept" in decision.reasons[0]


def test_a_test_of_a_reader_needs_no_role(tmp_path: Path):
    counted = ["{name: cases, logicalType: integer, classification: internal}"]
    sql = "select count(*)::int as cases from hr.people where mail = 'x'"
    domains = {
        "hr": {"people": people(roles=role("fin.cases"))},
        "fin": {"cases": reader(counted, sql)},
    }
    workspace(tmp_path, domains, RESTRICTED)
    tried = try_product(
        tmp_path / "domains/fin/cases", {"hr.people": [{"id": 1, "mail": "x", "name": "y"}]}
    )
    assert tried.rows("cases") == [{"cases": 1}]
    tried = try_product(
        tmp_path / "domains/hr/people", {"people_csv": [{"id": "1", "mail": "x", "name": "y"}]}
    )
    assert tried.rows("people") == [{"id": 1, "mail": "x", "name": "y"}]
    assert not (tmp_path / "clear").exists()


def test_a_source_has_no_role(tmp_path: Path):
    files = people()
    files["product.odps.yaml"] = files["product.odps.yaml"].replace(
        "customProperties:\n", "customProperties:\n      " + a_setting("role", "fraud"), 1
    )
    settings = workspace(tmp_path, {"hr": {"people": files}})
    with pytest.raises(MeshError, match="a source has no role"):
        product(settings, "hr.people")


DBT = {
    "dbt_project.yml": "name: cases\nversion: 1.0.0\nprofile: none\nmodels: {+materialized: table}\n",
    "models/cases.sql": f"select cast(count(*) as integer) as cases from {{{{ ref('hr', 'people') }}}} "
    f"where mail = '{MARKER}'\n",
    "models/models.yml": "models: [{name: cases, access: public, columns: [{name: cases}]}]\n",
}


def test_dbt_reads_by_a_role_as_sql_does(tmp_path: Path):
    counted = ["{name: cases, logicalType: integer, classification: internal}"]
    files = reader(counted, "")
    del files["cases.sql"]
    files["product.odps.yaml"] += "customProperties:\n  " + a_setting(
        "transform", "{dbt: {project: project}}"
    )
    files |= {f"project/{name}": text for name, text in DBT.items()}
    domains = {"hr": {"people": people(roles=role("fin.cases"))}, "fin": {"cases": files}}
    settings = workspace(tmp_path, domains)
    run(settings, "hr.people")
    assert isinstance(run(settings, "fin.cases").decision, Publish)
    assert read(settings, "from fin.cases") == [(1,)]
    assert MARKER not in cells(tmp_path / ".mesh/store/candidates")


def test_the_report_follows_what_was_read_by_a_role(tmp_path: Path, monkeypatch, capsys):
    """The masked form is called harmless; what is read unmasked is not, wherever it goes."""
    files = people(roles=role("fin.cases"))
    files["people.odcs.yaml"] = files["people.odcs.yaml"].replace("restricted", "internal")
    mail = "{name: mail, logicalType: string, classification: restricted}"
    taken = {
        "hr": {"people": files},
        "fin": {"cases": reader([mail], "select mail from hr.people")},
    }
    workspace(tmp_path, taken)
    monkeypatch.chdir(tmp_path)
    assert report_pii(Format.JSON) == 0
    rows = {row["column"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["hr.people.mail"]["read_by"] == "fin.cases by fraud"
    assert rows["fin.cases.mail"]["made_of"] == "hr.people.mail"
