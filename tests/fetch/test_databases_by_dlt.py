"""A table of a real PostgreSQL by dlt: only rows that are new, and never one less than published."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from fetch_cases import everything_said, run
from helpers import read
from resource_cases import a_shop

sys.path.insert(0, str(Path(__file__).parents[1] / "production"))
from postgres import postgres

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_drivers]
PAGE = (Path(__file__).parents[2] / "docs/sources.md").read_text("utf-8")
CODE = re.search(r"```python\n(# orders.py, .*?)```", PAGE, re.DOTALL)[1]
AMOUNT = "{name: amount, logicalType: number, physicalType: 'DECIMAL(8,2)'}"
BELOW = "{name: id, logicalType: integer, primaryKey: true, logicalTypeOptions: {maximum: 9}}"


def execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)


def test_only_new_rows_come_and_what_was_refused_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with postgres() as url:
        plain = url.replace("+psycopg2", "")
        monkeypatch.setenv("MESH_CONNECTION_SHOP_DB", f'credentials = "{url}"')
        execute(plain, "create table orders (id int, amount numeric(8,2), updated_at timestamptz)")
        execute(plain, "insert into orders values (1, 1.50, '2024-01-01'), (2, 2, '2024-01-02')")
        settings = a_shop(
            tmp_path,
            CODE,
            BELOW,
            AMOUNT,
            value='resource: "orders.py:shop", connection: shop_db',
            sql="select id, amount::decimal(8,2) as amount from orders_raw",
        )
        assert run(settings).published
        assert len(read(settings, "from shop.orders")) == 2
        execute(plain, "insert into orders values (99, 9, '2024-01-03')")
        assert not run(settings).published
        execute(plain, "update orders set id = 3 where id = 99")
        execute(plain, "insert into orders values (4, 4.25, '2024-01-04')")
        assert run(settings).published
        found = read(settings, "select id, amount::varchar from shop.orders order by 1")
        assert found == [(3, "9.00"), (4, "4.25")]
        assert url.encode() not in everything_said(settings)
