"""`on_schema_change` of an incremental model does what it does in plain dbt, and `--full` mends."""

from __future__ import annotations

import duckdb
import pytest
from dbt_cases import write_project
from dbt_state_cases import BARE, FIRST, SECOND, Plain, a_mesh, build, compared
from helpers import environment

from dataops_mesh.errors import TransformError
from dataops_mesh.store.release import latest
from dataops_mesh.transform.dbt.state import state_file

COUNT = ["{name: orders, logicalType: integer}"]
BEFORE, AFTER = "id, amount, changed", "id, changed, 'x' as extra"
LONGER = f"{BEFORE}, 'x' as extra"
MODEL = (
    "{{{{ config(materialized='incremental', incremental_strategy='append', "
    "on_schema_change='{how}') }}}}\nselect {columns} from {{{{ source('shop', 'orders') }}}}\n"
)


def project(columns):
    first = next(iter(columns))
    count = f"select count(*)::integer as orders from {{{{ ref('{first}') }}}}\n"
    models = {
        f"models/{how}.sql": MODEL.format(how=how, columns=said) for how, said in columns.items()
    }
    return {**BARE, "models/counted.sql": count, **models}


def start(tmp_path, columns):
    settings = a_mesh(tmp_path, project(columns), {"counted": COUNT})
    return settings, Plain(tmp_path / "plain", project(columns), tuple(columns))


def kept(settings, names):
    """Return the rows of the state that is published."""
    store = environment(settings).store
    (entry,) = (e for address, e in latest(store).ports.items() if address.domain == "books")
    file = state_file(store.candidates / entry.candidate)
    with duckdb.connect(str(file), read_only=True) as con:
        return {
            name: compared(name, con.execute(f"from {name}").fetch_arrow_table().to_pylist())
            for name in names
        }


def test_columns_are_added_and_taken_away_as_in_plain_dbt(tmp_path):
    columns = dict.fromkeys(("ignore", "append_new_columns", "sync_all_columns"), BEFORE)
    settings, plain = start(tmp_path, columns)
    with plain:
        assert build(settings, FIRST).published
        assert kept(settings, columns) == plain.build(FIRST)
        columns = {"ignore": LONGER, "append_new_columns": AFTER, "sync_all_columns": AFTER}
        for root in (settings.root, plain.root):
            write_project(root, project(columns))
        held = plain.build(SECOND)
        report = build(settings, SECOND)
        assert report.published, report.decision
        assert {len(rows) for rows in held.values()} == {4}
        assert kept(settings, columns) == held
        assert {how: sorted(rows[0]) for how, rows in held.items()} == {
            "ignore": ["amount", "changed", "id"],
            "append_new_columns": ["amount", "changed", "extra", "id"],
            "sync_all_columns": ["changed", "extra", "id"],
        }


@pytest.mark.parametrize("how", ["fail", "ignore"])
def test_what_plain_dbt_refuses_is_refused_and_told_what_begins_anew(tmp_path, how):
    settings, plain = start(tmp_path, {how: BEFORE})
    with plain:
        first = plain.build(FIRST)
        assert build(settings, FIRST).published
        for root in (settings.root, plain.root):
            write_project(root, project({how: AFTER}))
        plain.build(SECOND)
        assert plain.failed
        with pytest.raises(TransformError) as caught:
            build(settings, SECOND)
        assert f"project/models/{how}.sql" in str(caught.value)
        assert "mesh run books.all --full" in str(caught.value)
        assert kept(settings, [how]) == first
        held = plain.build(SECOND, "--full-refresh")
        assert build(settings, full=True).published
        assert kept(settings, [how]) == held
