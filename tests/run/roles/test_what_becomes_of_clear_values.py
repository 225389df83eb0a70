"""Clear values go before the candidate they belong to, and are found again wherever it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers import a_setting, environment, product, read, roll_back, run, write_product
from mask_cases import KEY, MARKER, cells
from role_cases import ROWS, people, reader, role, workspace

from dataops_mesh import connect
from dataops_mesh.errors import StoreError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.word.erase import Forgot, erase
from dataops_mesh.run.word.withdraw import Taking
from dataops_mesh.spec.model import Address
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import latest
from dataops_mesh.store.manifest import folder
from dataops_mesh.store.verify import verify
from dataops_mesh.watch.health import examine
from dataops_mesh.watch.monitor import audit_published

OTHER = "w3ZkPq91LmXc7RtY"
NEWER = f"id,mail,name\n1,{OTHER},Ann\n"
HR = Address("hr", "people")


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


@pytest.fixture
def place(tmp_path: Path) -> Environment:
    settings = workspace(tmp_path, {"hr": {"people": people(roles=role("ana"))}})
    assert isinstance(run(settings, "hr.people").decision, Publish)
    return environment(settings)


def clear(place: Environment) -> list[str]:
    return sorted(path.name for path in place.store.restricted.glob("*/*/*"))


def seen(place: Environment) -> list[tuple[str]]:
    with connect(place.settings.root, role="fraud") as con:
        return con.execute("select mail from hr.people order by id").fetchall()


def erase_it(place: Environment) -> None:
    what = Taking("hr.people", (HR,), ())
    how = {"forget": lambda _: Forgot(), "tell": lambda _: None}
    erase(what, place, "asked", whole=True, wait=True, **how)


def newer(place: Environment) -> None:
    write_product(place.settings.root, "hr", "people", people(NEWER, role("ana")))
    assert isinstance(run(place.settings, "hr.people").decision, Publish)


def test_a_rollback_brings_the_clear_values_back_too(place: Environment):
    newer(place)
    assert seen(place) == [(OTHER,)]
    roll_back(place.settings, "hr.people", reason="wrong")
    assert seen(place) == [(MARKER,), ("ben@x.org",)]


def test_a_publication_from_before_the_role_is_read_masked_and_by_nobody_else(tmp_path: Path):
    settings = workspace(tmp_path, {"hr": {"people": people()}})
    run(settings, "hr.people")
    write_product(tmp_path, "hr", "people", people(NEWER, role("ana, fin.cases")))
    text = (tmp_path / "domains/hr/people/people.odcs.yaml").read_text("utf-8")
    assert "unmasked" in text
    decision = run(settings, "hr.people").decision
    assert isinstance(decision, Refuse), "to open what was closed needs an approval"
    assert "unmasked for ana, fin.cases" in decision.reasons[0]


def test_what_is_refused_has_no_clear_values(place: Environment):
    rule = "quality: [{id: many, metric: rowCount, mustBeGreaterThan: 99}]"
    files = people(NEWER, role("ana"))
    files["people.odcs.yaml"] = files["people.odcs.yaml"].replace(
        "    properties:\n", f"    {rule}\n    properties:\n"
    )
    write_product(place.settings.root, "hr", "people", files)
    before = clear(place)
    assert isinstance(run(place.settings, "hr.people").decision, Refuse)
    assert clear(place) == before
    assert OTHER not in cells(place.settings.root / "clear")
    assert OTHER not in cells(place.store.root)


def test_what_is_held_has_no_clear_values(place: Environment):
    newer(place)
    roll_back(place.settings, "hr.people", reason="wrong")
    before = clear(place)
    assert isinstance(run(place.settings, "hr.people").decision, Refuse)
    assert clear(place) == before


def test_an_erasure_takes_the_clear_values_first(place: Environment, monkeypatch):
    newer(place)
    before_it = clear(place)
    order: list[Path] = []

    def before(effect: str, path: Path) -> None:
        apart = path.is_relative_to(place.store.restricted)
        if effect == "remove" and (apart or path.is_relative_to(place.store.candidates)):
            order.append(path)

    monkeypatch.setattr("dataops_mesh.store.files.before", before)
    erase_it(place)
    for ref in before_it:
        mine = [path for path in order if ref in path.parts]
        assert [path.is_relative_to(place.store.restricted) for path in mine[:2]] == [True, False]
    assert clear(place) == []
    for root in (place.store.root, place.settings.root / "clear"):
        assert MARKER not in cells(root)
        assert OTHER not in cells(root)


def test_an_erasure_that_does_not_know_the_folder_does_nothing(place: Environment, monkeypatch):
    monkeypatch.delenv("DATAOPS_MESH_RESTRICTED", raising=False)
    settings = place.settings.model_copy(update={"restricted": None})
    with pytest.raises(StoreError, match="not known here"):
        erase_it(environment(settings))
    assert seen(place) == [(MARKER,), ("ben@x.org",)]
    assert len(read(place.settings, "from hr.people")) == 2


def test_a_collection_takes_superseded_clear_values_and_orphans(place: Environment):
    first = clear(place)
    newer(place)
    orphan = place.store.restricted / "hr/people/20010101T000000Z-0000"
    orphan.mkdir()
    collect(place.store, keep_releases=1, grace_seconds=0)
    assert len(clear(place)) == 1
    assert clear(place) != first
    assert seen(place) == [(OTHER,)]


def test_a_collection_without_the_setting_leaves_them_to_the_next_one(place: Environment):
    newer(place)
    settings = place.settings.model_copy(update={"restricted": None})
    collect(environment(settings).store, keep_releases=1, grace_seconds=0)
    assert len(clear(place)) == 2
    collect(place.store, keep_releases=1, grace_seconds=0)
    assert len(clear(place)) == 1


@pytest.mark.parametrize("how", ["changed", "missing", "record"])
def test_damage_is_told_to_who_reads_by_the_role_and_to_nobody_else(place: Environment, how):
    (file,) = place.store.restricted.glob("*/*/*/people/0/part-*.parquet")
    (ref,) = (p.relative_to(place.store.restricted).as_posix() for p in [file.parents[2]])
    size = verify(place.store, ref)
    assert size > file.stat().st_size
    file.chmod(0o600)
    if how == "missing":
        file.unlink()
    elif how == "changed":
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(bytes(data))
    else:
        (file.parents[1] / "record.json").unlink()
    with pytest.raises(StoreError, match="clear values of hr"):
        seen(place)
    assert len(read(place.settings, "from hr.people")) == 2
    assert any("clear values" in one.what for one in examine(place.store).damage)


def test_what_was_restored_is_read_and_found_right(place: Environment):
    """Copied as a person would, with other times: the content counts."""
    copy = place.settings.root / "copy"
    shutil.copytree(place.store.restricted, copy)
    shutil.rmtree(place.store.restricted)
    assert examine(place.store).damage
    shutil.move(copy, place.store.restricted)
    assert not examine(place.store).damage
    assert seen(place) == [(MARKER,), ("ben@x.org",)]


def test_a_monitor_judges_clear_values_where_they_are_kept(tmp_path: Path):
    rule = '{id: mails, metric: invalidValues, mustBe: 0, arguments: {pattern: "^q7Zr|@"}}'
    files = people(roles=role("ana"))
    assert A_MAIL in files["people.odcs.yaml"]
    files["people.odcs.yaml"] = files["people.odcs.yaml"].replace(
        A_MAIL, f"{A_MAIL}, quality: [{rule}]", 1
    )
    settings = workspace(tmp_path, {"hr": {"people": files}})
    assert isinstance(run(settings, "hr.people").decision, Publish)
    audit = audit_published(product(settings, "hr.people"), environment(settings))
    assert "mails" in {check.name for check in audit.checks}
    assert not audit.failures
    assert audit.at_publication == ()
    blind = settings.model_copy(update={"restricted": None})
    audit = audit_published(product(settings, "hr.people"), environment(blind))
    assert audit.at_publication == ("hr.people mails",)
    assert not audit.failures
    assert "mails" not in {check.name for check in audit.checks}
    shutil.rmtree(tmp_path / "clear")
    audit = audit_published(product(settings, "hr.people"), environment(settings))
    assert audit.at_publication == ("hr.people mails",)


A_MAIL = "{name: mail, logicalType: string, classification: restricted"


def test_a_reader_by_role_is_woken_when_only_clear_values_changed(place: Environment):
    """The name becomes a star whatever it is."""
    release = environment(place.settings)

    before = latest(release.store).ports[HR].fingerprint
    run(place.settings, "hr.people")
    assert latest(release.store).ports[HR].fingerprint == before, "the same rows"
    changed = people(ROWS.replace("Ann", "Eve"), role("ana"))
    write_product(place.settings.root, "hr", "people", changed)
    run(place.settings, "hr.people")
    assert latest(release.store).ports[HR].fingerprint != before


def test_a_candidate_that_read_unmasked_and_was_refused_is_open_to_its_owner_alone(
    tmp_path: Path,
):
    rule = "{id: few, metric: rowCount, mustBe: 99}"
    columns = [
        "{name: mail, logicalType: string, classification: restricted, customProperties: ["
        + a_setting("masking", "{method: hash, secret: people}").strip()[2:]
        + "]}"
    ]
    files = reader(columns, "select mail from hr.people")
    files["cases.odcs.yaml"] += f"    quality:\n      - {rule}\n"
    domains = {"hr": {"people": people(roles=role("fin.cases"))}, "fin": {"cases": files}}
    settings = workspace(tmp_path, domains)
    run(settings, "hr.people")
    report = run(settings, "fin.cases")
    assert isinstance(report.decision, Refuse)
    found = folder(environment(settings).store, report.candidate)
    assert (found / "cases").stat().st_mode & 0o077 == 0
    assert MARKER not in cells(settings.store_folder), "and masked all the same"
