"""A reader is woken when the form that it reads changed, and a fingerprint tells no clear value."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from helpers import environment, mesh, product, roll_back, run, write_product
from mask_cases import KEY, MARKER
from role_cases import COUNT, COUNTED, ROWS, people, reader, role, workspace

from dataops_mesh.engine.session import session
from dataops_mesh.engine.whole import whole_scan
from dataops_mesh.engine.write import fingerprint_of
from dataops_mesh.errors import HeldError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.changed import why_changed
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.guards import masks
from dataops_mesh.run.product import run_product
from dataops_mesh.sandbox.promotion import promote
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.model import Address
from dataops_mesh.store import restricted
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.opening import NOBODY, open_sandbox
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.watch.wake import unseen

HR = Address("hr", "people")
ROLES = role("fin.cases") + role("fin.names", "name", name="greeting")
BY_ROLE, BY_NAME, BY_ALL = "fin.cases", "fin.names", "fin.heads"
NAMES = ["{name: names, logicalType: string, classification: restricted}"]
TRIES = Asked("ben", "to try", NOBODY)


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """`mail` is hashed and `name` a star; one role opens both, another the name alone."""
    domains = {
        "hr": {"people": people(roles=ROLES)},
        "fin": {
            "cases": reader(COUNTED, COUNT),
            "names": reader(NAMES, "select name as names from hr.people", "greeting", "names"),
            "heads": reader(
                [COUNTED[0].replace("cases", "heads")],
                "select count(*)::int as heads from hr.people",
                "",
                "heads",
            ),
        },
    }
    found = workspace(tmp_path, domains)
    for name in ("hr.people", BY_ROLE, BY_NAME, BY_ALL):
        assert isinstance(run(found, name).decision, Publish)
    assert woken(found) == set()
    return found


def woken(settings: Settings) -> set[str]:
    products = [product(settings, name) for name in (BY_ROLE, BY_NAME, BY_ALL)]
    found = set(unseen(products, environment(settings)))
    assert found == set(why_changed(products, environment(settings)))  # `mesh run --changed`
    return found


def deliver(settings: Settings, rows: str, roles: str = ROLES) -> None:
    write_product(settings.root, "hr", "people", people(rows, roles))
    assert isinstance(run(settings, "hr.people").decision, Publish)


def forms(settings: Settings) -> dict[str, str]:
    entry = latest(environment(settings).store).ports[HR]
    return {"together": entry.fingerprint, **dict(entry.forms)}


def changed(settings: Settings, before: dict[str, str]) -> set[str]:
    return {name for name, form in forms(settings).items() if before[name] != form}


def test_the_same_rows_wake_nobody(settings: Settings):
    before = forms(settings)
    deliver(settings, ROWS)
    assert forms(settings) == before
    assert woken(settings) == set()


def test_clear_values_behind_the_same_stars_wake_who_reads_them(settings: Settings):
    before = forms(settings)
    deliver(settings, ROWS.replace("Ann", "Eve"))
    assert changed(settings, before) == {"together", "fraud", "greeting"}
    assert woken(settings) == {BY_ROLE, BY_NAME}
    for name in (BY_ROLE, BY_NAME):
        assert isinstance(run(settings, name).decision, Publish)
    assert woken(settings) == set()


def test_another_secret_wakes_all_who_read_a_hash(settings: Settings, monkeypatch):
    """Who opens the name alone reads the address masked; who opens both reads no mask."""
    before = forms(settings)
    monkeypatch.setenv("MESH_SECRET_PEOPLE", f"{KEY}, and another one")
    deliver(settings, ROWS)
    assert changed(settings, before) == {"together", "", "greeting"}
    assert woken(settings) == {BY_NAME, BY_ALL}


def test_what_has_no_mask_wakes_everybody(settings: Settings):
    deliver(settings, ROWS.replace("2,", "3,"))
    assert woken(settings) == {BY_ROLE, BY_NAME, BY_ALL}


def test_values_that_change_places_wake_who_reads_them(settings: Settings):
    deliver(settings, ROWS.replace("Ann", "?").replace("Ben", "Ann").replace("?", "Ben"))
    assert woken(settings) == {BY_ROLE, BY_NAME}


def test_a_reader_that_takes_a_role_has_not_seen_its_form(settings: Settings):
    write_product(
        settings.root,
        "fin",
        "names",
        reader(NAMES, "select name as names from hr.people", "", "names"),
    )
    assert BY_NAME in woken(settings)


def test_each_form_is_that_of_the_rows_as_they_are_read(settings: Settings):
    """The columns that a role opens, and no others, are clear in what its fingerprint is of."""
    place = environment(settings)
    entry = latest(place.store).ports[HR]
    manifest = read_manifest(place.store, entry.candidate)
    found = {}
    with session(place.store, memory_limit="1GB", threads=1, now=datetime.now(UTC)) as con:
        for columns in ([], ["name"], ["mail", "name"]):
            relation, _ = whole_scan(place.store, HR, entry, columns)
            found[len(columns)] = fingerprint_of(con, relation)
    assert found[0] == entry.form("")
    assert len({*found.values(), *forms(settings).values()}) == 6, "keyed: none is the bare one"
    assert manifest.port(HR).forms == entry.forms


def test_what_an_older_version_published_wakes_by_its_one_fingerprint(
    settings: Settings, monkeypatch
):
    """Nobody is woken by the newer version, and by its first publication everybody once."""

    def as_before(*given: Any) -> Any:
        _, store, _, _, _, masked, clear, _ = given
        return replace(masked, fingerprint=restricted.fingerprint(store, masked.fingerprint, clear))

    readers = (BY_ROLE, BY_NAME, BY_ALL)
    with monkeypatch.context() as older:
        older.setattr(masks, "with_forms", as_before)
        deliver(settings, ROWS)
        assert forms(settings).keys() == {"together"}
        for name in readers:
            run(settings, name)
    assert woken(settings) == set()
    deliver(settings, ROWS)
    assert woken(settings) == {*readers}
    for name in readers:
        run(settings, name)
    deliver(settings, ROWS.replace("Ann", "Eve"))
    assert woken(settings) == {BY_ROLE, BY_NAME}


def test_a_role_that_is_not_known_reads_the_fingerprint_of_all_forms(settings: Settings):
    entry = latest(environment(settings).store).ports[HR]
    assert entry.form("nobody") == entry.fingerprint


def up(settings: Settings) -> Settings:
    lease = datetime.now(UTC) + timedelta(days=1)
    open_sandbox(open_environment(settings).store, "try", TRIES, lease)
    return load_settings(settings.root, sandbox="try")


def build(settings: Settings, name: str) -> None:
    done = run_product(product(settings, name), open_environment(settings), run_id="r")
    assert isinstance(done.decision, Publish)


def test_no_guess_can_be_tried_by_publishing_it(settings: Settings):
    """One row, the right guess: in a sandbox and in a domain of one's own, by the same gate."""
    one = f"id,mail,name\n1,{MARKER},Ann\n"
    deliver(settings, one)
    right = forms(settings)
    guess = people(one, ROLES)
    inside = up(settings)
    build(inside, "hr.people")
    tried = latest(open_environment(inside).store).ports[HR]
    write_product(settings.root, "evil", "people", guess)
    assert isinstance(run(settings, "evil.people").decision, Publish)
    own = latest(environment(settings).store).ports[Address("evil", "people")]
    for other in (tried, own):
        assert other.form("") == right[""], "what everybody reads is the same"
        guessed = {other.fingerprint, *dict(other.forms).values()} - {other.form("")}
        assert len(guessed) == 3
        assert not guessed & {*right.values()}


def test_what_was_tried_is_promoted_with_its_readers(settings: Settings):
    inside = up(settings)
    write_product(settings.root, "hr", "people", people(ROWS.replace("Ann", "Eve"), ROLES))
    for name in ("hr.people", BY_ROLE):
        build(inside, name)
    place = open_environment(inside)
    products = {one.qualified_name: one for one in mesh(settings).products}
    promote(place.store, place, products, (), "tried")
    assert woken(settings) == {BY_NAME}


def test_what_was_taken_back_is_not_promoted_under_another_fingerprint(settings: Settings):
    """Of clear values of another line nobody can say that they are not those again."""
    bad = ROWS.replace("Ann", "Eve")
    deliver(settings, bad)
    roll_back(settings, "hr.people", reason="wrong names")
    inside = up(settings)
    again = people(bad, ROLES, sql="select id::int as id, mail, trim(name) as name from people_csv")
    write_product(settings.root, "hr", "people", again)
    build(inside, "hr.people")
    place = open_environment(inside)
    products = {one.qualified_name: one for one in mesh(settings).products}
    with pytest.raises(HeldError, match="wrong names"):
        promote(place.store, place, products, (), "tried")
    assert isinstance(run(settings, "hr.people").decision, Refuse), "nor built with other code"
