"""DuckDB reads `x.f(y)` as `f(x, y)`: so does whoever asks for columns and functions."""

from __future__ import annotations

import duckdb
import pytest

from dataops_mesh.errors import Location
from dataops_mesh.spec.sql import parse_select

TABLE = (
    "create table t as select 7 as id, ' Mark ' as ssn, date '2026-03-04' as born, "
    "{'a': ' q '} as s, ' odd' as pg_catalog"
)
CALLS = {
    "ssn.trim()": "trim(ssn)",
    "c.ssn.trim()": "trim(c.ssn)",
    '"ssn"."trim"()': 'trim("ssn")',
    "(ssn).trim()": "trim((ssn))",
    "(s.a).trim()": "trim((s.a))",
    "lower(ssn).upper()": "upper(lower(ssn))",
    "ssn.lower().upper().length()": "length(upper(lower(ssn)))",
    "[ssn].list_first()": "list_first([ssn])",
    "[ssn].list_transform(lambda x: x.trim() || c.id)": "list_transform([ssn], lambda x: trim(x) || c.id)",
    "{'a': ssn}.struct_extract('a')": "struct_extract({'a': ssn}, 'a')",
    "('x' || ssn).trim()": "trim(('x' || ssn))",
    "(case when id = 7 then ssn end).trim()": "trim((case when id = 7 then ssn end))",
    "ssn.substring(1, 2)": "substring(ssn, 1, 2)",
    "ssn.regexp_replace('M', born::varchar)": "regexp_replace(ssn, 'M', born::varchar)",
    "born.year()": "year(born)",
    "born.date_trunc('month')": "date_trunc(born, 'month')",
    "ssn.nullif('x')": "nullif(ssn, 'x')",
    "id.max()": "max(id)",
    "c.ssn.string_agg(',')": "string_agg(c.ssn, ',')",
    "ssn.max() filter (where id > 0)": "max(ssn) filter (where id > 0)",
    "count(*) + id.max()": "count(*) + max(id)",
    "pg_catalog.trim()": "trim(pg_catalog)",
    "main.lower(ssn)": "lower(ssn)",
    "system.main.lower(ssn)": "lower(ssn)",
}


def parsed(expression: str):
    return parse_select(f"select {expression} as found from t c", Location("x.sql", 1))


@pytest.fixture(scope="module")
def answer():
    with duckdb.connect() as connection:
        connection.execute(TABLE)
        yield lambda text: connection.execute(f"select {text} from t c").fetchall()


@pytest.mark.parametrize(("behind", "before"), CALLS.items())
def test_it_is_read_as_it_is_written_in_front(answer, behind, before):
    assert parsed(behind) == parsed(before)
    if not before.startswith("date_trunc"):  # its arguments stand the other way round
        assert answer(behind) == answer(before)


def test_a_function_that_nobody_knows_has_the_column_too():
    from sqlglot import exp

    (column,) = parsed("ssn.of_my_own('x')").find_all(exp.Column)
    assert column.name == "ssn"


@pytest.mark.parametrize("text", ["c.ssn", "s.a", "(s).a", "c.s.a", "[id][1]", "c.*", "ssn[1:2]",
                                  "list_filter([s], lambda x: x.a is null)", "main.t.id"])  # fmt: skip
def test_other_dots_are_left_as_they_are(text):
    from sqlglot import parse_one

    query = f"select {text} from t c"
    assert parse_select(query, Location("x.sql", 1)) == parse_one(query, dialect="duckdb")
