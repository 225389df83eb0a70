"""What a change does to data is known before it is merged, and nothing is touched for it."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.engine.difference import row_difference
from dataops_mesh.run.environment import open_environment
from dataops_mesh.store.line.known import living
from dataops_mesh.store.log import latest_number


@pytest.fixture
def ran(mesh, workspace):
    contract = workspace.root / "domains/shop/orders/orders.odcs.yaml"
    text = contract.read_text("utf-8")
    assert "primaryKey: true" in text
    contract.write_text(
        text.replace("primaryKey: true", "primaryKey: true, classification: public")
    )
    assert mesh("run").code == 0
    return mesh


def edit(workspace, sql):
    (workspace.root / "domains/shop/orders/orders.sql").write_text(sql, "utf-8")


def test_the_change_and_all_that_reads_it_are_built_and_compared(ran, mesh, workspace):
    edit(workspace, "select id::bigint as id from orders_csv union all select 3::bigint")
    number = latest_number(open_environment(workspace).store)
    said = mesh("sandbox", "test", "--format", "json")
    assert said.code == 0, said.err
    orders, totals = said.json
    assert (orders["product"], orders["edited"], orders["ended"]) == (
        "shop.orders",
        True,
        "published",
    )
    (port,) = orders["ports"]
    assert (port["before"], port["after"]) == (2, 3)
    difference = port["difference"]
    assert (difference["added"], difference["removed"], difference["changed"]) == (1, 0, 0)
    assert (totals["product"], totals["edited"]) == ("desk.totals", False)
    assert totals["ports"][0]["difference"]["schema"] == []
    assert totals["ports"][0]["difference"]["added"] == 1  # has no key: one row for another
    store = open_environment(workspace).store
    assert latest_number(store) == number
    assert living(store) == ()
    assert mesh("query", "from desk.totals", "--format", "json").json == [{"n": 2}]


def test_what_would_be_refused_ends_the_pipeline(ran, mesh, workspace):
    edit(workspace, "select 1::bigint as id from orders_csv")  # twice the same key
    said = mesh("sandbox", "test", "--format", "markdown")
    assert said.code == 1
    assert "| `shop.orders` | edited | **refused** |" in said.out
    assert "| `desk.totals` | reads it | **waiting** |" in said.out


def test_nothing_changed_and_nothing_is_built(ran, mesh):
    said = mesh("sandbox", "test", "--format", "json")
    assert (said.code, said.json) == (0, [])


def test_the_sandbox_may_stay_and_be_promoted(ran, mesh, workspace):
    edit(workspace, "select id::bigint + 1 as id from orders_csv")
    assert mesh("sandbox", "test", "--keep", "mine").code == 0
    assert mesh("sandbox", "promote", "mine").code == 0
    assert mesh("query", "from shop.orders order by id", "--format", "json").json == [
        {"id": 2},
        {"id": 3},
    ]


OLD, NEW = "(VALUES {}) t(k, v, s)", "(VALUES {}) t(k, v, s)"
ROWS = st.dictionaries(st.integers(0, 6), st.tuples(st.integers(-3, 3), st.text("ab", max_size=2)))


def relation(rows):
    listed = ", ".join(f"({k}, {v}, '{s}')" for k, (v, s) in rows.items())
    return (
        f"(VALUES {listed or '(NULL, NULL, NULL)'}) t(k, v, s)"
        if rows
        else ("(SELECT 1 AS k, 1 AS v, 'a' AS s WHERE false)")
    )


@settings(max_examples=60, deadline=None)
@given(old=ROWS, new=ROWS)
def test_rows_are_counted_as_python_counts_them(old, new):
    with duckdb.connect() as con:
        found = row_difference(con, (relation(old), relation(new)), ("k",), {"k", "v"}, 10)
    both = old.keys() & new.keys()
    changed = sorted(k for k in both if old[k] != new[k])
    assert (found.added, found.removed) == (len(new.keys() - old), len(old.keys() - new))
    assert found.changed == len(changed)
    counts = {one.name: one for one in found.columns}
    values = [abs(new[k][0] - old[k][0]) for k in both]
    assert counts["v"].rows if "v" in counts else sum(map(bool, values)) == 0
    if "v" in counts:
        assert counts["v"].largest == max(values)
    assert [dict(key) for key in found.keys] == [{"k": str(k)} for k in changed]


def test_no_value_of_a_column_that_is_not_to_be_shown_is():
    old, new = "(VALUES (1, 900.0)) t(person, salary)", "(VALUES (1, 1000.0)) t(person, salary)"
    with duckdb.connect() as con:
        found = row_difference(con, (old, new), ("person",), set(), 5)
    assert found.changed == 1
    assert [(one.name, one.rows, one.largest) for one in found.columns] == [("salary", 1, None)]
    assert found.keys == ()


def test_columns_that_come_go_or_change_are_named():
    old, new = "(SELECT 1 AS a, 2 AS b)", "(SELECT 1::BIGINT AS a, 3 AS c)"
    with duckdb.connect() as con:
        found = row_difference(con, (old, new), (), {"a"})
    assert found.schema == (
        "c INTEGER was added",
        "b INTEGER was removed",
        "a was INTEGER and is BIGINT",
    )
