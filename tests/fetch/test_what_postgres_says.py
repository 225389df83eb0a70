"""What PostgreSQL says of a query or a row is told without a value, and tried again where that helps."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from fetch_cases import everything_said, run, shop
from helpers import environment, read
from postgres_cases import a_query, execute

from dataops_mesh.errors import SourceError

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_drivers]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select nothing_here as id", r'column "nothing_here" does not exist'),
        ("select 'hunter2'::int as id", "SQLSTATE 22P02"),
        ("select 1/0 as id", "SQLSTATE 22012"),
        ("select 1, 2", "no name"),
        ("select 1 as a, 2 as A", "two columns"),
    ],
)
def test_what_the_database_says_has_no_value_in_it(
    tmp_path: Path, database: str, query: str, why: str
):
    del database
    with pytest.raises(SourceError, match=why) as told:
        run(shop(tmp_path, a_query(query)))
    assert "hunter2" not in str(told.value)
    assert "product.odps.yaml" in str(told.value)


LATER = [
    "select 1 / (g - 90000) as id from generate_series(1, 100000) g",
    "select ('hunter' || g)::int as id from generate_series(2, 3) g",
    "select said() as id from generate_series(1, 3)",
]


@pytest.mark.parametrize("query", LATER)
def test_a_row_that_fails_is_told_without_its_words_and_not_asked_for_again(
    tmp_path: Path, database: str, query: str
):
    execute(
        database,
        "create function said() returns int language plpgsql as $$ begin "
        "raise exception 'hunter2' using errcode = '42P01'; end $$",
    )
    lines: list[str] = []
    with pytest.raises(SourceError, match="some row of it fails") as told:
        run(shop(tmp_path, a_query(query)), progress=lines.append)
    assert "hunter2" not in str(told.value)
    assert told.value.problems[0].next
    assert not [line for line in lines if "again" in line]


def test_an_answer_that_is_cut_off_is_asked_again(tmp_path: Path, database: str):
    # Whoever asks a second time finds that the first has been there, and is let be.
    execute(
        database,
        "create sequence tries",
        "create function cut(g int) returns int language plpgsql as $$ begin "
        "if g = 90000 and not exists (select from pg_stat_activity "
        "where application_name = 'mesh test: cut once') then "
        "perform pg_sleep(0.2); perform pg_terminate_backend(pg_backend_pid()); end if; "
        "return g; end $$",
    )
    settings = shop(tmp_path, a_query("select cut(g) as id from generate_series(1, 100000) g"))
    lines: list[str] = []
    with pytest.raises(SourceError, match="went away in the middle"):
        run(settings, progress=lines.append)
    assert len([line for line in lines if "trying again" in line]) == 3
    connection = psycopg2.connect(database, application_name="mesh test: cut once")
    with closing(connection):
        assert run(settings).published
    assert read(settings, "select count(*) from shop.orders") == [(100_000,)]


def test_a_database_that_is_not_there(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MESH_CONNECTION_SHOP_DB", f"{database.rpartition('/')[0]}/nowhere")
    with pytest.raises(SourceError, match="no database of the connection's name") as told:
        run(shop(tmp_path, a_query("select 1 as id")))
    assert "nowhere" not in str(told.value)


def test_what_changed_answers_is_kept_as_a_digest(tmp_path: Path, database: str):
    execute(database, "create table orders as select 1 as id, 'zaphod@heart.example' as who")
    changed = ", changed: 'select max(who) from orders'"
    settings = shop(tmp_path, a_query("select id from orders", changed))
    assert run(settings).published
    notes = [p.read_text() for p in environment(settings).store.fetched.rglob("note.json")]
    assert len(notes) == 1
    assert b"zaphod" not in everything_said(settings)


def test_a_database_that_is_away_and_a_wrong_password(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
):
    del database
    settings = shop(tmp_path, a_query("select 1 as id"))
    monkeypatch.setenv("MESH_CONNECTION_SHOP_DB", "postgresql://ana:hunter2@127.0.0.1:9/shop")
    with pytest.raises(SourceError, match="cannot be reached") as told:
        run(settings)
    assert "hunter2" not in str(told.value)
    monkeypatch.setenv("MESH_CONNECTION_SHOP_DB", "mongodb://ana:hunter2@127.0.0.1:9/shop")
    with pytest.raises(SourceError, match="no database that can be asked") as other:
        run(settings)
    assert "hunter2" not in str(other.value)
