"""Twenty sandboxes, builds in three of them, and production publishes and collects beside them.

Every sandbox is somebody's checkout: what is built there says so in its rows. So a leak is a row,
a name, a run or a file that is found where it does not belong.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from helpers import a_product, a_source, an_input, run, write_workspace
from sandbox_processes import (
    building,
    collecting_for_ever,
    inside,
    reading,
    settings_in,
)

from dataops_mesh.engine.catalog.catalogs import path_of
from dataops_mesh.engine.read import connect
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.known import find, living
from dataops_mesh.store.line.opening import NOBODY, open_sandbox
from dataops_mesh.store.log import all_numbers, as_it_was, latest
from dataops_mesh.store.pins import live_pins
from dataops_mesh.store.verify import verify

FAMILY = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
TIMES = 30 if LONG else 1
SANDBOXES = tuple(f"box{number}" for number in range(1, 21))
BUILT, IDLE = SANDBOXES[:3], SANDBOXES[3:]
NAMES = ("shop.orders", "shop.seen", "desk.totals")
MADE = "select made, count(*) from shop.orders group by all union all from desk.totals"
MARK = "{name: made, logicalType: string}"
pytestmark = pytest.mark.timeout(3_600 if LONG else 600)


def products(made: str):
    """Return products whose rows say who made them; one goes on from what it published last."""
    orders = a_product(
        ports={"orders": ["{name: id, logicalType: integer, primaryKey: true}", MARK]},
        inputs=[a_source("delivered", "orders.csv")],
        files={
            "orders.sql": f"select id::bigint as id, '{made}' as made from delivered",
            "orders.csv": "id\n1\n2\n",
        },
    )
    seen = a_product(
        ports={"seen": [MARK, "{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders"), "- name: self\n"],
        files={
            "seen.sql": "select made, n from self union all select made, count(*) as n"
            " from shop.orders group by made"
        },
    )
    totals = a_product(
        ports={"totals": [MARK, "{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select made, count(*) as n from shop.orders group by made"},
    )
    return {"shop": {"orders": orders, "seen": seen}, "desk": {"totals": totals}}


def checkout(folder: Path, made: str) -> Path:
    """Write somebody's checkout of the one repository; all checkouts share one store."""
    folder.mkdir()
    store = folder.parent / "store"
    write_workspace(
        folder,
        products(made),
        settings=f'store = "{store}"\nrepository = "git.example/us/mesh"\n'
        "grace = 0\nkeep_publications = 1\n",
    )
    text = (folder / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(text.replace('"ana"', f'"{made}"'), "utf-8")
    for domain in ("shop", "desk"):
        (folder / "domains" / domain / "definitions.py").write_text(FAMILY, "utf-8")
    return folder


@pytest.fixture
def root(tmp_path):
    """Production's checkout, published; twenty sandboxes; the checkouts of those who build."""
    root = checkout(tmp_path / "main", "main")
    for name in NAMES:
        assert run(settings_in(root), name).published
    for name in SANDBOXES:
        lease = datetime.now(UTC) + timedelta(days=7)
        open_sandbox(inside(root).store, name, Asked(name, "to try", NOBODY), lease)
    for name in BUILT:
        checkout(tmp_path / name, name)
    return root


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command of `mesh` in a checkout."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATAOPS_MESH_", "DAGSTER_"))}
    return subprocess.run(
        [sys.executable, "-m", "dataops_mesh.cli.main", *words],
        cwd=folder,
        env=kept | {"PYTHONPATH": os.pathsep.join(sys.path), "DAGSTER_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def rows(root: Path, sql: str, sandbox: str = "") -> list[tuple]:
    with connect(settings_in(root).store_folder, sandbox=sandbox) as mesh:
        return mesh.execute(sql).fetchall()


def test_twenty_sandboxes_and_production_see_nothing_of_each_other(processes, root):
    before = {name: latest(find(inside(root).store, name)) for name in SANDBOXES}
    stop, seen, done, times = (processes.Event(), *(processes.Queue() for _ in range(3)))
    workers = [
        processes.Process(target=reading, args=(str(root), half, MADE, stop, seen))
        for half in (IDLE[:8], IDLE[8:])
    ]
    workers.append(processes.Process(target=collecting_for_ever, args=(str(root), stop, times)))
    builders = [
        processes.Process(
            target=building, args=(str(root.parent / (name or "main")), name, NAMES, TIMES, done)
        )
        for name in ("", *BUILT[:2])
    ]
    for process in (*workers, *builders):
        process.start()
    # The third works as people do: by the command, with Dagster and a gate of its own.
    said = command(root.parent / BUILT[2], "sandbox", "run", BUILT[2])
    assert said.returncode == 0, said.stderr
    ended = dict(done.get(timeout=600) for _ in builders)
    stop.set()
    answers, collections = [seen.get(timeout=60) for _ in range(2)], times.get(timeout=60)
    for process in (*workers, *builders):
        process.join()
        assert process.exitcode == 0
    assert {name: all(published) for name, published in ended.items()} == dict.fromkeys(ended, True)
    reads = [len(found) for answer, _ in answers for found in answer.values()]
    assert collections > 1
    print(f"{collections} collections, {sum(reads)} kinds of answers")  # noqa: T201 - with -s

    # Rows: each line shows who built it, and what goes on from itself goes on from its own.
    runs = {"": 1 + TIMES, BUILT[0]: TIMES, BUILT[1]: TIMES, BUILT[2]: 1}
    for name, count in runs.items():
        made = name or "main"
        assert rows(root, "select distinct made from shop.orders", name) == [(made,)]
        assert rows(root, "select distinct made from desk.totals", name) == [(made,)]
        kept = dict(rows(root, "select made, count(*) from shop.seen group by made", name))
        assert kept == {"main": count} if made == "main" else {"main": 1, made: count}
    # Who built nothing saw nothing else than what the sandbox was opened with, all the time.
    for answer, wrong in answers:
        assert wrong == []
        assert {tuple(sorted(found)) for one in answer.values() for found in one} == {
            (("main", 2), ("main", 2))
        }
    for name in IDLE:
        line = find(inside(root).store, name)
        assert latest(line) == before[name]
        for entry in latest(line).ports.values():
            assert verify(line, entry.candidate) > 0
    nothing_of_a_sandbox_is_in_what_production_owns(root, runs)


def nothing_of_a_sandbox_is_in_what_production_owns(root: Path, runs: dict[str, int]) -> None:
    environment = inside(root)
    store = environment.store
    lines = {one.sandbox: one for one, _ in living(store)}
    assert set(lines) == set(SANDBOXES)
    # The log: every release is production's, by production's runs, without a gap.
    releases = [as_it_was(store, number) for number in sorted(all_numbers(store))]
    assert [one.number for one in releases] == list(range(1, 3 * runs[""] + 1))
    assert {one.person for one in releases} == {"main"}
    assert not any(one.promoted or one.base for one in releases)
    # The ledger: nobody's runs, candidates, checks or deeds but production's.
    tried = {
        entry.candidate for line in lines.values() for entry in latest(line).ports.values()
    } - {entry.candidate for entry in latest(lines[IDLE[0]]).ports.values()}
    assert len(tried) == 3 * len(BUILT)
    # What a collection deletes is on production's record, whoever has left it.
    with sqlite3.connect(store.ledger_file) as ledger:
        dumped = [line for line in ledger.iterdump() if "'collect'" not in line]
    told = "\n".join(dumped)
    for word in (*tried, *BUILT, *(line.line for line in lines.values())):
        assert word not in told
    # Texts of declarations are kept by their content, for all lines: whose they are is not said.
    # Nor do any other files say a word of them: events, alerts and feeds are read from these.
    words = [word.encode() for word in (*tried, *BUILT, *(one.line for one in lines.values()))]
    words += [ref.rpartition("/")[2].encode() for ref in tried]
    own = (
        "sandboxes",
        "heads/sandboxes",
        "candidates",
        "tree",
        "pins",
        "scratch",
        "ledger.sqlite",
        "cache/",
        "declarations/",
    )
    for path in sorted(store.root.rglob("*")):
        name = path.relative_to(store.root).as_posix()
        if path.is_file() and not name.startswith(own):
            found = path.read_bytes()
            assert [word for word in words if word in found] == [], name
    assert list(store.pending.iterdir()) == []
    # The catalogs, as any client reads them.
    for domain, port in (("shop", "orders"), ("shop", "seen"), ("desk", "totals")):
        with duckdb.connect(str(path_of(store, domain)), read_only=True) as con:
            assert con.execute(f"select distinct made from {port}").fetchall() == [("main",)]
    # Dagster: the command's runs are in the sandbox's instance alone.
    folder = root.parent / BUILT[2]
    assert not (folder / ".mesh" / "dagster").exists()
    assert (lines[BUILT[2]].own / "dagster").is_dir()
    assert not any((lines[name].own / "dagster").exists() for name in IDLE)
    # Each line's ledger knows its own; nobody holds on to anything.
    for name in BUILT:
        with sqlite3.connect(lines[name].ledger_file) as ledger:
            (people,) = zip(*ledger.execute("select distinct person from candidates"), strict=True)
        assert people == (name,)
    assert live_pins(store) == ()


def test_what_is_withdrawn_and_erased_while_sandboxes_are_open(root):
    one, two = BUILT[:2]
    for name in NAMES:
        assert run(settings_in(root.parent / one, one), name).published
    store = inside(root).store
    taken = latest(find(store, two)).ports
    refs = {address.port: entry.candidate for address, entry in taken.items()}
    said = command(root, "withdraw", "desk.totals", "--reason", "wrong", "--yes")
    assert said.returncode == 0, said.stderr
    # A withdrawal: what was opened before shows it still, and is told; what was built stays.
    assert rows(root, "select made from desk.totals", two) == [("main",)]
    assert rows(root, "select made from desk.totals", one) == [(one,)]
    told = command(root, "status", "--sandbox", two)
    assert "desk.totals was withdrawn there since, and is stale here" in told.stderr
    # An erasure: nobody shows it any more, whoever built it, and its bytes are gone.
    built = latest(find(store, one)).ports
    mine = {address.port: entry.candidate for address, entry in built.items()}
    said = command(root, "withdraw", "shop.orders", "--erase", "--reason", "asked", "--yes")
    assert said.returncode == 0, said.stderr
    for name in ("", one, two, *IDLE):
        line = find(store, name) if name else store
        assert not [address for address in latest(line).ports if address.port == "orders"]
    for ref in (refs["orders"], mine["orders"]):
        assert not list((store.candidates / ref).rglob("*.parquet"))
    # What others had read of it is theirs, and stays.
    assert rows(root, "select made from desk.totals", one) == [(one,)]
