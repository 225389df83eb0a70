"""What is held is not built, not launched and not late; siblings and consumers go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import environment, lift, product, roll_back, run, write_product
from partition_cases import MONTHS, THREE, amounts, build, csv, workspace
from record_cases import both, deliver, shop

from dataops_mesh.errors import NotPublishedError, UnknownNameError
from dataops_mesh.run.due import due_partitions, partitions_and_holds, woken_partitions
from dataops_mesh.run.rebuild import rebuild_product
from dataops_mesh.run.record import product_history
from dataops_mesh.run.word.hold import hold_product
from dataops_mesh.run.word.rollback import rollback_product
from dataops_mesh.run.word.withdraw import taking, withdraw_product
from dataops_mesh.store.log import latest, latest_number, path_of, read_release
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.watch.health import examine
from dataops_mesh.watch.repair import repair


def test_a_run_of_something_held_builds_nothing_and_is_refused_on_record(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    for number in (1, 2):
        deliver(settings, number)
    number = roll_back(settings, "shop.both", reason="wrong prices")
    report = run(settings, "shop.both", "r9")
    assert not report.published
    assert not report.retryable
    (reason,) = report.decision.reasons
    assert "shop.both is held by a rollback by ana since" in reason
    assert f"release {number}: wrong prices; to lift it: mesh hold lift shop.both" in reason
    store = environment(settings).store
    assert read_manifest(store, report.candidate).ports == (), "nothing was built"
    event = product_history(environment(settings), "shop.both", 1)[0]
    assert (event.what, event.run_id, event.reasons) == ("refused", "r9", (reason,))
    assert both(settings) == (1, 1)


def test_changed_code_is_published_without_a_word(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    for number in (1, 2):
        deliver(settings, number)
    roll_back(settings, "shop.both")
    (tmp_path / "domains/shop/both/left.sql").write_text("select n + 10 as n from rows")
    assert run(settings, "shop.both").published
    assert latest(environment(settings).store).holds == {}


@pytest.mark.parametrize("change", ["a comment", "other words for the same", "another name"])
def test_other_code_that_brings_the_same_rows_again_ends_no_rollback(
    tmp_path: Path, change: str
) -> None:
    settings = shop(tmp_path)
    for number in (1, 2):
        deliver(settings, number)
    roll_back(settings, "shop.both", reason="wrong prices")
    folder, name = tmp_path / "domains/shop/both", "shop.both"
    text = {
        "a comment": "select n from rows -- c",
        "other words for the same": "select n + 0 as n from rows",
    }
    if change == "another name":
        folder.rename(folder.with_name("again"))
        name, file = "shop.again", folder.with_name("again") / "product.odps.yaml"
        file.write_text(file.read_text("utf-8").replace("shop:both", "shop:again"), "utf-8")
    else:
        (folder / "left.sql").write_text(text[change])
    report = run(settings, name)
    assert not report.published
    assert "is held by a rollback by ana since" in str(report.decision)
    assert "so that other rows come of it" in str(report.decision)
    assert both(settings) == (1, 1)
    write_product(tmp_path, "shop", name.partition(".")[2], {"rows.csv": "n\n3\n"})
    mended = run(settings, name)
    assert mended.published, mended.decision
    assert both(settings) == (3, 3), "other code and other rows: somebody mended it"


def test_holds_and_lifts_are_in_the_history_with_person_and_reason(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)
    place = environment(settings)
    hold_product(product(settings, "shop.both"), place, "audit")
    lift(settings, "shop.both")
    lifted, held, _ = product_history(place, "shop.both", 5)
    assert (held.what, held.publication, held.person, held.reasons) == (
        "hold",
        2,
        "ana",
        ("audit",),
    )
    assert (lifted.what, lifted.publication, lifted.reasons) == ("lift", 3, ("mended",))
    with pytest.raises(UnknownNameError, match=r"nothing of shop\.both is held"):
        lift(settings, "shop.both")


def test_a_partition_that_was_rolled_back_is_held_and_its_siblings_are_not(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    for key in MONTHS[:2]:
        build(settings, key)
    (tmp_path / "domains/shop/sales/sales.csv").write_text(THREE.replace("0\n", "9\n"))
    build(settings, MONTHS[0])
    found, place = product(settings, "shop.sales"), environment(settings)
    rollback_product(found, place, partition=MONTHS[0])
    report = build(settings, MONTHS[0])
    assert f"partition {MONTHS[0]} of shop.sales is held" in str(report.decision)
    assert build(settings, MONTHS[1]).published, "a sibling"
    assert build(settings, MONTHS[2]).published, "a new month"
    refused = rebuild_product(found, place, run_id="r")
    assert [one.published for one in refused] == [False] * 3
    assert f"{MONTHS[0]} is held" in str(refused[1].decision)
    lift(settings, "shop.sales")
    assert all(one.published for one in rebuild_product(found, place, run_id="r"))


def test_a_whole_rollback_of_partitions_holds_those_that_it_switched(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    for key in MONTHS[:2]:
        build(settings, key)
    (tmp_path / "domains/shop/sales/sales.csv").write_text(THREE.replace("0\n", "9\n"))
    build(settings, MONTHS[1])
    roll_back(settings, "shop.sales")
    holds = [hold for found in latest(environment(settings).store).holds.values() for hold in found]
    assert [hold.partition for hold in holds] == [MONTHS[1]]
    assert not build(settings, MONTHS[1]).published
    assert build(settings, MONTHS[2]).published


def test_what_is_held_is_not_due_until_its_own_content_changes(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    for key in MONTHS:
        build(settings, key)
    found, place = product(settings, "shop.sales"), environment(settings)
    assert due_partitions(found, place) == (MONTHS[2],)
    bad = csv("1,2020-01-05,10", "2,2020-02-05,20", "3,2020-03-05,-1")
    (tmp_path / "domains/shop/sales/sales.csv").write_text(bad)
    build(settings, MONTHS[2])
    rollback_product(found, place, partition=MONTHS[2], until="inputs", reason="a bad delivery")
    assert due_partitions(found, place) == ()
    assert partitions_and_holds(found, place)[MONTHS[2]].reason == "a bad delivery"
    assert woken_partitions(found, place) == {}
    rows = csv("1,2020-01-05,10", "2,2020-02-05,20", "3,2020-03-05,31")
    (tmp_path / "domains/shop/sales/sales.csv").write_text(rows)
    assert due_partitions(found, place) == (MONTHS[2],)
    assert build(settings, MONTHS[2]).published


def test_a_hold_during_the_build_counts_and_is_on_record(tmp_path: Path) -> None:
    from dataops_mesh.run.product import run_product

    settings = shop(tmp_path)
    deliver(settings, 1)
    found, place = product(settings, "shop.both"), environment(settings)
    said = []

    def progress(stage: str) -> None:
        if stage == "checking the candidate" and not said:
            said.append(hold_product(found, place, "stop"))

    report = run_product(found, place, run_id="late", progress=progress)
    assert said
    assert not report.published
    assert "held by ana since" in str(report.decision)


def test_damaged_releases_are_written_again_with_their_holds(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    for number in (1, 2):
        deliver(settings, number)
    place = environment(settings)
    roll_back(settings, "shop.both")
    hold_product(product(settings, "shop.both"), place, "audit")
    store = place.store
    for number in (3, latest_number(store)):
        before = read_release(store, number)
        path_of(store, number).chmod(0o644)
        path_of(store, number).write_text("{}")
        assert "was written again" in repair(place, examine(store).damage)[0]
        again = read_release(store, number)
        assert (again.holds, again.kind, again.decided) == (
            before.holds,
            before.kind,
            before.decided,
        )
        assert again.holds
    assert not run(settings, "shop.both").published


def test_a_withdrawn_partition_is_gone_alone_and_not_due(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    for key in MONTHS:
        build(settings, key)
    found, place = product(settings, "shop.sales"), environment(settings)
    what = taking("shop.sales", place, [found])
    with pytest.raises(NotPublishedError, match="partition 2019-01-01"):
        withdraw_product(what, place, "wrong", "2019-01-01")
    withdraw_product(what, place, "wrong", MONTHS[0])
    assert amounts(settings) == [(2, 20), (3, 30)]
    assert MONTHS[0] not in due_partitions(found, place)
    assert not build(settings, MONTHS[0]).published
    assert build(settings, MONTHS[1]).published, "a sibling"
    lift(settings, "shop.sales")
    assert MONTHS[0] in due_partitions(found, place)
    assert build(settings, MONTHS[0]).published
    assert amounts(settings) == [(1, 10), (2, 20), (3, 30)]
