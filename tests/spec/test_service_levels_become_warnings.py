"""A service level that says something of the data is a warning, once; the others are recorded."""

from __future__ import annotations

import duckdb
import pytest
from declared import Workspace, checks, with_column, with_contract

from dataops_mesh.spec.checks.measures import Query
from dataops_mesh.spec.model import Operator, Severity, Threshold


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ", "DATE"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_freshness_counts_hours_in_any_time_zone(workspace: Workspace, kind: str, zone: str):
    text = with_contract(
        "slaProperties: [{property: freshness, value: 2, unit: d, element: aircraft.seen_at}]\n"
    )
    check = checks(workspace, contract=text)["freshness"]
    assert check.threshold == Threshold(Operator.LESS_OR_EQUAL, 48)
    assert check.severity is Severity.WARNING
    assert isinstance(check.measure, Query)
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{zone}'")
        connection.execute("CREATE MACRO mesh_now() AS '2026-01-03 00:00:00+00'::TIMESTAMPTZ")
        instant = "2026-01-01 00:00:00+00" if kind == "TIMESTAMPTZ" else "2026-01-01"
        connection.execute(f"CREATE TABLE t AS SELECT '{instant}'::{kind} AS seen_at")
        sql = check.measure.sql.replace("{object}", "t")
        assert connection.execute(sql).fetchone() == (48.0,)
        connection.execute("DELETE FROM t")
        assert connection.execute(sql).fetchone()[0] > 400_000  # stale, not an error


LEVELS = {
    "latency, value: 1, unit: h, element: aircraft.seen_at": ("latency", 1, 24.0, 400_000),
    "latency, value: 1, unit: h, element: 'aircraft.seen_at, aircraft.known_at'": (
        "latency",
        1,
        36.0,
        0,
    ),
    "retention, value: 1, unit: d, element: seen_at": ("retention", 24, 48.0, 0),
}


@pytest.mark.parametrize("level", LEVELS)
def test_a_service_level_with_an_element_is_a_warning(workspace: Workspace, level: str):
    name, limit, measured, empty = LEVELS[level]
    text = with_column("logicalType: timestamp").replace("name: extra", "name: known_at")
    text += f"slaProperties: [{{property: {level}}}]\n"
    check = checks(workspace, contract=text)[name]
    assert check.threshold == Threshold(Operator.LESS_OR_EQUAL, limit)
    assert check.severity is Severity.WARNING
    assert isinstance(check.measure, Query)
    with duckdb.connect() as connection:
        connection.execute("CREATE MACRO mesh_now() AS '2026-01-03 00:00:00+00'::TIMESTAMPTZ")
        connection.execute(
            "CREATE TABLE t AS FROM (VALUES (TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02 12:00'), "
            "(TIMESTAMP '2026-01-02', NULL), (NULL, NULL)) AS t (seen_at, known_at)"
        )
        sql = check.measure.sql.replace("{object}", "t")
        assert connection.execute(sql).fetchone() == (measured,)
        connection.execute("DELETE FROM t")
        assert connection.execute(sql).fetchone()[0] >= empty


ENDS = {
    ("DATE '2026-01-01'", "DATE '2026-01-02'"): (48.0, 24.0),
    ("DATE '2026-01-01'", "TIMESTAMP '2026-01-01 05:00'"): (48.0, 5.0),
    ("TIMESTAMPTZ '2026-01-01 05:00:00+00'", "DATE '2026-01-02'"): (43.0, 19.0),
    ("NULL::DATE", "NULL::DATE"): (0.0, 0.0),
    ("'-infinity'::DATE", "DATE '2026-01-02'"): (float("inf"), float("inf")),
    ("DATE '2026-01-01'", "'infinity'::DATE"): (48.0, float("inf")),
}


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_date_is_its_midnight_in_utc_to_a_service_level(
    workspace: Workspace, ends: tuple[str, str], zone: str
):
    levels = (
        "{property: retention, value: 1, unit: d, element: seen_at}",
        "{property: latency, value: 1, unit: h, element: 'aircraft.seen_at, aircraft.known_at'}",
    )
    text = with_column("logicalType: timestamp").replace("name: extra", "name: known_at")
    found = checks(workspace, contract=f"{text}slaProperties: [{', '.join(levels)}]\n")
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{zone}'")
        connection.execute("CREATE MACRO mesh_now() AS '2026-01-03 00:00:00+00'::TIMESTAMPTZ")
        connection.execute(f"CREATE TABLE t AS SELECT {ends[0]} AS seen_at, {ends[1]} AS known_at")
        for name, hours in zip(("retention", "latency"), ENDS[ends], strict=True):
            measure = found[name].measure
            assert isinstance(measure, Query)
            sql = measure.sql.replace("{object}", "t")
            assert connection.execute(sql).fetchone() == (hours,)


@pytest.mark.parametrize(
    "level",
    [
        "latency, value: 1, unit: h",
        "retention, value: 1, unit: y",
        "frequency, value: 1, unit: d, element: aircraft.seen_at",
        "freshness, value: 1, unit: d",
    ],
)
def test_a_service_level_that_says_nothing_of_the_data_is_recorded(
    workspace: Workspace, level: str
):
    text = with_contract(f"slaProperties: [{{property: {level}}}]\n")
    found = checks(workspace, contract=text)
    assert not {"freshness", "latency", "retention", "frequency"} & found.keys()


@pytest.mark.parametrize("name", ["freshness", "latency", "retention"])
def test_a_service_level_is_checked_once_and_on_times(workspace: Workspace, name: str):
    level = f"{{property: {name}, value: 1, unit: h, element: "
    twice = f"slaProperties: [{level}seen_at}}, {level}aircraft.known_at}}]\n"
    text = with_column("logicalType: timestamp").replace("name: extra", "name: known_at") + twice
    (problem,) = workspace.problems(contract=text)
    assert f"only one {name} with an element" in str(problem)
    (problem,) = workspace.problems(contract=with_contract(f"slaProperties: [{level}seats}}]\n"))
    assert "type date or timestamp" in str(problem)
