"""After `mesh withdraw --erase` no file of the mesh holds what was erased; before, many did."""

from __future__ import annotations

import re
import shutil

import pytest
from helpers import environment, read, write_product
from markers import places
from notes_cases import deliver, killed_build, notes, readers

from dataops_mesh.factory.instance import open_instance
from dataops_mesh.watch.health import examine

FIRST, SECOND, REFUSED = "mark-first-11111", "mark-second-2222", "mark-refused-333"
FAILED, DEAD, PRINTED = "fail-marker-4444", "mark-killed-5555", "mark-printed-666"
ERASE = ("--erase", "--reason", "they asked us to")
ALL = (FIRST, SECOND, REFUSED, FAILED, DEAD, PRINTED)
KINDS = {
    "data": r"store/candidates/.*\.parquet",
    "capture": r"store/captures/../[0-9a-f]{64}",
    "manifest": r"store/candidates/.*/manifest\.json",
    "error": r"store/candidates/.*/error\.txt",
    "scratch": r"store/scratch/.*",
    "index": r"dagster/history/runs/index\.db.*",
    "run": r"dagster/history/runs/[0-9a-f-]{36}\.db.*",
    "printed": r"dagster/storage/.*/compute_logs/.*",
}
WHERE = {
    FIRST: {"data", "capture", "manifest", "index", "run"},
    SECOND: {"data", "capture", "manifest", "index", "run"},
    REFUSED: {"data", "capture", "manifest", "index", "run"},
    FAILED: {"error", "capture"},
    DEAD: {"data", "scratch"},
    PRINTED: {"printed"},
}


@pytest.fixture
def full(mesh, workspace):
    """A mesh that has published, refused, failed and been killed, with a marker in each."""
    for path in ("shop/orders", "desk/totals"):
        shutil.rmtree(workspace.root / "domains" / path)
    write_product(workspace.root, "shop", "notes", notes(FIRST))
    write_product(workspace.root, "desk", "count", readers())
    assert mesh("run").code == 0
    assert deliver(mesh, workspace, SECOND) == 0
    assert deliver(mesh, workspace, REFUSED, "x" * 18) == 1
    assert deliver(mesh, workspace, FAILED) == 1
    killed_build(environment(workspace).store, DEAD)
    with open_instance(workspace) as instance:  # what a step prints in a process of Dagster's
        newest = instance.get_runs(limit=1)[0].run_id
    printed = workspace.dagster_folder / "storage" / newest / "compute_logs" / "shop__notes.out"
    printed.parent.mkdir(parents=True, exist_ok=True)
    printed.write_text(PRINTED)
    return workspace


def kinds(workspace, marker):
    found = set()
    for place in places(workspace.root / ".mesh", marker):
        named = [kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, place)]
        assert named, f"{marker} is in {place}, where nobody thought of"
        found.update(named)
    return found


def test_nothing_is_left_in_any_file_whatever_comes_after(mesh, full):
    for marker in ALL:
        assert kinds(full, marker) == WHERE[marker]
    store = environment(full).store
    shutil.copytree(store.candidates, full.root / "backup")
    said = mesh("withdraw", "shop.notes", *ERASE)
    assert said.code == 0, said.err
    assert "desk.count was built from it and may hold its rows; it is not erased" in said.err
    assert "note:" not in said.err
    for marker in ALL:
        assert places(full.root / ".mesh", marker) == set()
    assert read(full, "from desk.count") == [(1,)]
    what_stays_are_the_numbers_and_who_erased_it(mesh, full)
    nothing_brings_it_back(mesh, full)
    shutil.copytree(full.root / "backup", store.candidates, dirs_exist_ok=True)
    assert "data" in kinds(full, FIRST)
    said = mesh("store", "gc", "--yes")
    assert said.code == 0
    assert "shop.notes was erased by ana on" in said.err
    for marker in (FIRST, SECOND, REFUSED, FAILED):
        assert places(full.root / ".mesh", marker) == set()
    assert read(full, "select note from shop.notes") == [("new-rows",)]


def what_stays_are_the_numbers_and_who_erased_it(mesh, full):
    first = mesh("show", "1", "--format", "json").json["candidates"]
    (one,) = [found for found in first if found["product"] == "shop.notes"]
    assert re.search("shop.notes was erased by ana on .*: they asked us to", one["erased"][0])
    assert [check["observed"] for check in one["checks"] if "short" in check["check"]] == [1]
    assert "was erased by ana" in mesh("show", "1").out
    events = mesh("history", "shop.notes", "--format", "json").json
    assert events[0]["what"] == "withdrawal"
    asked = mesh("query", "from shop.notes", "--release", "1")
    assert asked.code == 2
    assert "shop.notes was erased by ana on" in asked.err
    assert "they asked us to" in asked.err
    assert mesh("query", "from desk.count", "--release", "2").code == 0
    looked = mesh("query", "from shop.notes", "--candidate", one["candidate"])
    assert looked.code == 2
    assert "was erased by ana" in looked.err
    assert "erased)" in mesh("store", "verify", "--all").err
    assert examine(environment(full).store, everything=True).damage == ()


def nothing_brings_it_back(mesh, full):
    assert mesh("rollback", "shop.notes", "--to", "1", "--reason", "x").code == 2
    assert deliver(mesh, full, "new-rows") == 1, "held"
    assert mesh("hold", "lift", "shop.notes", "--reason", "cleaned").code == 0
    assert deliver(mesh, full, "new-rows") == 0
    back = mesh("rollback", "shop.notes", "--to", "1", "--reason", "x")
    assert back.code == 2
    assert "in release 1 was erased by ana" in back.err


def test_the_search_reads_inside_what_is_compressed(tmp_path):
    import duckdb

    where = tmp_path / "a.parquet"
    duckdb.sql(
        f"copy (select repeat('x', 99) || '{FIRST}' as n from range(999)) to '{where}' (compression zstd)"
    )
    assert places(tmp_path, FIRST) == {"a.parquet"}
    assert places(tmp_path, SECOND) == set()
