"""The state of a dbt product is part of its candidate's evidence, and comes back as it was."""

from __future__ import annotations

import duckdb
import pytest
from dbt_cases import write_project
from dbt_state_cases import FIRST, INCREMENTAL, SECOND, a_mesh, build
from helpers import environment, read

from dataops_mesh.errors import CorruptError
from dataops_mesh.store.manifest import read_manifest


@pytest.fixture
def settings(tmp_path):
    return a_mesh(tmp_path)


def test_no_address_leads_to_the_state_and_it_is_part_of_the_evidence(settings):
    report = build(settings, FIRST)
    store = environment(settings).store
    (state,) = read_manifest(store, report.candidate).state
    assert state.path == "dbt.state/state.duckdb"
    assert state.sha256
    names = {one for (one,) in read(settings, "select table_name from information_schema.tables")}
    assert not [one for one in names if "state" in one]
    (store.candidates / report.candidate / state.path).write_bytes(b"other")
    with pytest.raises(CorruptError, match="is not what was kept"):
        build(settings, SECOND)


def test_types_and_names_of_any_kind_come_back_as_they_were(settings):
    odd = (
        "select id::hugeint as \"Größe (cm)\", ('a')::enum('a', 'b') as kind, "
        "interval 1 month as long, '12:00:00+02'::timetz as at_, {'x': [1::uhugeint]} as deep "
        "from {{ source('shop', 'orders') }}\n"
    )
    write_project(settings.root, {"models/odd.sql": INCREMENTAL.format(more="") + odd})
    for rows in (FIRST, SECOND):
        report = build(settings, rows)
        assert report.published
    store = environment(settings).store
    file = store.candidates / report.candidate / "dbt.state" / "state.duckdb"
    with duckdb.connect(str(file), read_only=True) as con:
        told = {name: kind for name, kind, *_ in con.execute("describe main.odd").fetchall()}
        assert con.execute("select count(*) from main.odd").fetchall() == [(4,)]
    assert told == {
        "Größe (cm)": "HUGEINT",
        "kind": "ENUM('a', 'b')",
        "long": "INTERVAL",
        "at_": "TIME WITH TIME ZONE",
        "deep": "STRUCT(x UHUGEINT[])",
    }
