"""Which relations a query reads decides lineage and access, so nothing may hide from it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import DeclarationError, Location
from dataops_mesh.spec.sql import parse_select, rule_query, tables_read

HERE = Location("x.sql", 10)

READS = {
    "select * from o": "o",
    "from Fleet.Aircraft": "fleet.aircraft",
    'select * from "Fleet"."AIRCRAFT"': "fleet.aircraft",
    "select * from 'x.csv'": '"x.csv"',
    'select * from "x.csv"': '"x.csv"',
    "select * from read_csv('x')": "read_csv()",
    "select * from query('from x')": "query()",
    "select * from glob('*')": "glob()",
    "select * from a.b.c": "a.b.c",
    "(select 1)": "",
    "select 1 union all select 2 from b": "b",
    "with t as (select 1 as x) select * from t": "",
    "with recursive t as (select 1 union all select * from t) from t": "",
    "with flights as (select * from flights) select * from flights": "flights",
    "with a as (select * from b), b as (select 1) select * from a, b": "b",
    "with a as (select 1), b as (select * from a) from b union all from a": "",
    "select * from (with s as (select 1 as x) select * from s) join s using (x)": "s",
    "with a as (select 1 as x) select (select max(x) from a)": "",
    "select a from o where exists (from p)": "o p",
    "select (from p limit 1)": "p",
    "select * from o, unnest(o.l)": "o",
    "select * from range(3), generate_series(1, 2)": "",
    "select * from o asof join p using (t)": "o p",
    "select * from (pivot p on x using sum(y))": "p",
    "select * from o join lateral (select * from p) on true": "o p",
    "select 1 from o; -- done": "o",
    "/* why */ select 1 from o": "o",
    "select mesh_now(), {'a': 1}, list_transform([1], x -> x + 1) from o": "o",
}


@pytest.mark.parametrize("sql", READS)
def test_every_relation_is_found_and_no_other(sql: str):
    assert tables_read(parse_select(sql, HERE)) == frozenset(READS[sql].split())


REFUSED = {
    "": "is empty",
    "-- nothing": "is empty",
    "select 1; select 2": "must be one statement, not 2",
    "delete from o": "is not a SELECT statement",
    "insert into o values (1)": "is not a SELECT statement",
    "copy o to 'x.csv'": "is not a SELECT statement",
    "attach 'x.duckdb'": "is not a SELECT statement",
    "pragma version": "is not a SELECT statement",
    "explain select 1": "is not a SELECT statement",
    "select 1; drop table o": "must be one statement",
    "select * into x from o": "contains INTO",
    "with t as (insert into o values (1) returning *) select * from t": "contains INSERT",
    "with t as (delete from o returning *) select * from t": "contains DELETE",
    "select * from (describe o)": "contains DESCRIBE",
    "select * from o where a = $1": "has a parameter",
    "select * from o where a = ?": "has a parameter",
    "select * from": "is not valid SQL",
    "select 'abc": "is not valid SQL: a quote",
    "select " + "(" * 5000 + "1" + ")" * 5000: "nested too deeply",
    "select 1 -- " + "x" * 200_000: "is longer than",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_is_not_one_query_is_refused(sql: str):
    with pytest.raises(DeclarationError) as caught:
        parse_select(sql, HERE)
    (problem,) = caught.value.problems
    assert REFUSED[sql] in problem.what
    assert problem.where is not None
    assert problem.where.line >= 10


def test_a_syntax_error_has_the_line_of_the_file():
    with pytest.raises(DeclarationError, match=r"x\.sql:12: is not valid SQL"):
        parse_select("select 1\nfrom o\nwhere > > 3", HERE)


@pytest.mark.parametrize("name", ["{object}", "${object}", "{table}", "${ table }"])
def test_every_spelling_of_the_relation_becomes_one(name: str):
    assert rule_query(f"select count(*) from {name}", HERE, has_column=False).endswith("{object}")


WORDS = """
select from where ( ) , * o a.b 'x.csv' with as t union {object} 1 = join on ; -- " ' case when end
[ ] { } : $ ? insert values lateral pivot :: . order by
""".split()  # noqa: SIM905 # the pieces read better as they are


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(WORDS),
        max_size=14,
    )
)
def test_no_text_breaks_the_parser(words: list[str]):
    text = "select " + " ".join(words)
    for read in (
        lambda: tables_read(parse_select(text, HERE)),
        lambda: rule_query(text, HERE, has_column=True),
    ):
        problems = ()
        try:
            read()
        except DeclarationError as error:
            problems = error.problems
        assert all(problem.where for problem in problems)
