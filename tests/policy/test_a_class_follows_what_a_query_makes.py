"""A class follows what a query makes: numbers that are matched, counts, guesses, two buckets."""

from __future__ import annotations

import pytest
from lineage_cases import followed, must_run

# Whether a row is there says what a condition inside asks of a column outside.
ASKED = [
    "select s.id, exists (select 1 from ROOMS r where s.note like '%3001') as x from STAFF s",
    "select s.id, 4712 in (select s.pin) as x from STAFF s",
    "select s.id, (select 'y' from ROOMS r where r.id=s.id and s.note like '%1') as x from STAFF s",
    "select s.id, case when exists(select 1 from ROOMS r where substr(s.note,1,1)='1') then '1' else '2' end as x from STAFF s",
    "select s.id, not exists (select 1 from ROOMS r join (select 1 as k) k on s.pin = 4712) as x from STAFF s",
    "select s.id, exists (select 1 from ROOMS r where exists (select 1 from ROOMS q where q.id = r.id and s.pin = 4712)) as x from STAFF s",
]  # fmt: skip
# What the query made is the value beside which it was chosen, whoever says so.
MATCHED = [
    "select id, x from (select s.id, n.n as x, n.n = s.pin as hit from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n) where hit",
    "select s.id, row_number() over (partition by s.id) as x from STAFF s, ROOMS a qualify row_number() over (partition by s.id) = s.pin",
    "select id, x from (select s.id, n.n as x, n.n - s.pin as d from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n) where d = 0",
    "select distinct on (id) id, x from (select s.id, n.n as x, abs(n.n - s.pin) as d from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n) order by id, d",
    "select id, max(x) as x from (select s.id, n.n as x, n.n <= s.pin as ok from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n) where ok group by id",
    "select s.id, n.n as x from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n qualify row_number() over (partition by s.id order by abs(n.n - s.pin)) = 1",
    "select s.id, n.m as x from STAFF s join (select n, n as m from (select row_number() over () n from ROOMS a, ROOMS b)) n on n.n = s.pin",
    "select s.id, n.m['m'] as x from STAFF s join (select n, {'m': n} as m from (select row_number() over () n from ROOMS a, ROOMS b)) n on n.n = s.pin",
    "select s.id, sum(n.n) filter (where n.n = s.pin) as x from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n group by s.id",
    "select s.id, max(case when n.n = s.pin then n.n end) as x from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n group by s.id",
    "select s.id, sum(case when n.n = s.pin then n.n else 0 end) as x from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n group by s.id",
    "select id, x from (select s.id, n.n as x, case when n.n = s.pin then 1 else 0 end as h from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n) where h = 1",
    "select s.id, n.n as x from STAFF s join (select row_number() over () n from ROOMS a, ROOMS b) n on sha256(n.n::varchar) = sha256(s.pin::varchar)",
    "select s.id, n.n as x from STAFF s, (select row_number() over () n from ROOMS a, ROOMS b) n group by all having n.n = max(s.pin)",
    "select s.id, n.n as x from STAFF s join (select a.id, count(*) n from ROOMS a join ROOMS b on b.id <= a.id group by a.id) n on n.n + 4700 = s.pin",
    "select s.id, n.o as x from STAFF s join (select o from (select list(id) l from ROOMS) q, unnest(q.l) with ordinality u(v, o)) n on n.o + 4700 = s.pin",
    "select s.id, n.n as x from STAFF s join (select sum(k) n from (select row_number() over () k from ROOMS a, ROOMS b) group by k) n on n.n = s.pin",
    "select s.id, n.n as x from STAFF s join (select max(k) n from (select row_number() over () k from ROOMS a, ROOMS b) group by k) n on n.n = s.pin",
    "select s.id, a.d*1000+b.d*100+c.d*10+e.d as x from STAFF s, (select unnest([0,1,2,3,4,5,6,7,8,9,r.id-1]) as d from ROOMS r where r.id=1) a, (select unnest([0,1,2,3,4,5,6,7,8,9,r.id-1]) as d from ROOMS r where r.id=1) b, (select unnest([0,1,2,3,4,5,6,7,8,9,r.id-1]) as d from ROOMS r where r.id=1) c, (select unnest([0,1,2,3,4,5,6,7,8,9,r.id-1]) as d from ROOMS r where r.id=1) e where a.d*1000+b.d*100+c.d*10+e.d = s.pin",
    "with d as (select 4 as d from ROOMS union select 7 from ROOMS union select 1 from ROOMS union select 2 from ROOMS) select s.id, a.d*1000+b.d*100+c.d*10+e.d as x from STAFF s, d a, d b, d c, d e where a.d*1000+b.d*100+c.d*10+e.d = s.pin",
    "select s.id, n.g as x from STAFF s join (select unnest([4712,4713,r.id]) g from ROOMS r) n on n.g = s.pin",
    "select s.id, n.g as x from STAFF s join (select unnest(string_split('4712,4713,'||r.id, ',')) g from ROOMS r) n on n.g = s.pin::varchar",
]  # fmt: skip
# Rows of its own: of a range, of values written there.
OWN_ROWS = [
    "select s.id, r.range as x from STAFF s join range(10000) r on r.range = s.pin",
    "select s.id, n as x from STAFF s, (select unnest(range(10000)) n) where n = s.pin",
    "select s.id, n as x from STAFF s, lateral (select r.range n from range(10000) r where r.range = s.pin) q",
    "select s.id, (select r.range from range(10000) r where r.range = s.pin) as x from STAFF s",
    "select s.id, (select max(r.range) from range(10000) r where r.range <= s.pin) as x from STAFF s",
    "select s.id, (select count(*) from range(10000) r where r.range < s.pin) as x from STAFF s",
    "select s.id, v.v as x from STAFF s, (values (4711),(4712),(4713)) v(v) where v.v = s.pin",
    "select s.id, list_filter(range(10000), k -> k = s.pin)[1] as x from STAFF s",
    "select s.id, (select list(r.range)[1] from range(10000) r where r.range = s.pin) as x from STAFF s",
    "select range as x, 1 as id from range(10000) intersect select pin, 1 from STAFF",
    "select s.id, arg_min(r.range, abs(r.range - s.pin)) as x from STAFF s, range(10000) r group by s.id",
    "select s.id, r.range as x from STAFF s asof join range(10000) r on s.pin >= r.range",
    "select s.id, r.pin as x from STAFF s join (select range as pin from range(10000)) r using (pin)",
    "select s.id, r.pin as x from STAFF s natural join (select range as pin from range(10000)) r",
    "select r.range as x, 1 as id from range(10000) r semi join STAFF s on s.pin = r.range",
    "select r.range as x, 1 as id from range(10000) r where exists (select 1 from STAFF s where s.pin = r.range)",
    "select r.range as x, 1 as id from range(10000) r where r.range in (select pin from STAFF)",
    "select r.range as x, 1 as id from range(10000) r where (select count(*) from STAFF s where s.pin = r.range) > 0",
    "select x, 1 as id from (select r.range x, (select count(*) from STAFF s where s.pin = r.range) c from range(10000) r) where c > 0",
    "select x, 1 as id from (select r.range x, (select max(id) from STAFF s where s.pin = r.range) c from range(10000) r) where c is not null",
    "select r.range as x, 1 as id from range(10000) r where [r.range] && (select list(pin) from STAFF)",
    "select r.range as x, count(*) as id from range(10000) r left join STAFF s on s.pin = r.range group by all having count(s.id) > 0",
    "select s.id, r.range as x from range(10000) r, STAFF s where contains(concat(s.pin, ','), concat(r.range, ','))",
    "select s.id, g as x from STAFF s, (select 4712 as g union all select 4713) where g = s.pin",
    "select s.id, g as x from STAFF s join (select 4712 as g) on g = s.pin",
    "select s.id, max(u.n) as x from STAFF s, unnest(range(s.pin + 1)) u(n) group by s.id",
    "select id, x from (select s.id, unnest([4711,4712,4713]) as x, s.pin from STAFF s) where x = pin",
    "with recursive r as (select 0 as n union all select n+1 from r where n < 9999) select s.id, r.n as x from r, STAFF s where r.n = s.pin",
]  # fmt: skip
# A number of rows that a value made, and of hashes among guesses.
COUNTED = [
    "select id, x from (select id, count(1) over (partition by h) as x from (select id, sha256(note) h from STAFF union all select 0, sha256('111-22-3001')))",
    "select id, rank() over (order by h) as x from (select id, sha256(note) h from STAFF union all select 0, sha256('111-22-3001'))",
    "select s.id, (select count(*) from range(s.pin)) as x from STAFF s",
    "select id, count(*) as x from (select id, unnest(range(pin)) from STAFF) group by id",
    "select s.id, count(*) as x from STAFF s, unnest(range(s.pin)) u group by s.id",
    "select s.id, sum(1) as x from STAFF s, lateral (select unnest(range(s.pin)) k) u group by s.id",
]  # fmt: skip
# What looks like a breaker and leaves the value there.
BROKEN = [
    "select id, date_trunc(year, born) as x from (select id, born, 'day' as year from STAFF)",
    "select id, date_trunc(replace('year','year','day'), born) as x from STAFF",
    "select id, time_bucket(interval '36500 days', date '1971-01-01', born) as x from STAFF",
    "select id, sum(pin) within group (order by id) over (partition by id) as x from STAFF",
    "select id, floor(pin/2)*2 + case when pin in (4711,4713,4715) then 1 else 0 end as x from STAFF",
    "select id, floor(pin/10)*10 + case when pin in (4711) then 1 when pin = 4712 then 2 when pin=4713 then 3 else 0 end as x from STAFF",
    "select id, f*10 + c as x from (select id, floor(pin/10) as f, case when pin = 4712 then 2 when pin=4713 then 3 else 0 end as c from STAFF)",
    "select id, case when y is null then 1 else 0 end as x from (select id, try_cast(note as date) as y from STAFF)",
    "select id, concat(date_trunc('year', born), '-', year(born)) as x from STAFF",
]  # fmt: skip
# What a second reading found: rows chosen by keys, sets, brackets, laterals; buckets through others.
AGAIN = [
    "select r.n as x from (select range n from range(4000, 5000)) r, STAFF p group by r.n, r.n = p.pin having count(*) = 1",
    "select max(r.n) as x, p.id from (select range n from range(4000, 5000)) r, STAFF p group by r.n = p.pin, p.id having count(*) = 1",
    "select p.id, count(*) as x from (select range n from range(10000)) r, STAFF p group by p.id, r.n < p.pin",
    "select x from (select distinct r.n x, r.n = p.pin d from (select range n from range(4000, 5000)) r, STAFF p) group by x having count(*) = 2",
    "select r.n as x, r.n as y from (select range n from range(4000, 5000)) r intersect select r.n, p.pin from (select range n from range(4000, 5000)) r, STAFF p",
    "select r.n as x, abs(r.n - p.pin) d from (select range n from range(4000, 5000)) r, STAFF p where p.id = 1 order by d limit 1",
    "select r.n as x, abs(r.n - p.pin) d from (select range n from range(4000, 5000)) r, STAFF p where p.id = 1 order by all limit 1",
    "select r.n as x from ROOMS o join (select range n from range(4000, 5000)) r join STAFF p on r.n = p.pin on true",
    "select r.n as x from ((select range n from range(4000, 5000)) r join STAFF p on r.n = p.pin)",
    "select r.n as x from (select range n from range(4000, 5000)) r, lateral (select 1 from STAFF p where p.pin = r.n) l",
    "select id, count(*) as x from (select p.id from (select range n from range(10000)) r, STAFF p where r.n < p.pin) group by id",
    "select r.n as x from (select range n from range(4000, 5000)) r where (select count(*) from (select 1 from STAFF p where p.pin = r.n)) = 1",
    "select p.id, len(list(1)) as x from (select range n from range(10000)) r, STAFF p where r.n < p.pin group by p.id",
    "select id, count(*) as x from (select id, unnest(range(pin)) u from STAFF union all select id, unnest(range(0)) from STAFF) group by id",
    "select count(*) as x from (select * from (select range n from range(10000)) limit (select min(pin) from STAFF))",
    "select id, count(*) as x from (select id, regexp_split_to_table(repeat('a ', pin::int - 1) || 'a', ' ') u from STAFF) group by id",
    "select p.id, max(r.n * (case when r.n = p.pin then 1 else 0 end)) as x from (select range n from range(4000, 5000)) r, STAFF p group by p.id",
    "select p.id, arg_max(k, b) as x from (select p.id, r.n k, case when r.n = p.pin then 1 else 0 end b from (select range n from range(4000, 5000)) r, STAFF p) p group by p.id",
    "select id, string_agg(b, '' order by k) as x from (select id, 1 k, case when pin > 4712 then 'a' else 'b' end b from STAFF union all select id, 2, case when pin > 4714 then 'a' else 'b' end from STAFF) group by id",
    "select id, case a when 1 then 'x' else 'y' end || case b when 1 then 'x' else 'y' end as x from (select id, case when pin > 4712 then 1 else 0 end a, case when pin > 4714 then 1 else 0 end b from STAFF)",
    "select id, map {'a': 1}[sha256(a) || sha256(b)] as x from (select id, case when pin > 4712 then '1' else '0' end a, case when pin > 4714 then '1' else '0' end b from STAFF)",
    "select s.id, string_agg(u.v, '') as x from (select id, case when pin > 4712 then '1' else '0' end a, case when pin > 4714 then '1' else '0' end b from STAFF) s, unnest([s.a, s.b]) u(v) group by s.id",
    "select p.id, g.v as x from (select floor(4700 + random() * 50)::bigint v from ROOMS a, ROOMS b) g join STAFF p on g.v = p.pin",
    "select avg(pin)::bigint as x, count(*) as n from STAFF group by pin",
    "select avg(pin)::bigint as x, count(*) as n from STAFF group by pin, city",
]  # fmt: skip
# What people write.
ORDINARY = [
    "select s.id, v.t as x from STAFF s join (values ('town1','O'),('town2','D')) v(c,t) on v.c = s.city",
    "select d.day as x, count(s.id) as n from (select unnest(generate_series(date '2024-01-01', date '2024-02-01', interval 1 day)) as day) d left join STAFF s on s.id = day(d.day) group by d.day",
    "select q.q as x, s.id from STAFF s cross join (select ntile(4) over (order by id) q from ROOMS) q order by s.id, q.q",
    "select a.id, b.n as x from ROOMS a join (select unnest([1,2,3]) n) b on b.n = a.id",
    "select city, count(*) as x from STAFF group by city",
    "select id, date_trunc('year', born) as x from STAFF",
    "select id, floor(pin/10)*10 as x from STAFF",
    "select id, case when pin > 4712 then 'high' when pin is null then 'none' else 'low' end as x from STAFF",
    "select s.id, q.n as x from STAFF s join (select city, count(*) n from ROOMS group by city) q on q.city = s.city where q.n > 1",
    "with t as (select 'a' as x, id from ROOMS union all select 'b', id from STAFF) select id, x from t where x = 'a'",
    "select id, city as x from STAFF qualify row_number() over (partition by city order by pin desc) = 1",
    "select id, 'web' as x from STAFF qualify row_number() over (partition by city order by pin desc) = 1",
    "select id, rn as x from (select id, row_number() over (partition by city order by id) rn from STAFF) where rn = 1",
    "select day, count(*) as x from (select id, date_trunc('month', born) as day from STAFF) group by day",
    "with ranked as (select *, row_number() over (partition by city order by id) as rn from STAFF), t as (select *, 3 as top from ranked) select t.id, t.rn as x from t where t.rn <= t.top",
    "select w.id, w.n as x from (select id, count(*) over (partition by city) as n from STAFF) w where w.n > w.id",
    "select a.id, a.n as x from (select id, row_number() over (order by id) n from STAFF) a join (select row_number() over (order by id) n from ROOMS) b on a.n = b.n",
    "select s.id, exists (select 1 from ROOMS r where r.id = s.id and r.city = s.city) as x from STAFF s",
    "select s.id, t as x from STAFF s, unnest(s.tags) u(t)",
    "select s.city, count(*) as x from STAFF s, unnest(s.tags) u(t) group by s.city",
    "select coalesce(floor(pin/10)*10, 0) as x, id from STAFF",
]  # fmt: skip
MANY = " ".join(f"when {n} then {n}" for n in range(4_700, 4_730))


@pytest.mark.parametrize("query", [*ASKED, *MATCHED, *OWN_ROWS, *COUNTED, *BROKEN, *AGAIN])
def test_what_is_still_there_is_seen_or_nobody_can_tell(query):
    must_run(query)
    assert followed(query) != set()


def test_a_case_with_a_word_for_each_value_is_no_bucket():
    assert followed(f"select id, case pin {MANY} end as x from STAFF") == {"pin"}
    assert followed("select id, case pin when 1 then 1 when 2 then 2 end as x from STAFF") == set()


@pytest.mark.parametrize("query", ORDINARY)
def test_what_people_write_is_followed_to_its_end(query):
    must_run(query)
    assert followed(query) == set()
