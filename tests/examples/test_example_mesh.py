"""The example mesh end to end, as a person runs it: real data, real processes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import asset_graph
import dagster as dg
import pytest

from dataops_mesh import connect

# Whole runs of the example: seconds on a quiet machine, minutes on a busy one.
pytestmark = pytest.mark.timeout(1500)
REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text("utf-8")
DOMAINS = sorted(path.parent.name for path in REPOSITORY.glob("domains/*/definitions.py"))
PORTS = {
    "bookings.countries": 14,
    "bookings.dialling": 6,
    "bookings.first_seen": 5,
    "bookings.passengers": 240,
    "fleet.aircraft": 3322,
    "network.airlines": 16,
    "network.airports": 1458,
    "operations.flights": 336776,
    "punctuality.by_route": 439,
    "punctuality.delays_by_weather": 15,
    "weather.observations": 26115,
}
MONTHS = [f"2013-{month:02}-01" for month in range(1, 13)]
FEBRUARY = "2013-02-13T12:00:00-05:00"


def test_one_command_publishes_every_active_product(first_run):
    assert first_run.code == 0, first_run.err
    ended = {row["product"]: row["ended"] for row in first_run.json}
    assert set(ended.values()) == {"published"}
    assert [row["partition"] for row in first_run.json if row["partition"]] == MONTHS
    assert set(ended) == {
        "bookings.countries",
        "bookings.dialling",
        "bookings.first_seen",
        "bookings.passengers",
        "fleet.aircraft",
        "network.airlines",
        "network.airports",
        "operations.flights",
        "punctuality.punctuality",
        "weather.observations",
    }


def test_progress_is_one_calm_line_per_product(first_run):
    *lines, blank, copied = first_run.err.strip("\n").splitlines()
    assert blank == ""
    assert copied.startswith("punctuality.punctuality exported: folder exports (439 rows, ")
    assert [
        line
        for line in lines
        if not re.fullmatch(r"  \w+\.\w+( 2013-\d\d-01)? +published as \d+", line)
    ] == []
    assert len(lines) == len(first_run.json)


def test_every_flight_can_be_queried(example):
    said = example.mesh("query", "select count(*) as n from operations.flights", "--format", "json")
    assert (said.code, said.json, said.err) == (0, [{"n": 336776}], "")


def test_status_shows_every_port(example):
    said = example.mesh("status", "--format", "json")
    rows = {row["port"]: row["rows"] for row in said.json if row["publication"]}
    assert said.code == 0
    assert rows == PORTS
    (never,) = [row for row in said.json if row["publication"] is None]
    assert (never["port"], never["last_ended"]) == ("weather.as_delivered", "never")


def test_the_documentation_has_the_right_numbers(example):
    text = (REPOSITORY / "docs" / "example-mesh.md").read_text("utf-8")
    stated = {
        port: int(rows.replace(",", ""))
        for port, rows in re.findall(r"`(\w+\.\w+)`, ([\d,]+) rows", text)
    }
    assert stated == PORTS


def test_the_declarations_have_no_problem(example):
    said = example.mesh("check", "--format", "json")
    assert said.code == 0
    assert [row for row in said.json if row["level"] == "error"] == []


def test_the_known_flaws_are_flagged_and_counted(example):
    with connect(store=example.store) as mesh:
        counts = mesh.execute(
            "select count(*) filter (not known_aircraft), count(*) filter (not known_destination),"
            " count(*) filter (cancelled) from operations.flights"
        ).fetchall()
        wind = mesh.execute(
            "select count(*), max(wind_speed_mph) < 200 from weather.observations"
            " where wind_speed_was_impossible or wind_speed_mph is not null"
        ).fetchall()
    assert counts == [(50094, 7602, 8255)]
    assert wind[0][1] is True


def test_the_feed_as_delivered_is_refused_for_its_key_and_its_wind(own):
    said = own.mesh("run", "weather.as_delivered", "--format", "json")
    assert said.code == 1
    (row,) = said.json
    assert row["ended"] == "refused"
    assert len(row["reasons"]) == 2
    assert "3 keys of (origin, year, month, day, hour) repeat" in row["reasons"][0]
    assert "wind_speed is outside [0, 200]" in row["reasons"][1]
    block = README.partition("$ mesh run weather.as_delivered\n")[2].partition("```")[0]
    shown = [line for line in block.splitlines() if line]
    assert len(shown) == 4
    assert [line for line in shown if line not in said.err.splitlines()] == []
    with connect(store=own.store) as mesh:
        addresses = {str(address) for address in mesh.release.ports}
    assert addresses == set(PORTS)


def test_an_earlier_clock_publishes_what_there_was_by_then(own):
    store = own.root / "february"
    variables = {"DATAOPS_MESH_NOW": FEBRUARY, "DATAOPS_MESH_STORE": str(store)}
    said = own.mesh("run", "--format", "json", **variables)
    assert said.code == 0, said.err
    assert [row["partition"] for row in said.json if row["partition"]] == MONTHS[:2]
    with connect(store=store) as mesh:
        ((flights, last),) = mesh.execute(
            "select count(*), max(scheduled_departure)::varchar from operations.flights"
        ).fetchall()
        ((routes,),) = mesh.execute("select count(*) from punctuality.by_route").fetchall()
    assert 30_000 < flights < 60_000
    assert last < "2013-02-13 18:00"
    assert 0 < routes < PORTS["punctuality.by_route"]


def test_a_second_run_publishes_the_same_content_again(own, monkeypatch):
    said = own.mesh("run", "--format", "json")
    assert said.code == 0, said.err
    assert {row["ended"] for row in said.json} == {"published"}
    assert [row["partition"] for row in said.json if row["partition"]] == MONTHS[-1:]
    monkeypatch.setenv("DAGSTER_HOME", str(own.home))
    with dg.DagsterInstance.get() as instance:
        for port in PORTS:
            wanted = dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(port.split(".")),
                asset_partitions=MONTHS[-1:] if port == "operations.flights" else None,
            )
            found = instance.fetch_materializations(wanted, limit=5).records
            events = [record.asset_materialization for record in found]
            assert [event.metadata["mesh/changed"].value for event in events] == [False, True], port
            assert len({event.tags["dagster/data_version"] for event in events}) == 1


def test_a_rollback_is_a_publication_of_the_old_data(own):
    month = ("operations.flights", "--partition", "2013-02-01")
    said = own.mesh("run", *month, DATAOPS_MESH_NOW=FEBRUARY)
    assert said.code == 0, said.err
    count = "select count(*) as n from operations.flights"
    assert own.mesh("query", count, "--format", "json").json[0]["n"] < 336776
    said = own.mesh("rollback", *month, "--reason", "wrong clock", "--format", "json")
    assert said.code == 0, said.err
    assert own.mesh("query", count, "--format", "json").json == [{"n": 336776}]
    events = own.mesh("history", "operations.flights", "--format", "json").json
    assert [event["what"] for event in events[:3]] == ["rollback", "published", "published"]
    assert "wrong clock" in str(events[0]["why"])
    held = own.mesh("run", *month, DATAOPS_MESH_NOW=FEBRUARY)
    assert held.code == 1
    assert "partition 2013-02-01 of operations.flights is held by a rollback" in held.err
    assert own.mesh("query", count, "--format", "json").json == [{"n": 336776}]


def test_a_withdrawn_product_is_gone_for_its_readers_and_a_held_one_stays(own):
    said = own.mesh("withdraw", "network.airlines", "--reason", "not ours", "--yes")
    assert said.code == 0, said.err
    assert "operations." in said.err, "its readers are named"
    gone = own.mesh("query", "from network.airlines")
    assert gone.code == 2
    assert "network.airlines was withdrawn by" in gone.err
    assert own.mesh("check").code == 1
    assert own.mesh("hold", "add", "network.airports", "--reason", "audit").code == 0
    assert own.mesh("run", "network.airports").code == 1
    assert own.mesh("query", "from network.airports limit 1").code == 0
    held = {row["port"]: row["held"] for row in own.mesh("status", "--format", "json").json}
    assert held["network.airports"].startswith("held by ")
    assert any("reads withdrawn network.airlines" in text for text in held.values())


@pytest.mark.parametrize("command", ["validate"])
def test_dagster_finds_every_code_location_valid(example, command):
    said = example.python(
        *("-W", "error::DeprecationWarning:dataops_mesh"),
        *("-m", "dagster", "definitions", command, "-w", "workspace.yaml"),
        DAGSTER_HOME=str(example.home),
    )
    assert said.code == 0, said.err
    for domain in DOMAINS:
        assert f"Validation successful for code location {domain}" in said.out + said.err


def test_the_workspace_file_is_the_one_that_the_command_writes(own):
    written = own.root / "workspace.yaml"
    before = written.read_text("utf-8")
    written.unlink()
    assert own.mesh("workspace").code == 0
    assert (
        written.read_text("utf-8") == before == (REPOSITORY / "workspace.yaml").read_text("utf-8")
    )


def test_the_asset_graph_is_the_one_on_file(own, monkeypatch):
    """A change of the graph is a change that somebody looks at; `make snapshot` writes it."""
    for name in ("DATAOPS_MESH_STORE", "DATAOPS_MESH_DAGSTER_HOME", "DATAOPS_MESH_NOW"):
        monkeypatch.delenv(name, raising=False)
    assert json.loads(asset_graph.FILE.read_text("utf-8")) == asset_graph.graph_of(own.root)
