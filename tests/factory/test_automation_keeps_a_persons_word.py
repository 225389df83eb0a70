"""Nothing that was held, rolled back or withdrawn is launched by a schedule or a sensor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from desk import DAILY, TOTALS, Desk
from helpers import a_setting, an_input, environment, lift, product, roll_back
from locations import GOOD, MORE, a_contract, a_product, execute, orders

from dataops_mesh.run.word.hold import hold_product
from dataops_mesh.run.word.withdraw import taking, withdraw_product

START = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


@pytest.fixture
def daily(tmp_path, instance):
    """The consumer is run by its cron, and its input is published."""
    made = a_product(
        ports={"totals": a_contract("totals", ["{name: n, logicalType: integer}"], extra=DAILY)},
        inputs=[an_input("shop.orders")],
        files={"totals.sql": "select count(*) as n from shop.orders"},
        settings=a_setting("automation", "onSchedule"),
    )
    desk = Desk(tmp_path, instance, {"shop": {"orders": orders(GOOD)}, "desk": {"totals": made}})
    desk.deliver(GOOD)
    desk.tick(at=START)
    return desk


def test_a_rolled_back_input_wakes_once_and_a_rolled_back_consumer_stays(desk):
    desk.deliver(GOOD)
    desk.build()
    desk.deliver(MORE)
    desk.build()
    roll_back(desk.settings, "desk.totals", reason="wrong")
    assert desk.tick() == set()
    roll_back(desk.settings, "shop.orders", reason="wrong")
    assert desk.tick() == set(), "it is held"
    assert not execute(desk.settings, "desk", desk.instance).success
    assert desk.tick() == set()
    lift(desk.settings, "desk.totals")
    assert desk.tick() == {TOTALS}, "it has not seen the rollback of its input"
    desk.build()
    assert desk.tick() == set()


def test_nothing_is_launched_that_reads_what_was_withdrawn(daily):
    daily.build()
    place = environment(daily.settings)
    withdraw_product(taking("shop.orders", place, ()), place, "gone")
    for hours in (2, 26, 50):
        assert daily.tick(at=START + timedelta(hours=hours)) == set()
    lift(daily.settings, "shop.orders")
    daily.deliver(MORE)
    assert daily.tick(at=START + timedelta(hours=51)) == {TOTALS}


def test_the_cron_of_something_held_waits_until_it_is_lifted(daily):
    hold_product(product(daily.settings, "desk.totals"), environment(daily.settings), "look first")
    for hours in (2, 26, 50):
        assert daily.tick(at=START + timedelta(hours=hours)) == set()
    lift(daily.settings, "desk.totals")
    assert daily.tick(at=START + timedelta(hours=51)) == {TOTALS}
    daily.build()
    assert daily.tick(at=START + timedelta(hours=52)) == set()
