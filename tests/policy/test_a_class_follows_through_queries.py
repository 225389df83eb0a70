"""A class follows its values through whatever a query has inside: subqueries, names, windows."""

from __future__ import annotations

import re
from random import Random

import duckdb
import pytest
from lineage_cases import followed, must_run

from dataops_mesh.plan.lineage.breakers import clear_columns
from dataops_mesh.plan.lineage.sqllineage import query_lineage

BY_NAME = [
    "select id, x from (select id, '1' as x from STAFF union all by name (select pin as x, id from STAFF union by name select 1 as x, digits as id from STAFF))",
    "select * from (select city as x from STAFF union by name select id, note as x from STAFF) t",
    "with t as (from STAFF select id, city as x), u as (from STAFF select note as x, id) from t union all by name from u",
    "with t as (from STAFF select id, city as x), u as (from STAFF select note as x, id) (from t) union all by name (from u) order by id limit 5",
    "select t.* from (select id, city as x from STAFF union all by name select * exclude (city, pin, digits, born, tags, note), note as x from STAFF) t",
    "select id, X from (select id, city as x from STAFF union all by name select note as X, ID from STAFF)",
    "select id, x from (select id, city as x from STAFF union all by name select * rename (note as x) from STAFF)",
    "select id, x from (select id, city as x from STAFF union all by name select x: note, id from STAFF)",
    "select id, city as x from STAFF union all by name select id, x from (select note as x, id from STAFF union all by name select id from STAFF)",
]  # fmt: skip
WINDOWS = [
    "select id, dense_rank() over w as x from STAFF window w as (order by pin)",
    "select id, dense_rank() over W as x from STAFF window w as (order by pin)",
    "select id, first_value(city) over (w rows 1 preceding) as x from STAFF window w as (order by pin)",
    "select id, lag(id) over v as x from STAFF window w as (partition by city order by pin), v as (w)",
    "select id, x from (select id, row_number() over w as x from STAFF window w as (order by note))",
    "select id, (select max(r) from (select id i, rank() over w as r from STAFF window w as (order by pin)) where i = s.id) as x from STAFF s",
    "select id, rank() over w as x from STAFF window w as (order by pin) qualify rank() over w < 5",
    "select id, x from (select id, rank() over w as x from STAFF window w as (order by pin) qualify x < 9)",
]  # fmt: skip
# What is computed of a column is not that column, however far below it was.
COMPUTED = [
    "with a as (select id, digits*10 as y from STAFF), b as (select id, y from a) select id, floor(y/10) as x from b",
    "select id, floor(y/10) as x from (select * from (select id, digits*10 as y from STAFF) p) q",
    "with t(id, y) as (select id, digits*10 from STAFF) select id, floor(y/10) as x from t",
    "select id, floor(y/10) as x from (select id, digits*10 from STAFF) t(id, y)",
    "select s.id, floor(v.y/10) as x from STAFF s, lateral (values (s.digits*10)) v(y)",
    "select s.id, floor(u.y/10) as x from STAFF s, unnest([s.digits*10]) u(y)",
    "select s.id, floor(u.y/10) as x from STAFF s cross join lateral unnest([s.digits*10]) u(y)",
    "select id, floor(y/10) as x from (select id, unnest([digits*10]) as y from STAFF)",
    "select id, floor(s.y/10) as x from (select id, struct_pack(y := digits*10) as s from STAFF)",
    "select id, floor(y/10) as x from (select id, s.y as y from (select id, {'y': digits*10} as s from STAFF))",
    "with recursive r as (select id, digits as y, digits as z, 0 as n from STAFF union all select id, y*10, floor(y/10), n+1 from r where n<2) select id, z as x from r",
    "with recursive r as (select id, note as a, '-' as b, '-' as c, 0 as n from STAFF union all select id, a, a, b, n+1 from r where n<3) select id, c as x from r",
    "with recursive r(id, a, b, c, n) as (select id, note, '-', '-', 0 from STAFF union all (select id, a, a, b, n+1 from r where n<3)) select id, c as x from r",
    "with recursive r as ((select id, note as a, '-' as b, '-' as c from STAFF) union select * from (select id, a, a, b from r)) select id, c as x from r",
    "select id, y is null as x from (select id, nullif(pin, 1234) as y from STAFF) t join STAFF using (id)",
    "select a.id, y is null as x from (select id, try_cast(note as integer) as y from STAFF) a",
    "select id, y is null as x from (select pin as y, id from STAFF union all select nullif(pin, 5), id from STAFF)",
    "select id, y = 'a' as x from (select id, upper(sha256(note)) as y from STAFF)",
    "select id, case when y = 'a' then 1 else 0 end as x from (select id, sha256(note) as y from STAFF)",
    "select id, list_contains(['a'], y) as x from (select id, sha256(note) as y from STAFF)",
    "select id, nullif(y, 'a') as x from (select id, sha256(note) as y from STAFF)",
    "with t as (select id, sha256(note) as y from STAFF), u as (select id, coalesce(y, '') as z from t) select id, z in ('a') as x from u",
    "select s.id, (select y = 'a' from (select sha256(s.note) as y)) as x from STAFF s",
    "select id, exists (select 1 from (select id as i, sha256(note) as y from STAFF) h where h.i = s.id and h.y = 'a') as x from STAFF s",
    "select id, max(y = 'a') as x from (select id, sha256(note) as y from STAFF) group by id",
    "select id, year(y) as x from (select id, make_date(pin, 1, 1) as y from STAFF intersect select id, make_date(pin,1,1) from STAFF)",
    "select id, pin*10 as y, floor(y/10) as x from STAFF",
    "select id, floor(pin::bit::varchar::bigint / 10) as x from STAFF",
    "select id, floor(y / 10) as x from (select id, pin::bit::varchar::bigint as y from STAFF)",
    "with t as (select '-' as note) select (select t.note) as x, id from STAFF t",
    "with t as (select id, '-' as note from STAFF) select t.id, (select t.note from STAFF u where u.id=t.id limit 1) as x from STAFF t",
    "select id_1 as x, id from (select id, note as id, city as id_1 from STAFF)",
    "with g as (select unnest(range(9999)) as n from STAFF where id=1) select s.id, g.n as x from STAFF s join g on g.n = s.pin",
    "select s.id, floor(g.y/10) as x from STAFF s join (select range as n, range*10 as y from range(9999)) g on g.n = s.pin",
    "select s.id, case g.n when 1 then 1 when 2 then 2 end as x from STAFF s join range(9999) g(n) on g.n = s.pin",
    "select id, round(y,-1) as x from STAFF s join lateral (select s.pin*1000 as y) on true",
    "select id, any_value(y) as x from (select id, case z when '0' then 0 when '1' then 1 end as y from (select id, note[2:2] as z from STAFF)) group by id",
    'select id, "1" as x from (pivot (select id, note[2:2] as y, 1 as k from STAFF) on k in (1) using first(y) group by id)',
    "select id, x from (select id, columns(['note']) as x from STAFF)",
    "select id, coalesce(floor(y/10), 0) as x from (select id, digits*10 as y from STAFF)",
    "select id, floor(y/10) as x from (select id, greatest(digits*10, 0) as y from STAFF where pin > 5 order by pin limit 5)",
    "select id, case when y then 1 else 0 end as x from (select id, pin > 5000 and note like 'a%' as y from STAFF)",
    "select distinct id, year(y) as x from (select distinct id, date '0001-01-01' + interval 1 year * pin as y from STAFF)",
    "select t.id, date_trunc('year', t.y) as x from (select id, make_date(pin,1,1) as y from STAFF) t(id, y)",
]  # fmt: skip
ORDINARY = [
    "with t as (select id, digits as y from STAFF) select id, floor(y/10) as x from t",
    "with t as (select id, born::date as born from STAFF) select id, date_trunc('month', born) as x from t",
    "with t as (select id, try_cast(born as date) as born from STAFF) select id, date_trunc('month', born) as x from t",
    "with t as (select id, born::date as born from STAFF) select id, born is null as x from t",
    "with t as (select * from STAFF), u as (select * from t) select id, case when pin > 5000 then 'a' else 'b' end as x from u",
    "with t as (select id, pin, upper(city) as c from STAFF) select id, case when pin > 5000 and c = 'B' then 'a' else 'b' end as x from t",
    "select id, x from (select id, sha256(note) as x from STAFF)",
    "select id, count(distinct y) as x from (select id, sha256(note) as y from STAFF) group by id",
    "select id, left(y, 16) as x from (select id, sha256(note) as y from STAFF)",
    "select id, 'p' || coalesce(y, '') as x from (select id, sha256(note) as y from STAFF)",
    "select id, city as x from STAFF union all by name select city as x, id from STAFF",
    "select id, city as x from STAFF union all by name select id from STAFF",
    "select id, sha256(note) as x from STAFF union all by name select sha256(note) as x, id from STAFF",
    "select id, row_number() over w as x from STAFF window w as (partition by city order by id)",
    "with t as (select id, avg(pin) as p from STAFF group by id) select id, round(p, 2) as x from t",
    "select s.id, year(t.born) as x from STAFF s join STAFF t using (id)",
    "with t as (select a.id, note from STAFF a join STAFF b using (id, note)) select id, case when note = 'x' then 1 else 0 end as x from t",
    "with recursive r as (select id, pin, 0 as n from STAFF union all select id, pin, n+1 from r where n<2) select id, floor(pin/10) as x from r",
    "with recursive r as (select id, city, 0 as n from STAFF union all select id, city, n+1 from r where n<2) select id, n as x from r",
    "select id, city as x from STAFF union all select id, city from STAFF order by id",
    "select id, city as x from STAFF order by x",
    "select id, floor(l.y/10) as x from STAFF s, lateral (select s.digits as y) l",
    "select id, x from (select id, unnest(tags) as x from STAFF)",
    "select id, u.x from STAFF s, unnest(s.tags) u(x)",
    "select id, u.x from STAFF s, unnest(string_split(s.city, ',')) u(x)",
    "select id, age_band as x from (select id, case when pin < 18 then 'minor' else 'adult' end as age_band from STAFF)",
    "select id, (select sum(pin) from STAFF t where t.city = s.city) as x from STAFF s",
    "select id, exists (select 1 from STAFF t where t.city = s.city) as x from STAFF s",
    "from STAFF select id, city as x",
    "with d as (select id, row_number() over (partition by id order by city) as rn, pin from STAFF) select id, round(pin, -2) as x from d where rn = 1",
]  # fmt: skip


@pytest.mark.parametrize("query", [*BY_NAME, *WINDOWS, *COMPUTED])
def test_what_is_still_there_is_seen_or_nobody_can_tell(query):
    must_run(query)
    assert followed(query) != set()


@pytest.mark.parametrize("query", ORDINARY)
def test_what_people_write_is_followed_to_its_end(query):
    must_run(query)
    assert followed(query) == set()


@pytest.mark.parametrize(
    "query",
    [
        "select id, city as x from STAFF union by name select upper(note), id from STAFF",
        "select id, city as x from STAFF intersect by name select note as x, id from STAFF",
        "select id, city as x from STAFF union by name select * from elsewhere",
    ],
)
def test_names_that_are_not_known_are_unknown(query):
    assert followed(query) != set()


def test_a_name_that_one_side_has_not_is_null_there():
    text = "select a as x from d.p union all by name select b as y, c as x from d.p"
    found = query_lineage(text, {"d.p": ["a", "b", "c"]})
    assert found.columns == {
        "x": frozenset({("d.p", "a"), ("d.p", "c")}), "y": frozenset({("d.p", "b")}),
    }  # fmt: skip
    assert found.used == {"d.p": frozenset("abc")}


class Queries:
    """Writes queries that only move values about, so that each value says where it is from."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.number = 0

    def any(self, depth: int) -> tuple[str, list[str]]:
        """Return a query and the names of its columns."""
        if depth == 0:
            return self.plain("people.p", list("abck"))
        kind = self.random.choice(
            ["moved", "all", "union", "by name", "by name", "cte", "listed", "again"]
        )
        return getattr(self, kind.replace(" ", "_"))(depth - 1)

    def plain(self, source: str, has: list[str]) -> tuple[str, list[str]]:
        names = self.random.sample(list("abckxyz"), self.random.randint(2, 4))
        told = ", ".join(f"{self.value(has)} as {name}" for name in names)
        return f"select {told} from {source}", names

    def value(self, has: list[str]) -> str:
        one, other = self.random.choice(has), self.random.choice(has)
        return self.random.choice([one, one, one, f"lower({one})", f"{one} || {other}", "'-'"])

    def moved(self, depth: int) -> tuple[str, list[str]]:
        inner, names = self.any(depth)
        return self.plain(f"({inner}) {self.alias()}", names)

    def all(self, depth: int) -> tuple[str, list[str]]:
        inner, names = self.any(depth)
        alias = self.alias()
        if self.random.random() < 0.5:
            return f"with {alias} as ({inner}) select * from {alias}", names
        called = self.new(names)
        return f"select * from (select * from ({inner}) {alias}) {self.alias()}({', '.join(called)})", [
            *called, *names[len(called):],
        ]  # fmt: skip

    def union(self, depth: int) -> tuple[str, list[str]]:
        left, names = self.any(depth)
        right, others = self.any(depth)
        told = ", ".join(self.value(others) for _ in names)
        return f"({left}) union all (select {told} from ({right}) {self.alias()})", names

    def by_name(self, depth: int) -> tuple[str, list[str]]:
        left, names = self.any(depth)
        right, others = self.any(depth)
        word = self.random.choice(["union by name", "union all by name"])
        query = f"({left}) {word} ({right})"
        return query, list(dict.fromkeys([*names, *others]))

    def cte(self, depth: int) -> tuple[str, list[str]]:
        inner, names = self.any(depth)
        alias = self.alias()
        text, told = self.plain(alias, names)
        return f"with {alias} as ({inner}) {text}", told

    def listed(self, depth: int) -> tuple[str, list[str]]:
        inner, names = self.any(depth)
        called = self.new(names)
        alias = self.alias()
        return self.plain(
            f"({inner}) {alias}({', '.join(called)})", [*called, *names[len(called) :]]
        )

    def again(self, depth: int) -> tuple[str, list[str]]:
        inner, names = self.any(depth)
        alias = self.alias()
        told = ", ".join(self.random.choice([*names, "'-'"]) for _ in names)
        return (
            f"with recursive {alias} as (select {', '.join(names)}, 0 as n0 from ({inner}) "
            f"{self.alias()} union all select {told}, n0 + 1 from {alias} where n0 < 3) "
            f"select {', '.join(names)} from {alias}"
        ), names

    def new(self, names: list[str]) -> list[str]:
        """Return other names, for some of the columns or all."""
        free = [one for one in "defghijlmnopqrstuvw" if one not in names]
        return self.random.sample(free, self.random.randint(1, min(len(names), len(free))))

    def alias(self) -> str:
        self.number += 1
        return self.random.choice([f"t{self.number}", f"t{self.number}", "p", "a"])


@pytest.fixture(scope="module")
def marked():
    """Each value of the table is the name of its column, in capitals."""
    with duckdb.connect() as con:
        con.execute(
            "create schema people; create table people.p as select 'A' a, 'B' b, 'C' c, 'K' k"
        )
        yield con


@pytest.mark.parametrize("seed", range(300))
def test_what_stands_in_the_rows_is_never_more_than_what_was_told(marked, seed):
    queries = Queries(seed)
    query, names = queries.any(queries.random.randint(1, 4))
    rows = marked.execute(f"select * from ({query})").fetchall()
    found = clear_columns(query, {"people.p": list("abck")})
    for number, name in enumerate(names):
        there = set(re.sub(r"[^a-z]", "", "".join(str(row[number] or "") for row in rows).lower()))
        told = (found or {}).get(name)
        assert told is None or there <= {column for _, column in told}, query
