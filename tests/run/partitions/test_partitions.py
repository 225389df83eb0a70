"""One partition is one candidate; the others stay as they are, and no rule is weakened by it."""

from contextlib import suppress

import pytest
from partition_cases import (
    CADENCE,
    COLUMNS,
    MONTHS,
    SQL,
    THREE,
    amounts,
    build,
    contract,
    csv,
    sales,
    workspace,
)

from dataops_mesh.errors import DeclarationError, StoreError, UnknownNameError
from dataops_mesh.run.due import due_partitions
from dataops_mesh.run.word.rollback import rollback_product
from dataops_mesh.store.log import latest
from dataops_mesh.transform.validate import transform_problems
from tests.helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    product,
    read,
    run,
    write_product,
    write_workspace,
)


def test_publishing_one_partition_leaves_the_others_as_they_are(tmp_path):
    settings = workspace(tmp_path)
    for key in MONTHS:
        assert build(settings, key).published
    write_product(tmp_path, "shop", "sales", {"sales.csv": THREE.replace("20\n", "21\n")})
    assert build(settings, "2020-02-01").published
    assert amounts(settings) == [(1, 10), (2, 21), (3, 30)]
    parts = (
        latest(environment(settings).store)
        .ports[product(settings, "shop.sales").outputs[0].address]
        .parts
    )
    assert [(part.key, part.publication) for part in parts] == list(
        zip(MONTHS, (1, 4, 3), strict=True)
    )


def test_a_refused_partition_does_not_stop_its_siblings(tmp_path):
    settings = workspace(tmp_path, rows=csv("1,2020-01-05,10", "2,2020-02-05,", "3,2020-03-05,30"))
    assert [build(settings, key).published for key in MONTHS] == [True, False, True]
    assert amounts(settings) == [(1, 10), (3, 30)]
    assert due_partitions(product(settings, "shop.sales"), environment(settings)) == (
        "2020-02-01",
        "2020-03-01",
    )


def test_rows_of_another_partition_are_refused(tmp_path):
    settings = workspace(tmp_path, sql="select id, day, amount from sales_csv")
    report = build(settings, "2020-01-01")
    assert not report.published
    assert "in_partition" in str(report.decision)


def test_a_row_of_no_partition_is_refused_and_not_called_one_of_another(tmp_path):
    columns = [column.replace("primaryKey: true, partitioned", "partitioned") for column in COLUMNS]
    rows = csv("1,2020-01-05,10", "2,,20")
    settings = workspace(
        tmp_path,
        rows=rows,
        sql="select id, day, amount from sales_csv",
        contract_text=contract(columns),
    )
    report = build(settings, "2020-01-01")
    (wrong,) = [one for one in report.results if one.outcome != "passed"]
    assert (wrong.check, wrong.observed) == ("in_partition", 1)
    assert "1 row of another partition than 2020-01-01, or of none (a null)" in wrong.reason


def test_a_partition_is_rolled_back_alone(tmp_path):
    settings = workspace(tmp_path)
    for key in MONTHS:
        build(settings, key)
    write_product(tmp_path, "shop", "sales", {"sales.csv": THREE.replace("0\n", "9\n")})
    for key in MONTHS[:2]:
        build(settings, key)
    assert amounts(settings) == [(1, 19), (2, 29), (3, 30)]
    rollback_product(product(settings, "shop.sales"), environment(settings), partition="2020-01-01")
    assert amounts(settings) == [(1, 10), (2, 29), (3, 30)]


def test_a_key_that_spans_partitions_is_checked_over_all_of_them(tmp_path):
    columns = [COLUMNS[0], COLUMNS[1].replace("primaryKey: true, ", "required: true, "), COLUMNS[2]]
    rows = csv("1,2020-01-05,10", "1,2020-02-05,20")
    settings = workspace(tmp_path, rows=rows, contract_text=contract(columns))
    assert build(settings, "2020-01-01").published
    report = build(settings, "2020-02-01")
    assert not report.published
    assert "primary_key" in str(report.decision)
    assert amounts(settings) == [(1, 10)]


def test_a_key_that_holds_the_partition_is_checked_within_it(tmp_path):
    settings = workspace(tmp_path)
    (check,) = [c for c in build(settings, MONTHS[0]).checks if c.name == "primary_key"]
    assert not check.table_wide


def test_one_partition_never_takes_the_place_of_a_whole_table(tmp_path):
    settings = write_workspace(
        tmp_path,
        {
            "shop": {
                "sales": sales(
                    sql=SQL.split(" where", maxsplit=1)[0],
                    contract_text=a_contract("sales", COLUMNS),
                )
            }
        },
        settings='now = "2020-03-20T00:00:00Z"\n',
    )
    assert run(settings, "shop.sales").published
    write_product(tmp_path, "shop", "sales", sales())
    with suppress(StoreError):
        assert not build(settings, MONTHS[0]).published
    assert len(amounts(settings)) == 3


@pytest.mark.parametrize("key", [None, "2020-04-01", "2020-02-02", "march"])
def test_a_partition_that_does_not_exist_is_an_error_with_choices(tmp_path, key):
    settings = workspace(tmp_path)
    with pytest.raises(UnknownNameError, match="2020-01-01"):
        build(settings, key)


def test_a_whole_product_takes_no_partition(tmp_path):
    settings = write_workspace(
        tmp_path,
        {
            "shop": {
                "sales": sales(
                    sql=SQL.split(" where", maxsplit=1)[0],
                    contract_text=a_contract("sales", COLUMNS),
                )
            }
        },
    )
    with pytest.raises(UnknownNameError, match="published whole"):
        build(settings, MONTHS[0])


def test_static_partitions_and_consumers_of_partitions(tmp_path):
    columns = [
        "{name: id, logicalType: integer, primaryKey: true}",
        "{name: region, logicalType: string, primaryKey: true, partitioned: true}",
    ]
    cut = contract(columns, "{values: [north, south]}")
    regions = a_product(
        {"sales": cut},
        inputs=[a_source("sales_csv", "sales.csv")],
        files={
            "sales.sql": "select id, region from sales_csv where region = partition_key()",
            "sales.csv": "id,region\n1,north\n2,south\n",
        },
    )
    total = a_product(
        {"total": ["{name: rows, logicalType: integer, required: true}"]},
        inputs=[an_input("shop.sales")],
        files={"total.sql": "select count(*) as rows from shop.sales"},
    )
    settings = write_workspace(tmp_path, {"shop": {"sales": regions, "total": total}})
    for key in ("north", "south"):
        assert build(settings, key).published
        assert run(settings, "shop.total").published
    assert read(settings, "select rows from shop.total") == [(2,)]


@pytest.mark.parametrize(
    ("columns", "cadence", "what"),
    [
        (COLUMNS[:1] + COLUMNS[2:], CADENCE, "exactly one column"),
        (
            [COLUMNS[0].replace("primaryKey", "partitioned: true, primaryKey"), COLUMNS[2]],
            CADENCE,
            "needs a date",
        ),
        (COLUMNS, "{cadence: hourly, start: '2020-01-01'}", "hourly needs a timestamp"),
        (COLUMNS, "{cadence: yearly, start: '2020-01-01'}", "yearly"),
        (COLUMNS, "{cadence: daily, start: '2020-01-01', timezone: Mars}", "no time zone"),
        (COLUMNS, "{cadence: daily, start: '2020-01-01', timezone: '+02:00'}", "as Europe/Zurich"),
        (
            COLUMNS,
            "{cadence: daily, start: '2020-01-01', timezone: europe/berlin}",
            "Europe/Berlin",
        ),
        (COLUMNS, "{cadence: daily}", "needs either cadence and start, or values"),
        (COLUMNS, "{cadence: daily, start: 'soon, please'}", "2013-01-01"),
        (COLUMNS, "{cadence: daily, start: '20200101'}", "2013-01-01"),
        (COLUMNS, "{cadence: weekly, start: '2020-W01-1'}", "2013-01-01"),
        (COLUMNS, "{cadence: daily, start: '0001-01-01', timezone: Asia/Tokyo}", "year 1000"),
        (COLUMNS, "{cadence: weekly, start: '0999-12-31'}", "year 1000"),
        (COLUMNS, "{cadence: daily, start: '2020-01-01', end: '2019-01-01'}", "not after"),
        (COLUMNS, "{values: [a, b]}", "is listed"),
    ],
)
def test_a_setting_that_cuts_nothing_is_a_declaration_error(tmp_path, columns, cadence, what):
    settings = workspace(tmp_path, contract_text=contract(columns, cadence))
    with pytest.raises(DeclarationError, match=what) as error:
        product(settings, "shop.sales")
    assert all(problem.where for problem in error.value.problems)


def test_a_python_transform_is_offered_its_partition(tmp_path):
    files = {
        "transform.py": (
            "import pyarrow as pa\n"
            "def transform(partition_key, partition_start, partition_end):\n"
            "    assert partition_key == partition_start.isoformat() < partition_end.isoformat()\n"
            "    return pa.table({'id': [1], 'day': [partition_start], 'amount': [7]})\n"
        )
    }
    settings = write_workspace(
        tmp_path,
        {"shop": {"sales": a_product({"sales": contract()}, files=files)}},
        settings='now = "2020-03-20T00:00:00Z"\n',
    )
    assert transform_problems(product(settings, "shop.sales")) == ()
    assert build(settings, MONTHS[0]).published
