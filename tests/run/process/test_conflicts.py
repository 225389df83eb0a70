"""Several runs at once: nothing is lost, nothing goes backward, a rollback wins."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import run_processes
from helpers import (
    a_product,
    a_source,
    an_input,
    environment,
    lift,
    product,
    read,
    roll_back,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.errors import ConflictError
from dataops_mesh.ledger import known_candidates, last_release, open_ledger
from dataops_mesh.run.product import TRIES, run_product
from dataops_mesh.run.record import product_history
from dataops_mesh.run.report import Report
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Address
from dataops_mesh.store.log import as_it_was
from dataops_mesh.store.manifest import pending_refs
from dataops_mesh.store.refs import all_refs
from dataops_mesh.store.release import history, latest, latest_number, read_release

pytestmark = pytest.mark.timeout(600)  # processes that import for seconds, on busy machines
SPAWN = multiprocessing.get_context("spawn")
TOTAL = Address("books", "totals")
NUMBER = "{name: n, logicalType: integer, required: true}"
TRANSFORM = "def transform(shop_orders):\n    return shop_orders.aggregate('sum(n)::int as n')\n"


def simple(port: str) -> dict[str, str | bytes]:
    return a_product(
        {port: [NUMBER]},
        inputs=[a_source("rows", "rows.csv")],
        files={f"{port}.sql": "select n from rows", "rows.csv": "n\n1\n"},
    )


def shop(root: Path) -> Settings:
    totals = a_product(
        {"totals": [NUMBER]},
        inputs=[an_input("shop.orders")],
        files={"transform.py": TRANSFORM},
    )
    return write_workspace(
        root,
        {
            "shop": {"orders": simple("orders"), "left": simple("left"), "right": simple("right")},
            "books": {"totals": totals},
        },
    )


def deliver(settings: Settings, number: int) -> Report:
    """Publish orders whose one row says the number."""
    write_product(settings.root, "shop", "orders", {"rows.csv": f"n\n{number}\n"})
    return run(settings, "shop.orders")


def run_during(settings: Settings, name: str, *meanwhile: Callable[[], object]) -> Report:
    """Run a product; each try builds while the next of these happens."""
    waiting = list(meanwhile)

    def progress(line: str) -> None:
        if line.startswith("building") and waiting:
            waiting.pop(0)()

    return run_product(
        product(settings, name), environment(settings), run_id="slow", progress=progress
    )


def total(settings: Settings) -> int:
    return read(settings, "select n from books.totals")[0][0]


def assert_never_backward(settings: Settings) -> None:
    """Whatever was published read nothing older than the publication before it."""
    store = environment(settings).store
    releases = [as_it_was(store, one.number) for one in history(store, TOTAL)][::-1]
    inputs = [dict(release.ports[TOTAL].inputs)["shop.orders"] for release in releases]
    assert inputs == sorted(inputs)


def assert_recorded(settings: Settings) -> None:
    """The ledger has what the log has."""
    place = environment(settings)
    assert pending_refs(place.store) == ()
    ledger = open_ledger(place.ledger_url)
    try:
        assert last_release(ledger) == latest_number(place.store)
        assert known_candidates(ledger) == frozenset(all_refs(place.store))
    finally:
        ledger.close()


def test_processes_at_once_lose_no_publication_and_no_record(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    names = ["shop.orders", "shop.orders", "shop.left", "shop.right"]
    barrier, answers = SPAWN.Barrier(len(names)), SPAWN.Queue()
    processes = [
        SPAWN.Process(
            target=run_processes.run_times, args=(str(tmp_path), name, 4, barrier, answers)
        )
        for name in names
    ]
    for process in processes:
        process.start()
    found = [answers.get(timeout=500) for _ in processes]
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    runs = [item for _, items in found for item in items]
    numbers = [number for _, number in runs]
    assert sorted(numbers) == list(range(1, 17)), "each run is one publication of its own"
    store = environment(settings).store
    for candidate, number in runs:
        release = read_release(store, number)
        assert {release.ports[address].candidate for address in release.changed} == {candidate}
    last = {name: max(n for own, items in found if own == name for _, n in items) for name in names}
    entries = latest(store).ports
    assert {str(address): entry.publication for address, entry in entries.items()} == last
    assert_recorded(settings)


def test_a_slow_run_never_puts_older_inputs_over_newer(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)
    answers = SPAWN.Queue()
    process = SPAWN.Process(
        target=run_processes.run_slowly, args=(str(tmp_path), "books.totals", answers)
    )
    process.start()
    _wait_for(tmp_path / "building")
    newer = deliver(settings, 2)
    assert run(settings, "books.totals").published
    (tmp_path / "go").touch()
    publication, reads, said = answers.get(timeout=240)
    process.join(30)
    assert "another run published first; building again from fresh inputs" in said
    assert reads == {"shop.orders": newer.publication}
    assert publication == latest_number(environment(settings).store)
    assert total(settings) == 2
    assert_never_backward(settings)
    assert_recorded(settings)


def test_a_rollback_during_a_run_of_another_process_wins(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    for number in (1, 2):
        deliver(settings, number)
        run(settings, "books.totals")
    answers = SPAWN.Queue()
    process = SPAWN.Process(
        target=run_processes.run_slowly, args=(str(tmp_path), "books.totals", answers)
    )
    process.start()
    _wait_for(tmp_path / "building")
    number = roll_back(settings, "books.totals", reason="wrong since yesterday")
    (tmp_path / "go").touch()
    publication, _, _ = answers.get(timeout=240)
    process.join(30)
    assert publication is None
    (why,) = product_history(environment(settings), "books.totals", 1)[0].reasons
    assert "is held by a rollback by ana since" in why
    assert f"release {number}: wrong since yesterday" in why
    assert latest(environment(settings).store).ports[TOTAL].publication == number
    assert total(settings) == 1
    assert not run(settings, "books.totals").published
    lift(settings, "books.totals")
    assert run(settings, "books.totals").published
    assert_recorded(settings)


def _wait_for(path: Path, seconds: float = 240) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < until, f"{path} never came"
        time.sleep(0.01)


def test_a_run_whose_input_was_republished_may_publish_what_it_read(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)
    report = run_during(settings, "books.totals", lambda: deliver(settings, 2))
    assert report.published
    assert [item.publication for item in report.reads] == [1]
    assert total(settings) == 1
    assert_never_backward(settings)


def test_a_run_that_read_the_same_inputs_may_follow(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)
    report = run_during(settings, "books.totals", lambda: run(settings, "books.totals"))
    assert report.publication == 3
    assert_never_backward(settings)


def test_a_run_that_read_newer_inputs_may_follow(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)

    def older_run() -> None:
        # Starts before the delivery and ends while the newer run builds.
        run_during(settings, "books.totals", lambda: newer.append(start_newer()))

    newer: list[Report] = []

    def start_newer() -> Report:
        deliver(settings, 2)
        return run(settings, "books.totals")

    older_run()
    assert newer[0].published
    assert total(settings) == 2
    assert_never_backward(settings)


def test_other_sources_meanwhile_mean_another_try(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    waiting = [lambda: deliver(settings, 2)]
    said: list[str] = []

    def progress(line: str) -> None:
        said.append(line)
        if line == "checking the candidate" and waiting:
            waiting.pop()()

    report = run_product(
        product(settings, "shop.orders"), environment(settings), run_id="slow", progress=progress
    )
    assert report.publication == 2
    assert "another run published first; building again from fresh inputs" in said
    assert read(settings, "select n from shop.orders") == [(2,)]


def test_a_run_that_is_always_overtaken_gives_up_in_the_end(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    deliver(settings, 1)

    def overtake() -> None:
        deliver(settings, 1)
        run(settings, "books.totals")

    with pytest.raises(ConflictError, match="newer inputs"):
        run_during(settings, "books.totals", *[overtake] * TRIES)
    report = run_during(settings, "books.totals", *[overtake] * (TRIES - 1))
    assert report.published
    assert_never_backward(settings)
    assert_recorded(settings)


def test_a_rollback_between_two_tries_wins(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    for number in (1, 2):
        deliver(settings, number)
        run(settings, "books.totals")

    def overtake() -> None:
        deliver(settings, 3)
        run(settings, "books.totals")

    report = run_during(
        settings, "books.totals", overtake, lambda: roll_back(settings, "books.totals", 4)
    )
    assert "is held by a rollback" in str(report.decision)
    assert total(settings) == 2
