"""A query whose answer is shown never answers with a classified value, on data of our making."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataops_mesh.spec.checks.withheld import may_tell_a_value

O = "mesh_object__"  # noqa: E741 - short, in texts of SQL
MARK = 7310
ROWS = f"create table {O} as select * from (values (1, {MARK}, [7]), (2, {MARK}, [7]), (3, {MARK}, [7])) t(id, digits, l)"
VALUES = ["digits", "t.digits", "id", "t.id", "m", "t.m", "t", "#2", "columns('dig.*')", "u.digits",
          "digits - id", "len(range(digits))", "hash(t)", "(select max(digits) from O)"]  # fmt: skip
ANSWERS = ["max(V)", "min(V)", "sum(V)", "any_value(V)", "count(V)", "count(distinct V)", "count(*)",
           "count(*) + max(V)", "max(V) over ()", "count_if(V > 5)", "count(*) filter (V > 5)",
           "100 * count(V) / count(*)", "len(list(V))", "list_max(list(V))", "round(max(V), -1)",
           "sum(case when V > 1 then 1 else V end)", "V", "V.max()", "(V).abs().max()",
           "count(*) + V.max()", "[V].list_max()", "V.max() filter (where true)", "main.max(V)"]  # fmt: skip
SOURCES = ["O", "O t", "O t(digits, id, l)", "(select id, digits as m from O) t", "(select digits as id from O) t",
           "(select *, max(digits) over () m from O) t", "O t, range(digits) u(m)", "O natural join O u",
           "(select unnest(range(digits)) id from O) t", "(select max(digits) as id from O) t",
           "(select t as t from O t) t", "(select id, count(*) m from O group by all) t",
           "O t join (select 1 as digits) u on true", "(from O) t", "(select distinct digits id from O) t",
           "(select id from O union all select digits from O) t", "(select generate_subscripts(range(digits), 1) id from O) t",
           "(summarize O) t", "(select id from O limit 2) t", "(values (1)) t(id), O"]  # fmt: skip
ENDS = ["", "where id < 3", "where digits > 5", "where id <= (select max(digits) from O)", "limit 1",
        "group by digits", "qualify row_number() over () = 1", "where (select count(id) as digits from O) > 0",
        "having count(*) > 0"]  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    connection = duckdb.connect()
    connection.execute(ROWS)
    yield connection
    connection.close()


@example("max(V)", "digits", "O", "where (select count(id) as digits from O) > 0")
@example("max(V)", "id", "(select digits as id from O) t", "")
@example("count(*)", "id", "O t, range(digits) u(m)", "")
@given(*map(st.sampled_from, (ANSWERS, VALUES, SOURCES, ENDS)))
def test_what_is_shown_counts_rows_or_is_made_of_harmless_columns(
    tables, answer, value, source, end
):
    text = f"select {answer.replace('V', value)} from {source} {end}".replace("O", O)
    if may_tell_a_value(text, ("id",)):
        return
    try:
        rows = tables.execute(text).fetchmany(2)
    except duckdb.Error:
        return
    for row in rows:
        for number in row:
            beyond = isinstance(number, int | float) and abs(number) > 300  # a NaN is no value
            assert not beyond, text


@pytest.mark.parametrize(
    "text",
    ["select count(*) from O", "select count(digits) from O where digits > 5 and id <> 2",
     "select 100.0 * count(*) filter (digits is null) / nullif(count(*), 0) from O",
     "select count(*) from (select id from O group by id having count(*) > 1)",
     "with a as (select * from O where digits < 2) select count(*) from a",
     "select max(id) from O", "select max(m) from (select id + 1 as m from O)",
     "select count(distinct digits) from O"],
)  # fmt: skip
def test_rows_that_are_counted_are_told(text):
    assert not may_tell_a_value(text.replace("O", O), ("id",))


def test_what_cannot_be_read_is_not_told():
    assert may_tell_a_value("selec t max", ("id",))
    assert may_tell_a_value("select " + "(" * 5000 + "1", ("id",))
