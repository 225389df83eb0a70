"""A sandbox is the whole mesh, tried in by one person, and no word of it reaches production."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

import pytest

import dataops_mesh
from dataops_mesh.errors import UnknownNameError
from dataops_mesh.run.environment import open_environment
from dataops_mesh.store.line.known import find, living
from dataops_mesh.store.log import latest
from dataops_mesh.store.store import open_store

ALL = "select * from shop.orders order by id"


@pytest.fixture
def ran(mesh):
    """Everything is published, and a sandbox was opened."""
    assert mesh("run").code == 0
    assert mesh("sandbox", "up", "late", "--reason", "late orders").code == 0
    return mesh


@pytest.fixture
def tried(ran, workspace):
    """In the sandbox, orders come out otherwise; what reads them was built there too."""
    (workspace.root / "domains/shop/orders/orders.sql").write_text(
        "select id::bigint + 100 as id from orders_csv", "utf-8"
    )
    said = ran("sandbox", "run", "late")
    assert said.code == 0, said.err
    return ran


def everything_of_production(root: Path) -> dict[str, str]:
    """Digests of all that production's readers, feeds and records are made of."""
    store = root / ".mesh" / "store"
    found = {}
    for path in [
        *(store / "heads" / "production").glob("*"),
        *(store / "owners").rglob("*.json"),
        *(store / "pending").glob("*"),
        *store.glob("catalog*"),
    ]:
        if path.is_file():
            found[str(path.relative_to(store))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def test_what_is_built_in_a_sandbox_is_read_there_and_nowhere_else(tried, mesh):
    here = mesh("query", ALL, "--sandbox", "late", "--format", "json")
    assert [row["id"] for row in here.json] == [101, 102]
    assert "sandbox late" in here.err
    there = mesh("query", ALL, "--format", "json")
    assert [row["id"] for row in there.json] == [1, 2]
    assert "sandbox" not in there.err
    assert not dataops_mesh.connect().sandbox
    with dataops_mesh.connect(sandbox="late") as connection:
        assert connection.execute(ALL).fetchall() == [(101,), (102,)]
        assert "sandboxes/late~" in repr(connection)


def test_nothing_of_a_sandbox_leaks_into_production(ran, mesh, workspace):
    before = everything_of_production(workspace.root)
    said = {c: mesh(*c.split(), "--format", "json").json for c in ("status", "domain list")}
    history = mesh("show", "shop.orders", "--history", "--format", "json").json
    sql = workspace.root / "domains/shop/orders/orders.sql"
    sql.write_text("select id::bigint + 100 as id from orders_csv", "utf-8")
    assert mesh("sandbox", "run", "late").code == 0
    sql.write_text("select id::bigint as id from orders_csv where 1 = 0 and 'a'", "utf-8")
    mesh("sandbox", "run", "late", "shop.orders")  # fails or is refused: nobody's incident
    assert everything_of_production(workspace.root) == before
    now = {c: mesh(*c.split(), "--format", "json").json for c in ("status", "domain list")}
    assert now == said
    assert mesh("show", "shop.orders", "--history", "--format", "json").json == history
    assert mesh("status", "--wrong", "--format", "json").json == []
    dagster = workspace.root / ".mesh" / "dagster"
    import dagster as dg

    with dg.DagsterInstance.from_config(str(dagster)) as instance:
        assert len(instance.get_runs()) == 2  # of `mesh run`, one for each domain
    environment = open_environment(workspace)
    assert latest(environment.store).number == 2
    # Rebuilt from nothing, production's ledger says the same.
    environment.store.ledger_file.unlink()
    assert mesh("show", "shop.orders", "--history", "--format", "json").json == history


def test_what_runs_after_a_sandbox_in_one_process_is_told_to_production(tried, mesh, workspace):
    """Dagster knows its home by a variable: that of the sandbox is not taken on."""
    import dagster as dg

    home = workspace.root / ".mesh" / "dagster"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        before = len(instance.get_runs())
    assert mesh("run", "desk.totals").code == 0
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert len(instance.get_runs()) == before + 1


def test_a_sandbox_that_is_gone_is_never_production(tried, mesh, monkeypatch):
    assert mesh("sandbox", "down", "late").code == 0
    for command in (("run",), ("query", ALL), ("status",), ("sandbox", "run", "late")):
        monkeypatch.setenv("DATAOPS_MESH_SANDBOX", "late")
        said = mesh(*command)
        assert said.code == 2
        assert 'no sandbox "late"' in said.err
    with pytest.raises(UnknownNameError):
        dataops_mesh.connect(sandbox="late")


def test_what_is_about_the_whole_store_is_not_done_in_a_sandbox(ran, mesh, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_SANDBOX", "late")
    for command in ("store gc", "hold list", "domain list", "withdraw shop.orders --reason x"):
        said = mesh(*command.split())
        assert said.code == 2
        assert "not for a sandbox" in said.err


def test_a_sandbox_begins_where_somebody_says(tried, mesh):
    assert mesh("sandbox", "up", "again", "--from", "late").code == 0
    again = mesh("query", ALL, "--sandbox", "again", "--format", "json").json
    assert [row["id"] for row in again] == [101, 102]
    assert mesh("sandbox", "up", "before", "--from", "1").code == 0
    assert mesh("query", "from desk.totals", "--sandbox", "before").code == 2
    now = mesh("sandbox", "list", "--format", "json").json
    assert {one["sandbox"]: one["from"] for one in now} == {
        "late": "production 2",
        "again": "late 5",
        "before": "production 1",
    }
    assert mesh("sandbox", "up", "later", "--from", "2999-01-01T00:00").code == 0
    for wrong in ("tomorrow!", "99", "nobody"):
        assert mesh("sandbox", "up", "x", "--from", wrong).code == 2
    said = mesh("sandbox", "up", "late")
    assert said.code == 2
    assert "already" in said.err


def test_the_commands_of_the_page_do_what_it_says(mesh):
    page = (Path(__file__).parents[3] / "docs" / "sandboxes.md").read_text("utf-8")
    block = page.partition("```console\n")[2].partition("```")[0]
    assert mesh("run").code == 0
    for line in block.splitlines():
        said = mesh(*shlex.split(line.removeprefix("$ mesh ")))
        assert said.code == 0, said.err
        if "diff" in line:
            assert "built here" in said.out


def test_status_in_a_sandbox_says_that_it_is_one_and_what_is_stale(tried, mesh, workspace):
    assert mesh("run", "shop.orders").code == 0  # with what was tried, in production
    said = mesh("status", "--sandbox", "late")
    assert said.code == 0
    assert "sandbox late" in said.out + said.err
    assert "shop.orders was built here, and has changed there too" in said.err
    assert mesh("withdraw", "desk.totals", "--reason", "wrong", "--yes").code == 0
    assert "desk.totals was built here" in mesh("status", "--sandbox", "late").err


def test_the_difference_is_what_was_built_and_ends_with_the_sandbox(tried, mesh, workspace):
    rows = mesh("sandbox", "diff", "late", "--format", "json").json
    assert [(row["port"], row["state"]) for row in rows] == [
        ("desk.totals", "built here"),
        ("shop.orders", "built here"),
    ]
    listed = mesh("sandbox", "list", "--format", "json").json
    assert [(one["sandbox"], one["from"], one["built"]) for one in listed] == [
        ("late", "production 2", 2)
    ]
    assert listed[0]["bytes"] > 0
    assert listed[0]["last_read"] is None
    assert mesh("query", ALL, "--sandbox", "late").code == 0
    (one,) = mesh("sandbox", "list", "--format", "json").json
    assert one["last_read"] >= one["last_build"]
    assert mesh("sandbox", "down", "late").code == 0
    assert mesh("sandbox", "list", "--format", "json").json == []
    assert mesh("store", "gc", "--yes").code == 0
    store = open_store(workspace.store_folder)
    assert living(store) == ()


def test_refresh_takes_what_production_has_now_and_leaves_what_was_built(ran, mesh, workspace):
    csv = workspace.root / "domains/shop/orders/orders.csv"
    csv.write_text("id\n1\n2\n3\n", "utf-8")
    assert mesh("sandbox", "run", "late", "desk.totals").code == 0
    assert mesh("run").code == 0
    stale = mesh("query", ALL, "--sandbox", "late", "--format", "json").json
    assert [row["id"] for row in stale] == [1, 2]
    rows = mesh("sandbox", "refresh", "late", "--format", "json").json
    assert [(row["port"], row["what"].partition(":")[0]) for row in rows] == [
        ("shop.orders", "taken"),
        ("desk.totals", "diverged"),
    ]
    fresh = mesh("query", ALL, "--sandbox", "late", "--format", "json").json
    assert [row["id"] for row in fresh] == [1, 2, 3]
    mine = mesh("query", "from desk.totals", "--sandbox", "late", "--format", "json").json
    assert mine == [{"n": 2}]


def test_a_lease_that_is_over_is_said_and_then_the_sandbox_is_taken_down(mesh, workspace):
    assert mesh("run", "shop.orders").code == 0
    assert mesh("sandbox", "up", "short", "--lease", "0m").code == 0
    (row,) = mesh("sandbox", "list", "--format", "json").json
    assert "mesh store gc" in row["note"]
    assert "its lease is over: mesh sandbox renew short" in mesh("status", "--sandbox", "short").err
    assert "would be taken down" in mesh("store", "gc").err
    assert mesh("sandbox", "renew", "short", "--lease", "2d").code == 0
    assert "taken down" not in mesh("store", "gc", "--yes").err
    assert mesh("sandbox", "renew", "short", "--lease", "0m").code == 0
    assert "is taken down" in mesh("store", "gc", "--yes").err
    assert mesh("sandbox", "list", "--format", "json").json == []


def test_one_may_try_in_a_domain_that_belongs_to_somebody_else(ran, mesh, workspace):
    assert mesh("domain", "assign", "shop", "git.example/others/shop").code == 0
    assert mesh("run", "shop.orders").code == 1
    assert mesh("sandbox", "run", "late", "shop.orders").code == 0


def test_an_erasure_reaches_every_sandbox_at_once(tried, mesh, workspace):
    store = open_store(workspace.store_folder)
    line = find(store, "late")
    built = next(iter(latest(line).ports.values())).candidate
    said = mesh("withdraw", "shop.orders", "--erase", "--reason", "asked", "--yes")
    assert said.code == 0, said.err
    gone = mesh("query", ALL, "--sandbox", "late")
    assert gone.code != 0
    assert not any((store.candidates / "shop/orders").glob("*/orders/*.parquet"))
    assert (store.candidates / built).exists()  # desk.totals was not erased
    assert mesh("sandbox", "run", "late", "shop.orders").code == 0  # from what is left to read


def test_no_sandbox_has_the_name_of_what_everybody_reads(mesh, workspace):
    assert mesh("run").code == 0
    said = mesh("sandbox", "up", "production")
    assert said.code == 2
    assert 'no sandbox can be called "production"' in said.err
    assert "mesh sandbox up with another name" in said.err
    assert mesh("sandbox", "list", "--format", "json").json == []
    assert mesh("sandbox", "up", "production-like").code == 0
