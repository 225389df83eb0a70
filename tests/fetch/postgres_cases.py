"""A database of PostgreSQL as its owner writes to it, and queries on it."""

from __future__ import annotations

from contextlib import closing

import psycopg2


def execute(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def a_query(text: str, more: str = "") -> str:
    return f'query: "{text}", connection: shop_db{more}'
