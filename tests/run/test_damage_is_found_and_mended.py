"""A damaged file is found and named, and the record mends what it can."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import environment, lift, product_status, roll_back, run
from hostile_cases import ORDERS, deliver, ids, shop

from dataops_mesh.errors import CorruptError
from dataops_mesh.run.record import product_history, record_run
from dataops_mesh.settings import load_settings
from dataops_mesh.store.log import latest, latest_number, path_of, read_release
from dataops_mesh.store.manifest import folder, pending_refs
from dataops_mesh.watch.health import examine
from dataops_mesh.watch.repair import repair


def damage(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    path.chmod(0o644)
    if how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "flipped":
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))
    else:
        path.write_bytes(b"")


@pytest.mark.parametrize("how", ["truncated", "flipped", "empty"])
def test_a_damaged_file_is_found_named_and_a_rollback_mends_it(tmp_path: Path, how: str) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1, 2)
    store = environment(settings).store
    assert examine(store).damage == ()
    ref = latest(store).ports[ORDERS].candidate
    (file,) = folder(store, ref).rglob("*.parquet")
    damage(file, how)
    (found,) = examine(store).damage
    assert (found.kind, found.name) == ("data", ref)
    assert file.name in found.what
    assert found.next.startswith("mesh run shop.orders, or mesh rollback shop.orders --reason ...")
    roll_back(settings, "shop.orders")
    assert ids(settings) == [1]
    assert examine(store).damage == ()
    assert len(examine(store, everything=True).damage) == 1


@pytest.mark.parametrize(
    ("number", "how"), [(1, "empty"), (2, "truncated"), (3, "flipped"), (4, "truncated")]
)
def test_a_damaged_release_is_said_and_written_again(tmp_path: Path, how: str, number: int) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1, 2, 3)
    assert roll_back(settings, "shop.orders", 1) == 4
    place = environment(settings)
    before = read_release(place.store, number)
    damage(path_of(place.store, number), how)
    with pytest.raises(CorruptError, match="mesh store verify"):
        read_release(place.store, number)
    found = examine(place.store).damage
    assert [(item.kind, item.name) for item in found] == [("release", str(number))]
    (said,) = repair(place, found)
    assert said.endswith("was written again from the ledger and the evidence")
    assert read_release(place.store, number) == before
    assert examine(place.store, everything=True).damage == ()
    assert len(list((place.store.root / "damaged").iterdir())) == 1
    assert ids(settings) == [1]
    lift(settings, "shop.orders")
    deliver(settings, 5)
    assert latest_number(place.store) == 6


def test_a_release_that_is_missing_in_the_middle_is_written_again(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1, 2, 3)
    place = environment(settings)
    before = read_release(place.store, 2)
    path_of(place.store, 2).unlink()
    repair(place, examine(place.store).damage)
    assert read_release(place.store, 2) == before


def test_a_damaged_newest_release_that_nobody_recorded_is_set_aside(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1, 2)
    place = environment(settings)
    damage(path_of(place.store, 2), "truncated")
    for path in place.store.root.glob("ledger.sqlite*"):
        path.unlink()
    (said,) = repair(place, examine(place.store).damage)
    assert said == "release 2 was set aside: consumers read release 1 again"
    assert ids(settings) == [1]
    deliver(settings, 3)
    assert ids(settings) == [3]


def test_a_release_is_not_written_again_from_evidence_that_was_changed(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1, 2)
    place = environment(settings)
    ref = latest(place.store).ports[ORDERS].candidate
    damage(path_of(place.store, 2), "truncated")
    damage(folder(place.store, ref) / "manifest.json", "flipped")
    (said,) = repair(place, [d for d in examine(place.store).damage if d.kind == "release"])
    assert "cannot be written again" in said


def test_one_damaged_manifest_keeps_nobody_else_out_of_the_ledger(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)
    without = load_settings(tmp_path, ledger="sqlite:////proc/nowhere/ledger.sqlite")
    lost = run(without, "shop.orders").candidate
    other = run(without, "shop.orders").candidate
    place = environment(settings)
    assert set(pending_refs(place.store)) == {lost, other}
    damage(folder(place.store, lost) / "manifest.json", "truncated")
    (note,) = record_run(place)
    assert note.startswith("not on record: ")
    assert lost in note
    assert pending_refs(place.store) == (lost,)
    events = product_history(place, "shop.orders", 9)
    assert [event.publication for event in events] == [3, 1]
    assert product_status(place)["shop.orders"].publication == 3
    (found,) = examine(place.store).damage
    assert (found.kind, found.name) == ("evidence", lost)
    assert run(settings, "shop.orders").published
