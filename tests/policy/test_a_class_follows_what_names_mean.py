"""A class follows what DuckDB takes a name for, numbers that a query makes, and guesses."""

from __future__ import annotations

import pytest
from lineage_cases import followed, must_run

# Names that mean another relation or column than they seem to.
CALLED = [
    "with mesh_input__people__staff as (select id, city as note from ROOMS) select s.id, s.note as x from STAFF s",
    "with mesh_own_0 as (select id, city as note from ROOMS) select s.id, s.note as x from STAFF s",
    'with "MESH_OWN_0" as (select id, city as note from ROOMS), mesh_own__0 as (from ROOMS) select s.id, s.note as x from STAFF s',
    "select s.id, s.note as x, (select max(note) from people.st__aff) as z from people__st.aff s",
    "select s.id, (select note from (select 'note' from ROOMS limit 1)) as x from STAFF s",
    "select s.id, (select note from (select distinct 'note' from ROOMS)) as x from STAFF s",
    "select s.id, (select note from (select p.note::varchar from (select city as note from ROOMS) p limit 1)) as x from STAFF s",
    "select s.id, (select note from (select try_cast(p.note as varchar) from (select city as note from ROOMS) p)) as x from STAFF s",
    "with q as (select 'note' from ROOMS) select s.id, (select note from q limit 1) as x from STAFF s",
    "select s.id, (select note from (select 'note' from ROOMS union all select city from ROOMS)) as x from STAFF s",
    "select s.id, l.x from STAFF s, lateral (select note as x from (select 'note' from ROOMS)) l",
    "select s.id, s.note.city as x from STAFF s join ROOMS note on note.id = s.id",
    "select s.id, (select s.note.city from ROOMS note limit 1) as x from STAFF s",
    "select staff.id, (select people.staff.note from (select city as note from ROOMS) staff limit 1) as x from STAFF",
    "select staff.id, people.staff.note as x from STAFF join (select city as note from ROOMS) people on true",
    "select staff.id, (select people.staff.note from ROOMS people limit 1) as x from STAFF",
]  # fmt: skip
# Numbers that a query makes are those that they are joined to.
MADE = [
    "select s.id, n.n as x from STAFF s join (select row_number() over () n from ROOMS a, ROOMS b) n on n.n = s.pin",
    "select s.id, (select n.n from (select row_number() over () n from ROOMS a, ROOMS b) n where n.n = s.pin) as x from STAFF s",
    "with recursive n(i) as (select 0 from (from ROOMS limit 1) union all select i+1 from n where i<9999) select s.id, n.i as x from STAFF s join n on n.i = s.pin",
    "select s.id, n.v as x from STAFF s join (select unnest(range(0, 10000 + r.id*0)) v from ROOMS r) n on n.v = s.pin",
    "select s.id, max(n.n) as x from STAFF s join (select count(*) over (rows unbounded preceding) n from ROOMS) n on n.n <= s.pin group by s.id",
    "select id, x from (select s.id, n.n as x, s.pin as p from STAFF s, (select row_number() over () n from ROOMS) n) where x = p",
    "select s.id, n.n as x from STAFF s, (select row_number() over () n from ROOMS) n where exists (select 1 from STAFF t where t.id = s.id and t.pin = n.n)",
    "select s.id, n.n as x from STAFF s, (select row_number() over () n from ROOMS) n where n.n in (select t.pin from STAFF t where t.id = s.id)",
    "select s.id, n.n as x from STAFF s join (select rank() over (order by id) n from ROOMS) n on s.pin - n.n = 0",
    "select s.id, (select n.n from (select row_number() over (order by a.id) n from ROOMS a, ROOMS b) n order by abs(n.n - s.pin) limit 1) as x from STAFF s",
    "select distinct on (s.id) s.id, n.n as x from STAFF s, (select row_number() over () n from ROOMS) n order by s.id, abs(n.n - s.pin)",
    "select s.id, (select max(k) from (select n.n k from (select row_number() over (order by id) n from ROOMS) n limit (select pin from STAFF where id = 3))) as x from STAFF s",
    "select s.id, k as x from STAFF s, (select n.n k from (select row_number() over () n from ROOMS) n limit 1 offset (select pin from STAFF where id = 3))",
    "select s.id, n.pin as x from STAFF s join (select row_number() over () pin from ROOMS) n using (pin)",
    "select s.id, n.n as x from STAFF s asof join (select row_number() over () n from ROOMS) n on s.pin >= n.n",
    "with recursive n(i) as (select 0 from (from ROOMS limit 1) union all select i+1 from n where i < (select max(pin) from STAFF)) select s.id, m.i as x from STAFF s, (select max(i) i from n) m",
    "select id, row_number() over () as x from (select * from STAFF order by pin)",
    "select id, ntile(9999) over () as x from (select * from (select * from STAFF order by note))",
    "select s.id, count(*) filter (where s.note like '1%') over (partition by s.id) as x from STAFF s",
    "select s.id, count(nullif(s.pin, 5001)) over (partition by s.id) as x from STAFF s",
]  # fmt: skip
# A guess of each row's value, and what is called a bucket and is none.
GUESSED = [
    "select r.id, r.id in (select s.id from STAFF s where s.note = 'X') as x from ROOMS r",
    "select r.id, r.id not in (select s.id from STAFF s where s.note like '1%') as x from ROOMS r",
    "select r.id, (select 'y' from STAFF s where s.id = r.id and s.note like '1%') as x from ROOMS r",
    "select r.id, coalesce((select true from STAFF s where s.id = r.id and s.pin = 5), false) as x from ROOMS r",
    "select id, round(pin, -0) as x from STAFF",
    "select id, round(pin, - 0) as x from STAFF",
    "select id, case when try_cast(note as integer) is null then 1 end as x from STAFF",
]  # fmt: skip
ORDINARY = [
    "select people.staff.id, people.staff.city as x from STAFF",
    "select people.staff.id, r.city as x from STAFF join ROOMS r on r.id = people.staff.id",
    "select s.id, s.tags.room as x from (select id, {'room': city} as tags from STAFF) s",
    "select id, id in (select id from ROOMS) as x from STAFF",
    "select s.id, (select 'vip' from ROOMS r where r.id = s.id) as x from STAFF s",
    "with n as (select id, row_number() over (partition by city order by id) as rn from ROOMS) select s.id, n.rn as x from STAFF s join n on n.id = s.id where n.rn = 1",
    "select s.id, q.known as x from STAFF s left join (select id, true as known, 1 from ROOMS) q on q.id = s.id",
    "with a as (select id, count(*) from ROOMS group by id) select a.id, s.city as x from a join STAFF s on s.id = a.id",
    "select id, round(pin, -2) as x from STAFF",
    "with mesh_own as (from ROOMS) select s.id, m.city as x from STAFF s join mesh_own m on m.id = s.id",
    "with t as (from ROOMS order by id limit 5) select s.id, sum(s.id) over (partition by s.city) as x from STAFF s join t on t.id = s.id",
    "with n as (select id, row_number() over (order by id) as rn from ROOMS) select s.id, n.rn as x from STAFF s join n on n.id = s.id order by s.id limit 5",
]  # fmt: skip


@pytest.mark.parametrize("query", [*CALLED, *MADE, *GUESSED])
def test_what_is_still_there_is_seen_or_nobody_can_tell(query):
    must_run(query)
    assert followed(query) != set()


@pytest.mark.parametrize("query", ORDINARY)
def test_what_people_write_is_followed_to_its_end(query):
    must_run(query)
    assert followed(query) == set()
