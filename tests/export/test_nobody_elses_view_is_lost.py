"""In a database that others use: their tables, views and rights stay as they are."""

from __future__ import annotations

import uuid

import pytest
from export_cases import (
    VARIABLE,
    ask,
    export,
    exported,
    publish,
    reading,
    relations,
    round_of,
    shop,
    to_postgres,
)
from helpers import environment, mesh

from dataops_mesh.run.word.withdraw import taking, withdraw_product

pytestmark = pytest.mark.needs_postgres
WIDER = ("{name: id, logicalType: integer, primaryKey: true}",
         "{name: amount, logicalType: string}")  # fmt: skip


@pytest.fixture
def place(tmp_path, database, monkeypatch):
    schema = f"s{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv(VARIABLE, database)
    settings = shop(tmp_path, [to_postgres(schema)])
    publish(settings, 1)
    return settings, database, schema


def change_columns(settings, schema):
    """Publish a type of another kind, under which a view cannot stay what it is."""
    folder = settings.domains_folder / "shop" / "sales"
    text = exported("orders", WIDER, [to_postgres(schema)]).replace("@domain", "shop")
    text = text.replace("version: 1.0.0", "version: 2.0.0")
    (folder / "orders.odcs.yaml").write_text(text, "utf-8")
    (folder / "orders.sql").write_text("select id, amount::varchar as amount from sold", "utf-8")
    publish(settings, 2)


def test_a_view_on_ours_stays_through_publications(place):
    settings, url, schema = place
    export(settings)
    ask(url, f"create view {schema}.mine as select id from {schema}.orders; select 1")
    publish(settings, 2)
    assert export(settings)[0].outcome == "exported"
    assert ask(url, f"select count(*) from {schema}.mine") == [(20,)]
    assert round_of(url, schema) == 2


def test_other_columns_are_refused_where_a_view_would_be_lost(place):
    settings, url, schema = place
    export(settings)
    ask(url, f"create view {schema}.mine as select id from {schema}.orders; select 1")
    change_columns(settings, schema)
    (found,) = export(settings)
    assert found.outcome == "failed"
    assert f"{schema}.mine" in found.why
    assert round_of(url, schema) == 1, "both ports stay as they were"
    ask(url, f"drop view {schema}.mine; select 1")
    assert export(settings)[0].outcome == "exported"


def test_rights_are_given_again_where_the_view_is_made_anew(place):
    settings, url, schema = place
    export(settings)
    who = f"r{uuid.uuid4().hex[:8]}"
    ask(url, f"create role {who}; grant select on {schema}.orders to {who}; select 1")
    change_columns(settings, schema)
    assert export(settings)[0].outcome == "exported"
    may = f"select has_table_privilege('{who}', '{schema}.orders', 'select')"
    assert ask(url, may) == [(True,)]


def test_what_was_withdrawn_shows_nothing_to_a_view_on_it(place):
    settings, url, schema = place
    export(settings)
    ask(url, f"create view {schema}.mine as select id from {schema}.orders; select 1")
    there = environment(settings)
    withdraw_product(taking("shop.orders", there, mesh(settings).products), there, "wrong")
    export(settings)
    assert ask(url, f"select count(*) from {schema}.mine") == [(0,)]
    assert "orders__v1" not in relations(url, schema)
    assert export(settings)[0].outcome == "unchanged"


def test_a_table_of_that_name_is_not_replaced(place):
    settings, url, schema = place
    ask(url, f"create schema {schema}; create table {schema}.totals (a int); select 1")
    (found,) = export(settings)
    assert found.outcome == "failed"
    assert "totals is there already, and not made by an export" in found.why
    assert relations(url, schema) == {"totals": "r"}, "nothing is left behind"


def test_another_store_does_not_replace_ours(place, tmp_path_factory):
    settings, url, schema = place
    export(settings)
    other = shop(tmp_path_factory.mktemp("other"), [to_postgres(schema)])
    publish(other, 7)
    (found,) = export(other)
    assert "another store" in found.why
    assert round_of(url, schema) == 1


def test_a_long_reader_is_waited_for_and_never_torn(place, monkeypatch):
    settings, url, schema = place
    export(settings)
    monkeypatch.setattr("dataops_mesh.export.postgres.PATIENCE", 0.5)
    publish(settings, 2)
    with reading(url) as cursor:
        cursor.execute("begin")
        cursor.execute(f"select round from {schema}.totals")
        assert cursor.fetchall() == [(1,)]
        (found,) = export(settings)
        assert found.outcome == "failed"
        assert "lock not available" in found.why
        cursor.execute(f"select max(amount) from {schema}.orders")
        assert cursor.fetchall() == [(1,)], "what it has not read yet is of the same publication"
        cursor.execute("commit")
    assert export(settings)[0].outcome == "exported"
    assert round_of(url, schema) == 2


def test_a_table_of_somebody_else_with_our_name_is_not_believed(place, monkeypatch):
    settings, url, schema = place
    export(settings)
    who, other = f"r{uuid.uuid4().hex[:8]}", f"s{uuid.uuid4().hex[:8]}"
    made = (
        f"create role {who} login password 'x'; create role {who}_us login password 'x';"
        f" grant create on database {url.rpartition('/')[2]} to {who}, {who}_us;"
        f" set role {who}; create schema {other};"
        f" create table {other}._mesh_exports as select * from {schema}._mesh_exports;"
        f" grant usage on schema {other} to public;"
        f" grant select on {other}._mesh_exports to public; reset role"
    )
    with reading(url) as cursor:
        cursor.execute(f"grant select on {schema}._mesh_exports to public")
        cursor.execute(f"grant usage on schema {schema} to public")
        for one in made.split(";"):
            cursor.execute(one)
    ours = url.replace(url.split("//")[1].split("@")[0], f"{who}_us:x")
    monkeypatch.setenv(VARIABLE, ours)
    mine = shop(settings.root, [to_postgres(f"{schema}_2")])
    assert [one.outcome for one in export(mine)] == ["exported"]
    assert relations(url, other) == {"_mesh_exports": "r"}
    assert round_of(url, f"{schema}_2") == 1
