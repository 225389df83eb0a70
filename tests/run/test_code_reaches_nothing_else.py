"""SQL and Python of a product read their own data, whatever else they reach for."""

from __future__ import annotations

from pathlib import Path

import pytest
from attack_cases import BAD, shop
from helpers import read, run

from dataops_mesh.errors import DeclarationError, MeshError

EVIL = {
    "reads a file": "select count(*) from {object}, read_text('/etc/passwd')",
    "reads a file by name": "select count(*) from {object}, '/etc/passwd'",
    "reads files in an expression": "select (select count(*) from glob('/*')) from {object}",
    "reads another port": "select count(*) from {object}, shop.orders",
    "reads the engine": "select count(*) from {object}, duckdb_secrets()",
    "reads by a name in text": "select count(*) from {object}, query_table('orders')",
    "reads by SQL in text": "select count(*) from {object}, query('select 1')",
    "hides in a common table": "with t as (from '/etc/passwd') select count(*) from {object}, t",
    "describes": "select count(*) from {object}, (describe shop.orders)",
    "copies": "copy {object} to '@out'",
    "copies after a select": "select count(*) from {object}; copy (select 1) to '@out'",
    "attaches": "attach '@out' as x",
    "installs": "install httpfs",
    "sets": "set enable_external_access = true",
    "calls": "call enable_logging(storage = 'file', storage_path = '@out')",
    "creates": "create table x as select * from {object}",
    "deletes": "delete from {object}",
    "selects into": "select count(*) into x from {object}",
    "logs": "select count(*) from {object} where write_log('x') is null",
}


@pytest.mark.parametrize("case", EVIL)
def test_a_rule_that_does_more_than_read_its_candidate_never_publishes(
    tmp_path: Path, case: str
) -> None:
    out = tmp_path / "out"
    query = EVIL[case].replace("@out", str(out))
    settings = shop(tmp_path, f'{{name: evil, type: sql, query: "{query}", mustBe: 0}}')
    try:
        report = run(settings, "shop.orders")
    except DeclarationError as error:
        (problem, *_) = error.problems
        assert problem.where is not None
        assert problem.where.file == "domains/shop/orders/orders.odcs.yaml"
    else:
        assert not report.published
    assert not out.exists()


def test_a_relation_of_another_connection_is_its_own_rows_and_not_ours(tmp_path: Path) -> None:
    # Written by its SQL, it would read our view of the same name.
    settings = shop(
        tmp_path,
        python=(
            "import duckdb\n"
            "def transform(orders_csv):\n"
            "    other = duckdb.connect()\n"
            "    other.execute('create table orders_csv as select 7 as id, 77 as amount')\n"
            "    return other.sql('select id, amount from orders_csv')\n"
        ),
    )
    assert run(settings, "shop.orders").published
    assert read(settings, "select id, amount from shop.orders") == [(7, 77)]


def test_a_relation_over_a_local_variable_is_its_own_rows(tmp_path: Path) -> None:
    settings = shop(
        tmp_path,
        python=(
            "import duckdb\nimport pyarrow as pa\n"
            "def transform(orders_csv: pa.Table):\n"
            "    return duckdb.sql('select id, amount * 2 as amount from orders_csv')\n"
        ),
    )
    assert run(settings, "shop.orders").published
    assert read(settings, "select sum(amount)::int from shop.orders") == [(60,)]


def test_what_a_transform_does_to_its_session_is_not_seen_by_the_audit(tmp_path: Path) -> None:
    # A view under the port's address would be audited in place of the candidate.
    settings = shop(
        tmp_path,
        csv=BAD,
        python=(
            "def transform(orders_csv):\n"
            "    orders_csv.distinct().create_view('shop.orders', replace=True)\n"
            "    return orders_csv\n"
        ),
    )
    assert not run(settings, "shop.orders").published


def test_a_mistyped_relation_never_means_a_variable_of_the_library(tmp_path: Path) -> None:
    settings = shop(
        tmp_path,
        python=(
            "import pandas as pd\n"
            "def transform(orders_csv):\n"
            "    frame = pd.DataFrame({'id': [1], 'amount': [1]})\n"
            "    return orders_csv.query('x', 'select * from frame')\n"
        ),
    )
    with pytest.raises(MeshError, match="CatalogException"):
        run(settings, "shop.orders")
