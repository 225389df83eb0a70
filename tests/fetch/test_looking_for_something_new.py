"""What is new is known by a question of the gate, now and then: nobody else asks, or waits."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fetch_cases import fetched, run, shop
from helpers import environment, mesh, product
from web_server import Web

from dataops_mesh.errors import SourceError
from dataops_mesh.fetch import fetch as fetching_module
from dataops_mesh.run.due import due_partitions, woken_partitions
from dataops_mesh.run.inputs.looking import is_look_due, look_at_sources
from dataops_mesh.run.word.held import read_now
from dataops_mesh.settings import Settings
from dataops_mesh.spec.read.automation import automation_of
from dataops_mesh.store.log import latest
from dataops_mesh.watch.news import Question
from dataops_mesh.watch.wake import unseen

CSV = b"id\n1\n"
DAYS = (
    "apiVersion: v3.2.0\nkind: DataContract\nid: urn:x\nversion: 1.0.0\n"
    "customProperties:\n  - {property: partitions, vendor: dataops_mesh, "
    "value: {cadence: daily, start: 2020-01-01}}\n"
    "schema:\n  - name: orders\n    properties:\n"
    "      - {name: id, logicalType: integer, primaryKey: true}\n"
    "      - {name: day, logicalType: date, required: true, partitioned: true}\n"
)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock by which looks are counted; a test sets it forward."""
    clock = [time.time()]

    class Clock:
        def time(self) -> float:
            return clock[0]

    from dataops_mesh.fetch import note

    monkeypatch.setattr(fetching_module, "time", Clock())
    monkeypatch.setattr(note, "time", Clock())
    return clock


def whole(root: Path, web: Web, more: str = "") -> Settings:
    return shop(root, f'url: "{web.url("/a.csv")}", connection: web{more}')


def wakes(settings: Settings) -> bool:
    """Have the gate look, and tell whether the product has something new to read."""
    place, found = environment(settings), product(settings, "shop.orders")
    look_at_sources(found, place)
    return bool(unseen([found], place))


def test_a_new_version_wakes_the_product_and_is_seen_once_it_is_read(
    tmp_path: Path, web: Web, now: list[float]
):
    settings = whole(tmp_path, web)
    assert automation_of(product(settings, "shop.orders")).upstream
    assert not wakes(settings)  # there is no file
    now[0] += 301
    web.files["/a.csv"] = CSV
    assert wakes(settings)
    assert not fetched(settings)
    assert run(settings).published
    now[0] += 301
    assert not wakes(settings)
    now[0] += 301
    web.files["/a.csv"] = b"id\n1\n2\n"
    assert wakes(settings)
    assert web.bodies() == 1
    assert run(settings).published
    now[0] += 301
    assert not wakes(settings)


def test_a_source_is_asked_no_more_often_than_it_says(tmp_path: Path, web: Web, now: list[float]):
    web.files["/a.csv"] = CSV
    settings = whole(tmp_path, web, ", every: 1h")
    place, found = environment(settings), product(settings, "shop.orders")
    for _ in range(5):
        look_at_sources(found, place)
        now[0] += 60
    assert len(web.asked) == 1
    assert not is_look_due(found, place)
    now[0] += 3600
    assert is_look_due(found, place)


@pytest.mark.parametrize("fault", [500, "reset"])
def test_a_source_that_is_away_is_told_and_nothing_is_forgotten(
    tmp_path: Path, web: Web, now: list[float], fault: int | str
):
    web.files["/a.csv"] = CSV
    settings = whole(tmp_path, web)
    assert run(settings).published
    place, found = environment(settings), product(settings, "shop.orders")
    now[0] += 301
    web.faults = [fault] * 10
    (told,) = look_at_sources(found, place)
    assert "orders_raw" in told
    assert not unseen([found], place)
    assert look_at_sources(found, place) == (told,)  # remembered, and not asked again
    web.faults = []
    now[0] += 301
    assert look_at_sources(found, place) == ()


def test_what_could_not_be_fetched_is_asked_for_again_once_the_source_is_back(
    tmp_path: Path, web: Web, now: list[float]
):
    web.files["/a.csv"] = CSV
    settings = whole(tmp_path, web)
    place, found = environment(settings), product(settings, "shop.orders")
    look_at_sources(found, place)
    first = unseen([found], place)
    web.faults = [500] * 10
    with pytest.raises(SourceError):
        run(settings)
    assert unseen([found], place) == first  # automation asks once for the same
    web.faults = []
    now[0] += 301
    look_at_sources(found, place)
    assert unseen([found], place).keys() == first.keys()
    assert unseen([found], place) != first
    assert run(settings).published
    assert not unseen([found], place)


@pytest.mark.parametrize("more", ["", ", every: 10m"])
def test_a_server_that_says_no_version_wakes_only_as_often_as_somebody_said(
    tmp_path: Path, web: Web, now: list[float], more: str
):
    web.files["/a.csv"], web.validators = CSV, ""
    settings = whole(tmp_path, web, more)
    assert run(settings).published
    now[0] += 3601
    assert wakes(settings) is bool(more)


def test_declarations_plans_and_what_is_due_ask_nobody(tmp_path: Path, web: Web):
    web.files["/a.csv"] = CSV
    settings = whole(tmp_path, web)
    place, found = environment(settings), product(settings, "shop.orders")
    assert mesh(settings).products
    unseen([found], place)
    due_partitions(found, place)
    read_now(found, place, latest(place.store))
    Question(tmp_path, tmp_path / "domains" / "shop", (found,), "", deliveries=True).answer()
    assert not web.asked


def test_partitions_are_built_as_their_files_come(tmp_path: Path, web: Web, now: list[float]):
    settings = shop(
        tmp_path,
        f'url: "{web.url("/{partition}.csv")}", connection: web',
        sql="select id, day from orders_raw",
        contract=DAYS,
        settings='now = "2020-01-03T12:00:00+00:00"\n',
    )
    place, found = environment(settings), product(settings, "shop.orders")
    assert due_partitions(found, place) == ()
    web.files["/2020-01-01.csv"] = b"id,day\n1,2020-01-01\n"
    look_at_sources(found, place)
    assert due_partitions(found, place) == ("2020-01-01",)
    assert run(settings, partition="2020-01-01").published
    assert due_partitions(found, place) == ()
    assert woken_partitions(found, place) == {}
    web.files["/2020-01-03.csv"] = b"id,day\n3,2020-01-03\n"
    now[0] += 301
    web.asked.clear()
    look_at_sources(found, place)
    assert [path for _, path, _ in web.asked] == ["/2020-01-02.csv", "/2020-01-03.csv"]
    assert list(woken_partitions(found, place)) == ["2020-01-03"]
    assert run(settings, partition="2020-01-03").published
    assert woken_partitions(found, place) == {}
    web.files["/2020-01-03.csv"] = b"id,day\n3,2020-01-03\n4,2020-01-03\n"
    now[0] += 301
    look_at_sources(found, place)
    assert list(woken_partitions(found, place)) == ["2020-01-03"]
