"""A change of schema needs all partitions, and a rebuild publishes all of them or none."""

import pytest
from partition_cases import COLUMNS, MONTHS, SQL, THREE, amounts, build, contract, sales, workspace

from dataops_mesh.run.rebuild import rebuild_product
from dataops_mesh.store.log import latest
from tests.helpers import environment, product, read, write_product


def test_an_added_column_may_be_null_in_older_partitions(tmp_path):
    settings = workspace(tmp_path)
    build(settings, MONTHS[0])
    more = [*COLUMNS, "{name: note, logicalType: string, classification: public}"]
    sql = SQL.replace("amount from", "amount, 'new' as note from")
    write_product(tmp_path, "shop", "sales", sales(sql=sql, contract_text=contract(more)))
    assert build(settings, MONTHS[1]).published
    rows = read(settings, "select id, note from shop.sales order by id")
    assert rows == [(1, None), (2, "new")]


@pytest.mark.parametrize(
    ("columns", "sql"),
    [
        (
            [*COLUMNS, "{name: note, logicalType: string, required: true}"],
            SQL.replace("amount from", "amount, 'new' as note from"),
        ),
        (
            [*COLUMNS[:2], COLUMNS[2].replace("integer", "string")],
            SQL.replace("amount from", "amount::varchar as amount from"),
        ),
    ],
)
def test_any_other_change_of_schema_needs_all_partitions_in_one_commit(tmp_path, columns, sql):
    settings = workspace(tmp_path)
    for key in MONTHS:
        build(settings, key)
    next_major = contract(columns).replace("version: 1.0.0", "version: 2.0.0")
    write_product(tmp_path, "shop", "sales", sales(sql=sql, contract_text=next_major))
    report = build(settings, MONTHS[1])
    assert not report.published
    assert "--rebuild" in str(report.decision)
    before = latest(environment(settings).store).number
    reports = rebuild_product(product(settings, "shop.sales"), environment(settings), run_id="all")
    assert [report.partition for report in reports] == list(MONTHS)
    assert {report.publication for report in reports} == {before + 1}
    assert read(settings, "select count(*) from shop.sales") == [(3,)]


def test_a_rebuild_obeys_the_rule_of_publication(tmp_path):
    settings = workspace(tmp_path)
    for key in MONTHS:
        build(settings, key)
    fewer = sales(sql=SQL.replace(", amount from", " from"), contract_text=contract(COLUMNS[:2]))
    write_product(tmp_path, "shop", "sales", fewer)
    reports = rebuild_product(product(settings, "shop.sales"), environment(settings), run_id="all")
    assert [report.published for report in reports] == [False, False, False]
    assert amounts(settings) == [(1, 10), (2, 20), (3, 30)]


def test_a_rebuild_with_one_bad_partition_publishes_none(tmp_path):
    settings = workspace(tmp_path)
    for key in MONTHS:
        build(settings, key)
    write_product(
        tmp_path,
        "shop",
        "sales",
        {"sales.csv": THREE.replace(",20\n", ",\n").replace("10\n", "11\n")},
    )
    reports = rebuild_product(product(settings, "shop.sales"), environment(settings), run_id="all")
    assert [report.publication for report in reports] == [None, None, None]
    assert amounts(settings) == [(1, 10), (2, 20), (3, 30)]
