"""Consumers see the masked form; who has a role of the published contract reads the values."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import (
    a_product,
    a_source,
    environment,
    mesh,
    product,
    read,
    run,
    write_product,
)
from mask_cases import KEY, MARKER, cells, hashed
from role_cases import COUNT, COUNTED, RESTRICTED, people, reader, role, workspace

from dataops_mesh import connect
from dataops_mesh.errors import DeclarationError, StoreError, UnknownNameError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.account import READ_UNMASKED, operations_of
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.store.manifest import read_manifest


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


def test_the_address_is_masked_and_the_store_has_no_clear_value(tmp_path: Path):
    settings = workspace(tmp_path, {"hr": {"people": people(roles=role("ana"))}})
    report = run(settings, "hr.people")
    assert isinstance(report.decision, Publish)
    assert read(settings, "from hr.people order by id") == [
        (1, hashed(MARKER), "*"),
        (2, hashed("ben@x.org"), "*"),
    ]
    assert MARKER not in cells(settings.store_folder)
    assert MARKER in cells(tmp_path / "clear")
    assert (tmp_path / "clear").stat().st_mode & 0o077 == 0
    manifest = read_manifest(environment(settings).store, report.candidate)
    assert [one.columns for one in manifest.clear] == [("mail", "name")]


def test_a_member_reads_the_columns_of_the_role_and_no_others(tmp_path: Path):
    roles = role("ana", "mail") + role("bob", name="audit")
    settings = workspace(tmp_path, {"hr": {"people": people(roles=roles)}})
    run(settings, "hr.people")
    with connect(tmp_path, role="fraud") as con:
        found = con.execute("select mail, name from hr.people order by id").fetchall()
    assert found == [(MARKER, "*"), ("ben@x.org", "*")]
    with pytest.raises(StoreError, match='ana is no member of the role "audit"') as caught:
        connect(tmp_path, role="audit")
    assert "ask dpo" in str(caught.value)
    with pytest.raises(UnknownNameError, match='no published port has a role "nobody"'):
        connect(tmp_path, role="nobody")
    with connect(tmp_path) as con:
        assert con.execute("select mail from hr.people where id = 1").fetchone() == (
            hashed(MARKER),
        )


def read_unmasked(here):
    return tuple(one for one in operations_of(here) if one.operation == READ_UNMASKED)


def test_who_reads_unmasked_is_on_record_before_anything_is_read(tmp_path: Path, monkeypatch):
    settings = workspace(tmp_path, {"hr": {"people": people(roles=role("ana", "mail"))}})
    run(settings, "hr.people")
    here = environment(settings)
    with connect(tmp_path):  # masked: nobody asks
        assert read_unmasked(here) == ()
    with connect(tmp_path, role="fraud"):
        (said,) = read_unmasked(here)
    assert (said.person, said.subjects) == ("ana", ("hr.people",))
    assert said.details == {"role": "fraud", "columns": {"hr.people": ["mail"]}, "read": 1}
    with pytest.raises(UnknownNameError), connect(tmp_path, role="nobody"):
        raise AssertionError  # was opened
    assert len(read_unmasked(here)) == 1
    monkeypatch.setenv("DATAOPS_MESH_LEDGER", f"sqlite:///{tmp_path}/no/such/folder/l.db")
    with pytest.raises(StoreError), connect(tmp_path, role="fraud"):
        raise AssertionError  # was opened


def test_each_store_has_its_folder_where_the_setting_names_it_after_the_store(
    tmp_path: Path, monkeypatch
):
    domains = {"hr": {"people": people(roles=role("ana", "mail"))}}
    settings = workspace(tmp_path, domains, 'restricted = "{store}-clear"\n')
    run(settings, "hr.people")
    monkeypatch.setenv("DATAOPS_MESH_STORE", "another")
    run(load_settings(tmp_path), "hr.people")
    for store in (settings.store_folder, tmp_path / "another"):
        assert MARKER in cells(store.with_name(f"{store.name}-clear"))
        assert MARKER not in cells(store)
        monkeypatch.setenv("DATAOPS_MESH_STORE", str(store))
        with connect(tmp_path, role="fraud") as con:
            assert con.execute("select mail from hr.people where id = 1").fetchone() == (MARKER,)


def test_a_store_that_is_moved_with_its_folder_is_read_as_before(tmp_path: Path):
    root = tmp_path / "here"
    root.mkdir()
    settings = workspace(root, {"hr": {"people": people(roles=role("ana", "mail"))}})
    run(settings, "hr.people")
    moved = root.rename(tmp_path / "there")
    with connect(moved, role="fraud") as con:
        assert con.execute("select mail from hr.people where id = 1").fetchone() == (MARKER,)
    assert isinstance(run(load_settings(moved), "hr.people").decision, Publish)
    (moved / ".mesh" / "store").rename(moved / ".mesh" / "another")
    changed = load_settings(moved).model_copy(update={"store": Path(".mesh/another")})
    assert isinstance(run(changed, "hr.people").decision, Refuse)


def test_who_may_not_enter_the_folder_reads_nothing(tmp_path: Path, monkeypatch):
    settings = workspace(tmp_path, {"hr": {"people": people(roles=role("ana"))}})
    run(settings, "hr.people")
    monkeypatch.setenv("DATAOPS_MESH_RESTRICTED", str(tmp_path / "elsewhere"))
    with (
        pytest.raises(StoreError, match="a file is missing"),
        connect(tmp_path, role="fraud") as con,
    ):
        con.execute("from hr.people")


@pytest.mark.parametrize("kind", ["sql", "python"])
def test_a_product_with_the_role_is_built_from_clear_values(tmp_path: Path, kind):
    body = COUNT
    if kind == "python":
        body = (
            "def transform(hr_people):\n"
            f"    return hr_people.filter(\"mail = '{MARKER}'\")"
            ".aggregate('count(*)::int as cases')\n"
        )
    domains = {
        "hr": {"people": people(roles=role("fin.cases"))},
        "fin": {"cases": reader(COUNTED, body)},
    }
    settings = workspace(tmp_path, domains)
    run(settings, "hr.people")
    report = run(settings, "fin.cases")
    assert isinstance(report.decision, Publish)
    assert read(settings, "from fin.cases") == [(1,)]
    manifest = read_manifest(environment(settings).store, report.candidate)
    assert [(one.name, one.role) for one in manifest.inputs] == [("hr.people", "fraud")]


def test_a_whole_domain_can_be_a_member(tmp_path: Path):
    domains = {
        "hr": {"people": people(roles=role('"fin.*"'))},
        "fin": {"cases": reader(COUNTED, COUNT)},
    }
    settings = workspace(tmp_path, domains)
    run(settings, "hr.people")
    run(settings, "fin.cases")
    assert read(settings, "from fin.cases") == [(1,)]


@pytest.mark.parametrize(
    ("roles", "asked", "why"),
    [
        (role("fin.other"), "fraud", 'fin.cases is no member of the role "fraud"'),
        (role("fin.cases"), "audit", 'hr.people has no role "audit" that reads unmasked'),
        ("", "fraud", 'hr.people was published without a role "fraud"'),
    ],
)
def test_who_has_not_the_role_is_refused_by_the_published_contract(
    tmp_path: Path, roles, asked, why
):
    domains = {
        "hr": {"people": people(roles=roles)},
        "fin": {"cases": reader(COUNTED, COUNT, asked)},
    }
    settings = workspace(tmp_path, domains)
    run(settings, "hr.people")
    problems = "\n".join(str(one) for one in check_mesh(mesh(settings)))
    assert "fin.cases is no member" in problems or "has no role" in problems
    # What its owner writes into the folder, and has not published, opens nothing.
    write_product(tmp_path, "hr", "people", people(roles=role("fin.cases", name=asked)))
    decision = run(settings, "fin.cases").decision
    assert isinstance(decision, Refuse)
    assert any(why in reason for reason in decision.reasons)


def test_a_role_that_is_taken_away_ends_with_the_next_publication(tmp_path: Path):
    domains = {
        "hr": {"people": people(roles=role("fin.cases, fin.other"))},
        "fin": {"cases": reader(COUNTED, COUNT)},
    }
    settings = workspace(tmp_path, domains)
    run(settings, "hr.people")
    assert isinstance(run(settings, "fin.cases").decision, Publish)
    write_product(tmp_path, "hr", "people", people(roles=role("fin.other")))
    assert isinstance(run(settings, "hr.people").decision, Publish)
    assert isinstance(run(settings, "fin.cases").decision, Refuse)


def test_another_member_needs_an_approval(tmp_path: Path):
    settings = workspace(tmp_path, {"hr": {"people": people(roles=role("ana"))}})
    run(settings, "hr.people")
    write_product(tmp_path, "hr", "people", people(roles=role("ana, bob")))
    decision = run(settings, "hr.people").decision
    assert isinstance(decision, Refuse)
    assert "role fraud: mail, name unmasked for bob" in decision.reasons[0]


def test_without_a_folder_the_gate_refuses(tmp_path: Path):
    settings = workspace(tmp_path, {"hr": {"people": people(roles=role("ana"))}}, "")
    decision = run(settings, "hr.people").decision
    assert isinstance(decision, Refuse)
    assert "set `restricted`" in decision.reasons[0]


def test_a_folder_that_everybody_may_enter_is_refused(tmp_path: Path):
    settings = workspace(tmp_path, {"hr": {"people": people(roles=role("ana"))}})
    (tmp_path / "clear").mkdir(mode=0o755)
    (tmp_path / "clear").chmod(0o755)
    decision = run(settings, "hr.people").decision
    assert isinstance(decision, Refuse)
    assert "everybody may enter" in decision.reasons[0]
    assert not list((tmp_path / "clear").iterdir())


@pytest.mark.parametrize("place", [".mesh/store/clear", ".mesh"])
def test_a_folder_in_the_store_or_around_it_is_refused(tmp_path: Path, place):
    setting = f'restricted = "{place}"\n'
    settings = workspace(tmp_path, {"hr": {"people": people(roles=role("ana"))}}, setting)
    decision = run(settings, "hr.people").decision
    assert isinstance(decision, Refuse)
    assert "lie in each other" in decision.reasons[0]


def test_the_folder_of_another_store_is_refused(tmp_path: Path):
    both = {"hr": {"people": people(roles=role("ana"))}}
    run(workspace(tmp_path, both), "hr.people")
    other = tmp_path / "other"
    other.mkdir()
    settings = workspace(other, both, f'restricted = "{tmp_path / "clear"}"\n')
    decision = run(settings, "hr.people").decision
    assert isinstance(decision, Refuse)
    assert "of another store" in decision.reasons[0]


@pytest.mark.parametrize(
    ("roles", "why"),
    [
        (role("ana", "id"), '"id" is no masked column'),
        (role("ana", "mial"), '"mial" is no masked column'),
        (role("ana") + role("bob"), 'the role "fraud" is there twice'),
        (role(""), "members"),
    ],
)
def test_a_role_that_means_nothing_is_told(tmp_path: Path, roles, why):
    settings = workspace(tmp_path, {"hr": {"people": people(roles=roles)}})
    with pytest.raises(DeclarationError, match=why):
        product(settings, "hr.people")


def test_the_folder_is_no_source(tmp_path: Path):

    thief = a_product(
        {"loot": ["{name: mail, logicalType: string, classification: public}"]},
        inputs=[a_source("k", "../../../clear/hr/people/*/people/0/*.parquet")],
        files={"loot.sql": "select mail from k"},
    )
    domains = {"hr": {"people": people(roles=role("ana"))}, "evil": {"loot": thief}}
    settings = workspace(tmp_path, domains, RESTRICTED)
    run(settings, "hr.people")
    with pytest.raises(Exception, match="reads the secrets of this mesh"):
        run(settings, "evil.loot")
    assert MARKER not in cells(settings.store_folder)
