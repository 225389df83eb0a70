"""Keys that refer to nothing are counted exactly, in bounded work, and shown as rows may be."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from quality_cases import check, parquet, run

from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.spec.checks.measures import Unreferenced
from dataops_mesh.spec.model import Address, Operator, Threshold, Unit

AIRPORTS = Address("network", "airports")
DATA = """
    SELECT * FROM (VALUES
        (1, 'JFK', 10), (2, 'JFK', 20), (3, 'BQN', 10), (4, 'BQN', 30), (5, NULL, 10), (6, 'LGA', NULL)
    ) AS t (id, dest, gate)
"""


@pytest.fixture
def connection(tmp_path):
    found = parquet(tmp_path, DATA)
    found.execute("CREATE SCHEMA network")
    found.execute(
        "CREATE VIEW network.airports AS FROM (VALUES "
        "('JFK', 10), ('JFK', 10), ('LGA', 5), (NULL, 10), ('XXX', NULL)) AS t (code, gate)"
    )
    return found


def test_only_keys_without_a_null_can_be_lost(connection):
    one = Unreferenced(("dest",), AIRPORTS, ("code",))
    two = Unreferenced(("dest", "gate"), AIRPORTS, ("code", "gate"))
    first, second = run(connection, one, two, safe=("id",))
    assert (first.observed, first.rows, first.outcome) == (2, 6, Outcome.FAILED)
    assert (
        first.reason == "2 rows of dest are no code of network.airports; the contract says mustBe 0"
    )
    assert {dict(row)["id"] for row in first.sample} == {"3", "4"}
    assert second.observed == 3
    assert {dict(row)["id"] for row in second.sample} == {"2", "3", "4"}


def test_a_tolerance_in_percent_is_of_all_rows(connection):
    measure = Unreferenced(("dest",), AIRPORTS, ("code",))
    (result,) = run(connection, check(measure, Threshold(Operator.LESS, 34, Unit.PERCENT)))
    assert result.outcome is Outcome.PASSED
    assert result.observed == pytest.approx(100 * 2 / 6)


def test_a_relation_may_refer_to_itself(connection):
    measure = Unreferenced(("gate",), Address("weather", "hourly"), ("id",))
    (result,) = run(connection, measure)
    assert result.observed == 5


@pytest.mark.parametrize(
    "measure",
    [
        Unreferenced(("dest",), Address("network", "runways"), ("code",)),
        Unreferenced(("dest",), AIRPORTS, ("cod",)),
        Unreferenced(("dset",), AIRPORTS, ("code",)),
        Unreferenced(("id",), AIRPORTS, ("code",)),
    ],
    ids=["no relation", "no column there", "no column here", "another type"],
)
def test_what_cannot_be_compared_is_errored(connection, measure):
    (result,) = run(connection, measure)
    assert result.outcome is Outcome.ERRORED
    assert "JFK" not in result.reason


def test_an_empty_referenced_relation_loses_every_key(connection: duckdb.DuckDBPyConnection):
    connection.execute("CREATE OR REPLACE VIEW network.airports AS SELECT '' AS code WHERE false")
    (result,) = run(connection, Unreferenced(("dest",), AIRPORTS, ("code",)))
    assert result.observed == 5


NUMBERS = ("9007199254740993::bigint", "9007199254740992::hugeint", "16777217::integer", "5::utinyint",
           "90071992547409.93::decimal(20, 2)", "90071992547409.92::decimal(20, 2)", "0.1::decimal(9, 3)",
           "9007199254740992::double", "16777216::float", "0.5::double", "0.1::double", "5::double",
           "'NaN'::double", "'inf'::double", "1e300::double")  # fmt: skip


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("known", NUMBERS)
def test_a_number_refers_to_itself_and_to_none_beside_it(tmp_path, key: str, known: str):
    found = parquet(tmp_path, f"SELECT 1 AS id, {key} AS n")
    found.execute("CREATE SCHEMA network")
    found.execute(f"CREATE VIEW network.airports AS SELECT {known} AS n")
    (result,) = run(found, Unreferenced(("n",), AIRPORTS, ("n",)))
    [texts] = duckdb.sql(f"SELECT ({key})::VARCHAR, ({known})::VARCHAR").fetchall()
    mine, theirs = map(Decimal, texts)
    same = mine == theirs or (mine.is_nan() and theirs.is_nan())
    assert result.observed == (not same)
