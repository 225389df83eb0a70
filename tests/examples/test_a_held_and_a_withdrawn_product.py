"""The example with a product that is held and one that was withdrawn: consumers read on."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.timeout(1500)
COUNT = "select count(*) as n from"


def test_consumers_go_on_beside_a_hold_and_keep_what_they_have_after_a_withdrawal(own):
    assert (
        own.mesh("hold", "add", "fleet.aircraft", "--reason", "the registry is audited").code == 0
    )
    gone = own.mesh(
        "withdraw", "weather.observations", "--reason", "the station was moved", "--yes"
    )
    assert gone.code == 0
    assert "punctuality.punctuality reads it; it keeps its last publication" in gone.err

    said = own.mesh("run", "fleet", "network", "punctuality", "--format", "json")
    assert said.code == 1
    ended = {row["product"]: row["ended"] for row in json.loads(said.out)}
    assert ended["fleet.aircraft"] == "refused"
    assert ended["network.airlines"] == "published"
    assert ended["punctuality.punctuality"] != "published"

    for port, rows in (("fleet.aircraft", 3322), ("punctuality.by_route", 439)):
        read = own.mesh("query", f"{COUNT} {port}", "--format", "json")
        assert json.loads(read.out) == [{"n": rows}]
    lost = own.mesh("query", f"{COUNT} weather.observations")
    assert lost.code == 2
    assert "the station was moved" in lost.err
    wrong = own.mesh("status", "--wrong")
    assert wrong.code == 1
    assert "punctuality.punctuality" in wrong.out

    for product in ("fleet.aircraft", "weather.observations"):
        assert own.mesh("hold", "lift", product, "--reason", "it is over").code == 0
    again = own.mesh("run", "fleet", "weather.observations", "punctuality", "--format", "json")
    assert again.code == 0, again.err
    wrong = own.mesh("status", "--wrong")
    assert wrong.code == 0, wrong.out
