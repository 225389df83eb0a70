"""A release that switches several partitions is on record with each of them (A16, A19)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from partition_cases import MONTHS, THREE, build, workspace

from dataops_mesh.ledger.period import publications_between
from dataops_mesh.run.look import candidate_facts, down, publication_facts
from dataops_mesh.run.rebuild import rebuild_product
from dataops_mesh.run.record import open_record
from dataops_mesh.store.log import latest, path_of
from dataops_mesh.watch.health import examine
from dataops_mesh.watch.repair import repair
from dataops_mesh.watch.switches import switches
from tests.helpers import environment, product, roll_back


@pytest.fixture
def shop(tmp_path):
    settings = workspace(tmp_path)
    for key in MONTHS:
        build(settings, key)
    (tmp_path / "domains" / "shop" / "sales" / "sales.csv").write_text(THREE.replace("0\n", "5\n"))
    rebuild_product(product(settings, "shop.sales"), environment(settings), run_id="rebuild-1")
    return settings


def parts(settings) -> dict[str, str]:
    """Return the candidate of each partition that the newest release switched, by the log."""
    release = latest(environment(settings).store)
    (entry,) = release.ports.values()
    return {part.key: part.candidate for part in entry.parts if part.publication == release.number}


def test_a_rebuild_shows_every_partition(shop):
    place, expected = environment(shop), parts(shop)
    assert tuple(expected) == MONTHS
    number = latest(place.store).number
    facts = publication_facts(place, number)
    assert {one["partition"]: one["candidate"] for one in facts["candidates"]} == expected
    assert {one["candidate"] for one in facts["ports"]} == set(expected.values())
    for ref in expected.values():
        assert candidate_facts(place, ref)["publications"] == [number]
    assert down(place, number) == []
    now = datetime.now(UTC)
    with open_record(place) as ledger:
        rows = publications_between(ledger, now - timedelta(days=1), now + timedelta(days=1))
    told = {row["partition"]: row["candidate"] for row in rows if row["publication"] == number}
    assert told == expected


@pytest.mark.parametrize("rolled_back", [False, True])
def test_the_record_tells_the_events_that_the_log_tells(shop, rolled_back):
    """The log is collected; a channel that looks later is told of every partition all the same."""
    if rolled_back:
        roll_back(shop, "shop.sales", reason="wrong")
    place, found = environment(shop), product(shop, "shop.sales")
    number = latest(place.store).number
    with open_record(place) as ledger:
        by_log = switches(found, number, place.store, ledger)
        path_of(place.store, number).unlink()
        by_record = switches(found, number, place.store, ledger)
    assert [one.partition for one in by_log] == list(MONTHS)
    assert by_record == by_log


@pytest.mark.parametrize("rolled_back", [False, True])
def test_such_a_release_is_written_again_when_it_was_damaged(shop, rolled_back):
    if rolled_back:
        roll_back(shop, "shop.sales", reason="wrong")
    place = environment(shop)
    before = latest(place.store)
    path = path_of(place.store, before.number)
    path.chmod(0o644)
    path.write_text("{}")
    assert "was written again" in repair(place, examine(place.store).damage)[0]
    again = latest(place.store)
    assert (again.number, again.ports) == (before.number, before.ports)
