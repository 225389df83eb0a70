"""A sandbox opens what production opens to the same product, and promotion keeps both forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers import a_setting, mesh, product, write_product
from mask_cases import KEY, MARKER, cells, hashed
from role_cases import COUNT, COUNTED, ROWS, people, reader, role, workspace

from dataops_mesh import connect
from dataops_mesh.errors import StoreError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.product import run_product
from dataops_mesh.sandbox.promotion import promote
from dataops_mesh.sandbox.subset import subset_of
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.opening import NOBODY, open_sandbox

TRIES = Asked("ben", "to try", NOBODY)
DOMAINS = {
    "hr": {"people": people(roles=role("fin.cases, ana"))},
    "fin": {"cases": reader(COUNTED, COUNT)},
}


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = workspace(tmp_path, DOMAINS)
    assert isinstance(build(found, "hr.people"), Publish)
    return found


def up(settings: Settings, part: str = "") -> Settings:
    place = open_environment(settings)
    lease = datetime.now(UTC) + timedelta(days=1)
    subset = subset_of(place, part) if part else None
    open_sandbox(place.store, "try", TRIES, lease, subset=subset)
    return load_settings(settings.root, sandbox="try")


def build(settings: Settings, name: str):
    place = open_environment(settings)
    return run_product(product(settings, name), place, run_id="r").decision


def test_a_member_is_built_in_a_sandbox_too_and_nobody_else(settings: Settings):
    inside = up(settings)
    assert isinstance(build(inside, "fin.cases"), Publish)
    write_product(settings.root, "fin", "thief", reader(COUNTED, COUNT, port="loot"))
    decision = build(inside, "fin.thief")
    assert isinstance(decision, Refuse)
    assert "fin.thief is no member" in decision.reasons[0]
    # Nor if it builds the owner with a contract that names it.
    write_product(settings.root, "hr", "people", people(roles=role("fin.thief, fin.cases")))
    assert isinstance(build(inside, "hr.people"), Publish)
    decision = build(inside, "fin.thief")
    assert isinstance(decision, Refuse)
    assert "fin.thief is no member" in decision.reasons[0]


def test_more_columns_than_in_production_are_not_opened(settings: Settings):
    write_product(settings.root, "hr", "people", people(roles=role("fin.cases, ana", "name")))
    assert isinstance(build(settings, "hr.people"), Publish)
    inside = up(settings)
    write_product(settings.root, "hr", "people", people(roles=role("fin.cases, ana")))
    assert isinstance(build(inside, "hr.people"), Publish)
    with connect(settings.root, sandbox="try", role="fraud") as con:
        found = con.execute("select mail, name from hr.people order by id").fetchone()
    assert found == (hashed(MARKER), "Ann")


def test_promotion_keeps_both_forms(settings: Settings):
    inside = up(settings)
    newer = ROWS.replace("Ann", "Eve")
    write_product(settings.root, "hr", "people", people(newer, role("fin.cases, ana")))
    assert isinstance(build(inside, "hr.people"), Publish)
    place = open_environment(inside)
    products = {one.qualified_name: one for one in mesh(settings).products}
    promote(place.store, place, products, (), "tried")
    with connect(settings.root, role="fraud") as con:
        assert con.execute("select name from hr.people where id = 1").fetchone() == ("Eve",)
    with connect(settings.root) as con:
        assert con.execute("select name from hr.people where id = 1").fetchone() == ("*",)
    assert MARKER not in cells(settings.store_folder)


def test_a_subset_has_no_clear_values(settings: Settings):
    inside = up(settings, "50%")
    decision = build(inside, "fin.cases")
    assert isinstance(decision, Refuse)
    assert "a subset has no clear values" in decision.reasons[0]
    with (
        pytest.raises(StoreError, match="a subset has no clear values"),
        connect(settings.root, sandbox="try", role="fraud") as con,
    ):
        con.execute("from hr.people")
    before = {*(settings.root / "clear").rglob("*")}
    build(inside, "hr.people")
    assert {*(settings.root / "clear").rglob("*")} == before
    assert MARKER not in cells(settings.store_folder)


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch):
    """Another repository that calls its domains as the owner's, over the same store."""
    monkeypatch.setenv("MESH_SECRET_PEOPLE_FOR", "hr")
    hidden = {"hr": {"people": people(roles=role("fin.cases, ana"), more=HIDDEN)}}
    for name in ("theirs", "evil"):
        (tmp_path / name).mkdir()
    theirs = workspace(tmp_path / "theirs", {**DOMAINS, **hidden})
    assert isinstance(build(theirs, "hr.people"), Publish)
    assert isinstance(build(theirs, "fin.cases"), Publish)
    place = f'store = "{theirs.store_folder}"\nrepository = "git.example/evil"\n'
    clear = f'restricted = "{theirs.restricted_folder}"\n'
    near = {"near": reader(COUNTED, COUNT.replace("where", "where true or"), "", port="near")}
    own = {"hr": {**hidden["hr"], **near}, "fin": {"cases": reader(COUNTED, COUNT)}}
    return up(workspace(tmp_path / "evil", own, clear + place))


HIDDEN = "customProperties:\n" + a_setting("visibility", "[hr, fin]")
GIVEN = {
    "a role": ("fin.cases", 'the role "fraud" of hr.people'),
    "a private port": ("hr.near", "hr.people, which not everybody may read"),
    "the key of a mask": ("hr.people", 'the secret "people"'),
}


@pytest.mark.parametrize("case", GIVEN)
def test_a_stranger_with_a_members_name_is_given_nothing(stranger: Settings, case: str):
    name, given = GIVEN[case]
    decision = build(stranger, name)
    assert isinstance(decision, Refuse)
    assert any(f"only it is given {given}" in reason for reason in decision.reasons), decision
