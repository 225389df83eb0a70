"""Formats, multiples, arrays and nested types are judged value by value, as a person would."""

from __future__ import annotations

import duckdb
import pytest
from quality_cases import parquet, run

from dataops_mesh.quality.redact import shown
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.spec.checks.measures import (
    ColumnShape,
    Length,
    NotMultiple,
    RepeatedItems,
    TableSchema,
    TooFine,
    Unformatted,
)
from dataops_mesh.spec.types.formats import TEXT
from dataops_mesh.spec.types.shape import read_shape

# Of each format: values that have it, and values that nearly have it.
VALUES = {
    "byte": (["", "YQ==", "YWI=", "YWJj"], ["YQ=", "Y", "YW I=", "é==="]),
    "date": (["2024-02-29", "0001-12-31"], ["2023-02-29", "2024-2-9", "2024-13-01", "20240101", ""]),
    "date-time": (
        ["2024-02-29T23:59:59Z", "2024-01-01T00:00:00.123456+02:00"],
        ["2023-02-29T00:00:00Z", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T24:00:00Z"],
    ),
    "email": (["a@b.test", "a.b+c@x-y.z.test"], ["a@b", "a b@c.test", "@b.test", "a@b.test ", "a@-b.test"]),
    "hostname": (["localhost", "a-b.c1.test"], ["-a.test", "a..b", "a_b.test", "", "x" * 64]),
    "ipv4": (["0.0.0.1", "255.255.255.255"], ["256.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4.5"]),
    "ipv6": (["::", "::1", "2001:db8::8a2e:370:7334", "1:2:3:4:5:6:7:8"], ["1:2:3", "::1::2", ":::", "g::1", "1:2:3:4:5:6:7:8:9"]),
    "time": (["00:00:00", "23:59:59.5Z", "10:00:00+02:00"], ["24:00:00", "1:00:00", "10:60:00", "10:00"]),
    "uri": (["https://a.test/b?c=d#e", "mailto:a@b.test", "urn:x:y"], ["a.test", "//a", "http://a b", ":x"]),
    "uuid": (["123e4567-e89b-12d3-a456-426614174000", "A" * 8 + "-AAAA-AAAA-AAAA-" + "A" * 12], ["123e4567e89b12d3a456426614174000", "{123e4567-e89b-12d3-a456-426614174000}", "g" * 36]),
}  # fmt: skip


def literals(values):
    return ", ".join("('" + value.replace("'", "''") + "')" for value in values)


@pytest.fixture(scope="module")
def connection():
    found = duckdb.connect()
    found.execute("CREATE SCHEMA weather")
    return found


def show(connection, select):
    connection.execute(f"CREATE OR REPLACE VIEW weather.hourly AS {select}")


def test_every_format_has_values():
    assert VALUES.keys() == TEXT.keys()


@pytest.mark.parametrize("name", VALUES)
def test_a_text_has_its_format_or_has_not(connection, name):
    good, bad = VALUES[name]
    form = TEXT[name]
    show(connection, f"FROM (VALUES {literals([*good, *bad])}, (NULL)) AS t (c)")
    (result,) = run(connection, Unformatted("c", name, form.pattern, form.type), safe=("c",))
    assert result.observed == len(bad), result
    assert {dict(row)["c"] for row in result.sample} <= {shown(one, 80) for one in bad}
    assert name in result.reason


MULTIPLES = {
    "INTEGER": (5, ["0", "5", "-10"], ["1", "-4"]),
    "DECIMAL(9,2)": (0.05, ["0.05", "10.00", "-0.15"], ["0.01", "0.99"]),
    "DOUBLE": (0.1, ["0.3", "1e6", "-0.7"], ["0.35", "'nan'", "'inf'"]),
    "BIGINT": (2.5, ["0", "5", "10"], ["2", "7"]),
}


@pytest.mark.parametrize("kind", MULTIPLES)
def test_a_number_is_a_multiple_or_is_not(connection, kind):
    of, good, bad = MULTIPLES[kind]
    rows = ", ".join(f"({value}::{kind})" for value in [*good, *bad, "NULL"])
    show(connection, f"FROM (VALUES {rows}) AS t (c)")
    (result,) = run(connection, NotMultiple("c", of))
    assert result.observed == len(bad), result.reason


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS"])
@pytest.mark.parametrize(
    ("step", "finer"), [(1000, 1), (10**6, 2), (6 * 10**7, 3), (864 * 10**8, 4)]
)
def test_a_time_has_no_more_than_its_format_shows(connection, kind, step, finer):
    times = ["2024-01-01", "2024-01-01 10:01", "2024-01-01 10:01:02", "2024-01-01 10:01:02.003",
             "2024-01-01 10:01:02.003004"]  # fmt: skip
    rows = ", ".join(f"('{time}'::TIMESTAMP::{kind})" for time in times)
    connection.execute("SET TimeZone = 'UTC'")
    show(connection, f"FROM (VALUES {rows}, (NULL)) AS t (c)")
    (result,) = run(connection, TooFine("c", "yyyy", step))
    assert result.observed == finer, result.reason


def test_a_time_of_day_has_no_more_than_its_format_shows(connection):
    show(connection, "FROM (VALUES (TIME '10:00'), (TIME '10:00:01'), (NULL)) AS t (c)")
    assert run(connection, TooFine("c", "HH:mm", 60_000_000))[0].observed == 1


def test_arrays_are_counted_and_repeat_nothing(tmp_path):
    connection = parquet(
        tmp_path,
        "SELECT * FROM (VALUES (1, [1, 2]), (2, []), (3, [1, 1]), (4, [NULL, NULL, 1]), "
        "(5, [NULL, 1]), (6, NULL)) AS t (id, c)",
    )
    repeated, count = run(connection, RepeatedItems("c"), Length("c", 1, 2), safe=("id",))
    assert repeated.observed == 2
    assert {dict(row)["id"] for row in repeated.sample} == {"3", "4"}
    assert count.observed == 2


SHAPES = [
    ("STRUCT(a INTEGER, b VARCHAR)", "STRUCT(b VARCHAR, a INTEGER)", 0),
    ("STRUCT(a INTEGER, b VARCHAR)", "STRUCT(a INTEGER)", 1),
    ("STRUCT(a INTEGER)", "STRUCT(a BIGINT)", 1),
    ("MAP(VARCHAR, DECIMAL(9,2))", "MAP(VARCHAR, DECIMAL)", 0),
    ("MAP(VARCHAR, INTEGER)", "MAP(INTEGER, INTEGER)", 1),
    ("INTEGER[]", "INTEGER[]", 0),
    ("INTEGER[3]", "INTEGER[]", 0),
    ("INTEGER", "INTEGER[]", 1),
    ("INTEGER[][]", "INTEGER[]", 1),
    ('STRUCT("a b" INTEGER, "c""d" STRUCT(e DATE[]))', 'STRUCT("a b" INTEGER, "c""d" STRUCT(e DATE[]))', 0),
    ("STRUCT(e ENUM('a, (b', 'it''s'))", "STRUCT(e ENUM)", 0),
    ("STRUCT(t TIMESTAMP WITH TIME ZONE)", "STRUCT(t timestamptz)", 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "wanted", "differs"), SHAPES)
def test_a_nested_type_is_compared_all_the_way_down(connection, kind, wanted, differs):
    show(connection, f"SELECT NULL::{kind} AS c")
    shape = read_shape(wanted)
    assert shape is not None
    (result,) = run(connection, TableSchema((ColumnShape("c", shape),)))
    assert (result.observed, result.outcome is Outcome.PASSED) == (differs, not differs)
    assert (f"(c is {kind}, not {shape}:" in result.reason) == bool(differs)


@pytest.mark.parametrize(
    "measure", [NotMultiple("c", 2), TooFine("c", "HH", 10), RepeatedItems("c")]
)
def test_a_measure_of_another_type_is_errored(connection, measure):
    show(connection, "SELECT 'secret' AS c")
    (result,) = run(connection, measure)
    assert result.outcome is Outcome.ERRORED
    assert "c is VARCHAR" in result.reason
    assert "secret" not in result.reason
