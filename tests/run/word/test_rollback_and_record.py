"""Rollback is a commit; ledger and catalog are derived."""

from __future__ import annotations

import subprocess
from pathlib import Path

import duckdb
import pytest
from helpers import environment, product, product_status, roll_back, run
from record_cases import both, deliver, shop

from dataops_mesh.engine.catalog import catalogs
from dataops_mesh.engine.catalog.catalogs import path_of
from dataops_mesh.errors import MeshError, NotPublishedError, StoreError, UnknownNameError
from dataops_mesh.ledger import known_candidates, last_release, open_ledger
from dataops_mesh.run import identity
from dataops_mesh.run.record import last_run, product_history, record_run
from dataops_mesh.settings import load_settings
from dataops_mesh.store.collect import collect
from dataops_mesh.store.manifest import folder, pending_refs, read_manifest
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.release import latest, latest_number, read_release

# --- rollback


def test_a_rollback_is_a_publication_of_all_ports_and_on_record(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    for number in (1, 2, 3):
        deliver(settings, number)
    built = len(list(all_refs(environment(settings).store)))
    number = roll_back(settings, "shop.both", reason="wrong prices")
    assert number == 4
    assert both(settings) == (2, 2)
    assert len(list(all_refs(environment(settings).store))) == built, "no rebuild"
    event = product_history(environment(settings), "shop.both", 1)[0]
    assert (event.what, event.publication, event.reasons) == ("rollback", 4, ("wrong prices",))
    assert (event.person, event.rows) == ("ana", 2)


def test_a_second_rollback_goes_further_back_and_a_named_one_anywhere(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    for number in (1, 2, 3):
        deliver(settings, number)
    roll_back(settings, "shop.both")
    roll_back(settings, "shop.both")
    assert both(settings) == (1, 1)
    roll_back(settings, "shop.both", 3)
    assert both(settings) == (3, 3)
    with pytest.raises(UnknownNameError) as caught:
        roll_back(settings, "shop.both", 99)
    assert caught.value.problems[0].choices
    with pytest.raises(StoreError, match="reads that candidate already"):
        roll_back(settings, "shop.both", 3)


def test_what_was_never_published_cannot_be_rolled_back(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    with pytest.raises(NotPublishedError):
        roll_back(settings, "shop.both")
    deliver(settings, 1)
    with pytest.raises(UnknownNameError, match="no earlier publication"):
        roll_back(settings, "shop.both")
    assert both(settings) == (1, 1)


def test_after_a_rollback_of_a_bad_delivery_the_next_one_is_published(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    for number in (1, 2):
        deliver(settings, number)
    roll_back(settings, "shop.both", until="inputs")
    assert not run(settings, "shop.both").published
    assert deliver(settings, 3) == 4
    assert both(settings) == (3, 3)


# --- the record


def test_history_status_and_the_last_run_say_what_happened(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    place = environment(settings)
    assert product_status(place) == {}
    assert last_run(place, "shop.both", "r1") == {}
    deliver(settings, 1, "r1")
    deliver(settings, '""', "r2")
    with pytest.raises(MeshError):
        deliver(settings, "x", "r3")
    events = [(e.what, e.run_id) for e in product_history(place, "shop.both", 10)]
    assert events == [("error", "r3"), ("refused", "r2"), ("published", "r1")]
    status = product_status(place)["shop.both"]
    assert (status.publication, status.rows, status.last_verdict) == (1, 2, "error")
    facts = last_run(place, "shop.both", "r3")
    assert facts["publication"] is None
    assert facts["checks"] == 0
    assert facts["reasons"]


def test_a_lost_ledger_is_written_again_with_everything(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    place = environment(settings)
    deliver(settings, 1)
    deliver(settings, '""')
    deliver(settings, 2)
    roll_back(settings, "shop.both")
    before = product_history(place, "shop.both", 50)
    for path in place.store.root.glob("ledger.sqlite*"):
        path.unlink()
    assert product_history(place, "shop.both", 50) == before
    assert len(before) == 4


def test_a_ledger_that_was_lost_half_way_through_its_rewriting_is_completed(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    place = environment(settings)
    for number in (1, 2, 3):
        deliver(settings, number)
    before = product_history(place, "shop.both", 50)
    for path in place.store.root.glob("ledger.sqlite*"):
        path.unlink()
    # As a killed process leaves it: one candidate, no release yet.
    from dataops_mesh.ledger import record_candidate
    from dataops_mesh.store.record import plain

    ledger = open_ledger(place.ledger_url)
    record_candidate(ledger, plain(read_manifest(place.store, min(all_refs(place.store)))))
    ledger.close()
    assert product_history(place, "shop.both", 50) == before


def test_an_old_release_that_was_collected_does_not_stop_a_new_ledger(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    store = environment(settings).store
    for number in (1, 2, 3):
        deliver(settings, number)
    collect(store, keep_releases=1, grace_seconds=0)
    for path in store.root.glob("ledger.sqlite*"):
        path.unlink()
    assert record_run(environment(settings)) == ()
    ledger = open_ledger(environment(settings).ledger_url)
    try:
        assert last_release(ledger) == 3
        assert known_candidates(ledger) == frozenset(all_refs(store))
    finally:
        ledger.close()


@pytest.mark.parametrize("damage", ["lost", "damaged"])
def test_a_catalog_that_is_gone_comes_back_with_the_next_run(tmp_path: Path, damage: str) -> None:
    settings = shop(tmp_path)
    store = environment(settings).store
    deliver(settings, 1)
    if damage == "lost":
        path_of(store, "shop").unlink()
    else:
        path_of(store, "shop").chmod(0o644)
        path_of(store, "shop").write_bytes(b"not a database")
    notes = record_run(environment(settings))
    assert ["was not what was written here" in note for note in notes] == [damage == "damaged"] * (
        damage == "damaged"
    )
    with duckdb.connect(str(path_of(store, "shop")), read_only=True) as con:
        assert con.execute("select n from shop.left").fetchall() == [(1,)]


def test_a_ledger_out_of_reach_is_a_note_and_not_a_refusal(tmp_path: Path) -> None:
    settings = shop(tmp_path, 'ledger = "sqlite:////proc/nowhere/ledger.sqlite"\n')
    report = run(settings, "shop.both")
    assert report.published
    assert any("the ledger is behind" in note for note in report.notes)
    assert both(settings) == (0, 0)
    pending = pending_refs(environment(settings).store)
    assert pending == (report.candidate,), "kept until it is on record"
    with pytest.raises(StoreError, match="ledger cannot be used"):
        product_status(environment(settings))
    mended = load_settings(tmp_path, ledger="")
    assert "shop.both" in product_status(environment(mended))
    assert pending_refs(environment(mended).store) == ()


def test_a_catalog_that_cannot_be_written_is_a_note_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop(tmp_path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(catalogs, "refresh", full)
    report = run(settings, "shop.both")
    assert report.published
    assert report.notes == ("the catalogs are behind: OSError",)


def test_the_manifest_says_who_what_when_and_from_what(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    settings = shop(tmp_path)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    clean = run(settings, "shop.both")
    assert len(clean.git_commit) == 40
    deliver(settings, 1)
    dirty = run(settings, "shop.both")
    assert dirty.git_commit == clean.git_commit + "+"
    manifest = read_manifest(environment(settings).store, dirty.candidate)
    declared = product(settings, "shop.both")
    assert manifest.git_commit == dirty.git_commit
    assert manifest.code_version == dirty.code_version == identity.code_version(declared)
    assert [c.version for c in manifest.contracts] == ["1.0.0", "1.0.0"]
    assert manifest.started <= manifest.finished
    assert manifest.inputs[0].fingerprint != ""
    assert folder(environment(settings).store, clean.candidate).is_dir()


def test_outside_git_and_without_a_user_a_run_is_still_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop(tmp_path)
    assert run(settings, "shop.both").git_commit == ""
    monkeypatch.setenv("PATH", "")
    assert identity.git_commit(tmp_path, tmp_path) == ""
    assert identity.person_or_user("")

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(identity.getpass, "getuser", nobody)
    assert identity.person_or_user("") == "unknown"


def test_a_release_keeps_what_each_port_read(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)
    store = environment(settings).store
    release = read_release(store, latest_number(store))
    assert release == latest(store)
    assert {dict(entry.sources).keys() == {"rows"} for entry in release.ports.values()} == {True}
