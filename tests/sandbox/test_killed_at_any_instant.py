"""A promotion, a refresh and a collection are killed at random: each takes effect once or not."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from helpers import a_product, a_source, an_input, run, write_workspace
from sandbox_processes import (
    collecting,
    counted,
    declared,
    inside,
    promoting,
    refreshing,
    settings_in,
)

from dataops_mesh.engine.read import connect
from dataops_mesh.errors import UnknownNameError
from dataops_mesh.ledger import history
from dataops_mesh.run.record import open_record
from dataops_mesh.spec.model import Address
from dataops_mesh.store.holding import Asked
from dataops_mesh.store.line.known import find, sandboxes
from dataops_mesh.store.line.opening import NOBODY, open_sandbox
from dataops_mesh.store.log import as_it_was, latest, latest_number
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.verify import verify

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
KILLS = 100 if LONG else 3
PATIENCE = 3_600 if LONG else 300
COLUMNS = ("{name: id, logicalType: integer, primaryKey: true}",)
BOTH = "select (select count(*) from shop.orders), (select n from desk.totals)"
TRIES = Asked("ben", "to try", NOBODY)
PORTS = (Address("shop", "orders"), Address("desk", "totals"))
pytestmark = pytest.mark.timeout(PATIENCE)


@pytest.fixture
def root(tmp_path):
    """A mesh that is published, and a sandbox `x` that has built something of its own."""
    orders = a_product(
        ports={"orders": COLUMNS},
        inputs=[a_source("delivered", "orders.csv")],
        files={"orders.sql": "select id::bigint as id from delivered", "orders.csv": "id\n1\n"},
    )
    totals = a_product(
        ports={"totals": ["{name: n, logicalType: integer}"]},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select count(*) as n from shop.orders"},
    )
    notes = a_product(
        ports={"notes": COLUMNS},
        inputs=[a_source("noted", "notes.csv")],
        files={"notes.sql": "select id::bigint as id from noted", "notes.csv": "id\n1\n"},
    )
    settings = write_workspace(
        tmp_path,
        {"shop": {"orders": orders, "notes": notes}, "desk": {"totals": totals}},
        settings="grace = 0\nkeep_publications = 1\n",
    )
    built(tmp_path, "", 1)
    opened(tmp_path, "x")
    run(settings_in(tmp_path, "x"), "shop.notes")
    assert settings.store_folder.is_dir()
    return tmp_path


def opened(root, name, days=7.0):
    lease = datetime.now(UTC) + timedelta(days=days)
    open_sandbox(inside(root).store, name, TRIES, lease)


def built(root, sandbox, rows):
    """Build orders of so many rows, and the totals of them."""
    csv = root / "domains/shop/orders/orders.csv"
    csv.write_text("id\n" + "".join(f"{n}\n" for n in range(rows)), "utf-8")
    for name in ("shop.orders", "desk.totals"):
        assert run(settings_in(root, sandbox), name).published


def shown(root, sandbox=""):
    release = latest(inside(root, sandbox).store)
    return {address: entry.candidate for address, entry in release.ports.items()}


def seen(root, sandbox=""):
    with connect(settings_in(root).store_folder, sandbox=sandbox) as mesh:
        return mesh.execute(BOTH).fetchone()


@pytest.fixture
def kill(processes, root):
    """Start something and kill it: at a moment between its first effect and its end."""
    chance = random.Random(20)
    most = 30

    def killed(act: str) -> bool:
        nonlocal most
        effects = processes.Value("i", 0, lock=False)
        process = processes.Process(target=counted, args=(str(root), act, "x", effects))
        process.start()
        enough = chance.randrange(most + 1)
        while effects.value < enough and process.is_alive():
            time.sleep(0.0002)
        time.sleep(chance.uniform(0, 0.004))
        process.kill()
        process.join()
        assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
        if not process.exitcode:
            most = max(effects.value, 1)  # it was through: next time not later than that
        return process.exitcode == -signal.SIGKILL

    return killed


def switches_since(root, sandbox, number):
    """Return how often each of the ports was switched after a release."""
    store = inside(root, sandbox).store
    releases = [as_it_was(store, n) for n in range(number + 1, latest_number(store) + 1)]
    return [sum(port in release.changed for release in releases) for port in PORTS]


def test_a_promotion_that_is_killed_happens_once_or_not(root, kill):
    done = deaths = 0
    for turn in range(KILLS):
        built(root, "x", turn + 2)
        before, tried = shown(root), shown(root, "x")
        number, rows = latest_number(inside(root).store), seen(root)
        deaths += kill("promoting")
        assert shown(root) in (before, tried)
        assert seen(root) in (rows, (turn + 2, turn + 2))
        if happened := shown(root) == tried:
            with pytest.raises(UnknownNameError, match="is there already"):
                promoting(str(root), "x")
        else:
            promoting(str(root), "x")
        done += happened
        assert shown(root) == tried
        assert latest_number(inside(root).store) == number + 1
        release = latest(inside(root).store)
        assert release.promoted.startswith(inside(root, "x").store.line)
        with open_record(inside(root)) as ledger:
            for name, port in (("shop.orders", PORTS[0]), ("desk.totals", PORTS[1])):
                events = [e for e in history(ledger, name, 500) if e.publication == number + 1]
                assert [event.candidate for event in events] == [tried[port]]
        refreshing(str(root), "x")
    print(f"{KILLS} promotions, {deaths} killed, {done} had happened")  # noqa: T201 - with -s
    assert 0 < done < KILLS or not LONG
    assert seen(root) == (KILLS + 1, KILLS + 1)


def test_a_refresh_that_is_killed_happens_once_or_not(root, kill):
    done = deaths = 0
    mine = shown(root, "x")[Address("shop", "notes")]
    for turn in range(KILLS):
        built(root, "", turn + 2)
        before, now = shown(root, "x"), shown(root)
        number = latest_number(inside(root, "x").store)
        deaths += kill("refreshing")
        after = shown(root, "x")
        wanted = {**now, Address("shop", "notes"): mine}
        assert after in (before, wanted)
        assert seen(root, "x") in ((turn + 1, turn + 1), (turn + 2, turn + 2))
        done += after == wanted
        refreshing(str(root), "x")
        assert shown(root, "x") == wanted
        assert shown(root) == now
        assert switches_since(root, "x", number) == [1, 1]
    print(f"{KILLS} refreshes, {deaths} killed, {done} had happened")  # noqa: T201 - with -s
    assert 0 < done < KILLS or not LONG


def test_a_collection_that_is_killed_takes_nothing_that_any_line_reads(root, kill):
    done = deaths = 0
    for turn in range(KILLS):
        built(root, "", turn + 2)
        opened(root, f"old{turn}", days=0)  # its lease is over at once
        built(root, "x", turn + 3)
        lines = {name: shown(root, name) for name in ("", "x")}
        deaths += kill("collecting")
        store = inside(root).store
        for name, showing in lines.items():
            assert shown(root, name) == showing
            for ref in set(showing.values()):
                verify(store, ref)
        assert (seen(root), seen(root, "x")) == ((turn + 2,) * 2, (turn + 3,) * 2)
        done += not [one for one in sandboxes(store) if one.sandbox.startswith("old")]
        collecting(str(root), "")
        assert [one.sandbox for one in sandboxes(store)] == ["x"]
        refreshing(str(root), "x")  # its base is there to be compared with
        collecting(str(root), "")
    print(f"{KILLS} collections, {deaths} killed, {done} were through")  # noqa: T201 - with -s
    assert 0 < done < KILLS or not LONG
    kept = {ref for name in ("", "x") for ref in shown(root, name).values()}
    left = {ref for ref in all_refs(inside(root).store) if ref not in kept}
    assert left <= before_last(root)
    assert find(inside(root).store, "x").releases.is_dir()
    assert set(declared(root)) == {"shop.orders", "shop.notes", "desk.totals"}


def before_last(root):
    """Return what a rollback of production may still go back to."""
    from dataops_mesh.store.history import history as versions

    store = inside(root).store
    return {one.candidate for port in PORTS for one in versions(store, port)}
