"""A product that is cut otherwise than its published partitions is rebuilt, or nothing changes."""

from __future__ import annotations

import uuid

import pytest
from partition_cases import COLUMNS, SQL, amounts, build, contract, csv, sales

from dataops_mesh.errors import StoreError
from dataops_mesh.run.due import due_partitions, partitions_and_holds, woken_partitions
from dataops_mesh.run.rebuild import rebuild_product
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.store.log import entries_of, latest
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.release import commit
from tests.helpers import a_setting, environment, product, write_product, write_workspace

CLOCK = 'now = "2020-01-08T12:00:00Z"\n'
THREE = csv("1,2020-01-03,10", "2,2020-01-05,20", "3,2020-01-06,30")
CUTS = {
    "monthly": "{cadence: monthly, start: '2020-01-01'}",
    "daily": "{cadence: daily, start: '2020-01-01'}",
}


def shop(cadence, columns=COLUMNS, sql=SQL, version="1.0.0"):
    text = contract(columns, CUTS[cadence]) + a_setting("allowEmpty", "true")
    text = text.replace("version: 1.0.0", f"version: {version}")
    return sales(rows=THREE, sql=sql, contract_text=text)


@pytest.mark.parametrize(("was", "now"), [("daily", "monthly"), ("monthly", "daily")])
def test_a_partition_never_repeats_the_rows_of_another_cut(tmp_path, was, now):
    settings = write_workspace(tmp_path, {"shop": {"sales": shop(was)}}, settings=CLOCK)
    keys = due_partitions(product(settings, "shop.sales"), environment(settings))
    for key in keys[2:6] or keys:
        build(settings, key)
    before, known = amounts(settings), latest(environment(settings).store).number
    assert before
    write_product(tmp_path, "shop", "sales", shop(now, version="2.0.0"))
    changed, env = product(settings, "shop.sales"), environment(settings)
    assert (due_partitions(changed, env), woken_partitions(changed, env)) == ((), {})
    (key,) = partitions_and_holds(changed, env)  # `mesh run` asks for one, which says why
    report = build(settings, key)
    assert not report.published
    assert f"partitions that are {was} by day" in str(report.decision)
    assert "mesh run shop.sales --rebuild" in str(report.decision)
    assert (amounts(settings), latest(env.store).number) == (before, known)

    rebuilt = rebuild_product(changed, env, run_id=uuid.uuid4().hex)
    assert all(report.published for report in rebuilt), rebuilt[0].decision
    assert amounts(settings) == [(1, 10), (2, 20), (3, 30)]
    key = "2020-01-01" if now == "monthly" else "2020-01-05"
    assert build(settings, key).published
    assert amounts(settings) == [(1, 10), (2, 20), (3, 30)]


def test_the_commit_refuses_it_whoever_asks(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"sales": shop("daily")}},
                               settings=CLOCK)  # fmt: skip
    old = build(settings, "2020-01-05")
    assert old.published
    write_product(tmp_path, "shop", "sales", shop("monthly", version="2.0.0"))
    env = environment(settings)
    assert rebuild_product(product(settings, "shop.sales"), env, run_id="r")[0].published
    entries = entries_of(read_manifest(env.store, old.candidate))
    with pytest.raises(StoreError, match="--rebuild"):
        commit(env.store, latest(env.store), entries, run_id="x", person="p",
               publisher=publisher_of(env))  # fmt: skip
    assert amounts(settings) == [(1, 10), (2, 20), (3, 30)]


def test_the_column_is_part_of_the_cut(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"sales": shop("monthly")}},
                               settings=CLOCK)  # fmt: skip
    assert build(settings, "2020-01-01").published
    columns = [*COLUMNS, "{name: booked, logicalType: date, partitioned: true}"]
    columns[1] = columns[1].replace("partitioned: true, ", "")
    sql = (
        "from (select id, day, amount, day + 20 as booked from sales_csv) "
        "where booked >= partition_start() and booked < partition_end()"
    )
    write_product(tmp_path, "shop", "sales", shop("monthly", columns, sql, "2.0.0"))
    report = build(settings, "2020-01-01")
    assert "monthly by day" in str(report.decision)
