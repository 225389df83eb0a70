"""A class follows what DuckDB reads in forms that sqlglot reads otherwise."""

from __future__ import annotations

import pytest
from lineage_cases import followed, must_run

from dataops_mesh.errors import DeclarationError, Location
from dataops_mesh.plan.lineage.breakers import clear_columns
from dataops_mesh.spec.sql import parse_select

ARROWS = [
    "select id, upper(pin -> '$') as x from (select id, pin::varchar as pin from STAFF)",
    "select id, concat(note -> '$') as x from STAFF",
    "select id, coalesce(pin -> '$', '') as x from STAFF",
    "select id, max(pin -> '$') as x from STAFF group by id",
    "select id, to_json(note -> '$') as x from STAFF",
    "select id, list_value(note -> '$') as x from STAFF",
]
LAMBDAS = [
    "select s.id, list_transform([1], s -> s.note)[1] as x from STAFF s",
    "select s.id, list_transform([1], S -> S.note)[1] as x from STAFF s",
    "select people.staff.id, list_transform([1], lambda people: people.staff.note)[1] as x from STAFF",
    "select staff.id, list_apply([1], staff -> staff.note)[1] as x from STAFF",
    "select s.id, list_transform([1], (s, i) -> s.note)[1] as x from STAFF s",
    "select s.id, list_transform([[1]], a -> list_transform(a, s -> s.note))[1][1] as x from STAFF s",
    "select s.id, list_reduce([1, 2], (s, b) -> s.pin) as x from STAFF s",
    "select s.id, list_filter(['a'], s -> s = s.note)[1] as x from STAFF s",
    "with c as (from STAFF) select id, list_transform([1], c -> c.note)[1] as x from c",
]  # fmt: skip
WORDS = [
    "select id, current_date as x from (select id, note as current_date from STAFF)",
    'select id, current_time as x from (select id, note as "CURRENT_TIME" from STAFF)',
    "select id, current_user as x from (select id, note from STAFF) q(id, current_user)",
    "select id, current_user.note as x from STAFF current_user",
    "with q(id, localtimestamp) as (select id, note from STAFF) select id, localtimestamp as x from q",
    "select id, session_user as x from (select id, unnest({'session_user': note}) from STAFF)",
]  # fmt: skip
STARS = [
    "select size as id, id as x from (select * replace (s.note as id) from ROOMS r join STAFF s using (id)) where size < 7",
    "select id, x from (select * from ROOMS a, STAFF b join ROOMS s using (id)) q(id, a1, a2, b0, b1, b2, b3, b4, x)",
    "select id, x from (select *, s.* from ROOMS a join ROOMS b using (id) join STAFF s on true) q(id, a, b, c, d, x)",
    "select id, x from (select id, 1 as a, 2 as b, null as c, city as d, city as x, null as e, city as f, 3 as g from ROOMS union all select * from STAFF join ROOMS using (id))",
    "with q(id, x) as (select * from ROOMS join STAFF using (id)) select id, x from q",
    "select id, note as x, city as x from STAFF",
    "select id, note as x, city as X from STAFF",
    "select id, city as y, note as y, id as x from STAFF union all select id, y, y, y from (select id, note as y from STAFF)",
]  # fmt: skip
STRUCTS = [
    "select s.id, person.a as x from (select id, {'a': note} as person from STAFF) s join csv person using (id)",
    "select s.id, person.a.b as x from (select id, {'a': {'b': note}} as person from STAFF) s join csv person using (id)",
    "select s.id, csv.a as x from (select id, {'a': note} as csv from STAFF) s join csv using (id)",
    "select s.id, p.a as x from (select id, {'a': note} from STAFF) s(id, p) join csv p using (id)",
]  # fmt: skip
ORDINARY = [
    "select id, tags -> '$.a' as x from STAFF",
    "select id, upper(city) as x from STAFF where city is not null",
    "select id, list_transform([city], v -> upper(v))[1] as x from STAFF",
    "select id, list_transform(tags, x -> upper(x)) as x from STAFF",
    "select id, tags.list_filter(v -> v <> '') as x from STAFF",
    "select id, list_reduce(tags, (a, b) -> a || b) as x from STAFF",
    "select id, current_date as x from STAFF",
    "select id, city as x from STAFF where born < current_date",
    "select id, size as x from (select * from ROOMS r join STAFF s using (id))",
    "select id, size as x from (select * exclude (city) from ROOMS r join STAFF s using (id))",
    "with j as (select * from STAFF join ROOMS using (id)) select id, size as x from j",
    "select id, size as x from (select * from STAFF join ROOMS a using (id) join ROOMS b using (id))",
    "select csv.id, csv.email as x from csv join STAFF s using (id)",
    "select csv.id, count(*) as csv, max(csv.email) as x from csv group by csv.id",
    "with csv as (select id, city from ROOMS) select csv.id, csv.city as x from csv",
    "select id, map {1: city} as x /* a {# b */ from STAFF -- {# c #}",
]  # fmt: skip


@pytest.mark.parametrize("query", [*ARROWS, *LAMBDAS, *WORDS, *STARS, *STRUCTS])
def test_what_is_read_otherwise_is_seen_or_nobody_can_tell(query):
    must_run(query)
    assert followed(query) != set()


def test_a_column_of_an_input_that_is_called_as_a_function_is_unknown():
    query = "select id, current_date as x from d.p"
    assert clear_columns(query, {"d.p": ["id", "current_date"]}) is None


@pytest.mark.parametrize("query", ORDINARY)
def test_what_people_write_is_followed_to_its_end(query):
    must_run(query)
    assert followed(query) == set()


@pytest.mark.parametrize(
    "text",
    [
        "select id, map {#1: 1} as m, note as x from t -- #} {1: 1} as m, city as x from t",
        "select a {# b #} from t",
        "select a from t {# b #}",
        "{# b #} select a from t",
        "select a /* {# */ {# b #} from t",
    ],
)
def test_a_comment_that_only_the_parser_knows_is_refused(text):
    with pytest.raises(DeclarationError, match="comment that DuckDB does not know"):
        parse_select(text, Location("x.sql", 1))


@pytest.mark.parametrize(
    "text",
    ["select a /* b /* c */ d */ from t", "-- a\r\nselect '{# #}' as a -- {# b #}\n;\n/* c */"],
)
def test_a_comment_that_duckdb_knows_is_one(text):
    parse_select(text, Location("x.sql", 1))
