"""Chance and the real clock in a transform are told with their line, and nothing else is."""

from __future__ import annotations

import pytest
from helpers import a_product, a_source, product, write_workspace

from dataops_mesh.transform.dry.chance import chance_notes

KEY = ["{name: id, logicalType: integer, primaryKey: true}"]


def notes(root, **files: str):
    named = {name.replace("_", ".", 1): text for name, text in files.items()}
    inputs = [a_source("orders_csv", "orders.csv")]
    made = a_product({"orders": KEY}, inputs=inputs, files={"orders.csv": "id\n1\n", **named})
    settings = write_workspace(root, {"shop": {"orders": made}})
    found = chance_notes(product(settings, "shop.orders"))
    assert all(one.next for one in found)
    return [(one.where.line, one.what.removeprefix("not reproducible: ")) for one in found]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("random()", "random() is another one each time"),
        ("uuid()", "uuid() is another one each time"),
        ("GEN_RANDOM_UUID()", "gen_random_uuid() is another one each time"),
        ("now()", "now() is the real clock"),
        ("current_date", "current_date is the real clock"),
        ("Current_Timestamp", "current_timestamp is the real clock"),
        ("today()", "today() is the real clock"),
    ],
)
def test_of_sql(tmp_path, sql, told):
    text = f"select id\nfrom orders_csv\nwhere id::text <> ({sql})::text"
    assert notes(tmp_path, orders_sql=text) == [(3, told)]


@pytest.mark.parametrize(
    "sql",
    [
        "mesh_now()",
        "hash(id)",
        "'now()'",
        '"current_date"',
        "o.now",
        "1 as today",
        "id::uuid",
        "1 /* random() */",
        "1 -- now()\n",
    ],
)
def test_what_only_looks_like_it_is_not_told(tmp_path, sql):
    assert notes(tmp_path, orders_sql=f"select {sql}, id from orders_csv o") == []


@pytest.mark.parametrize(
    ("head", "call", "name"),
    [
        ("from datetime import datetime", "datetime.now()", "datetime.datetime.now"),
        ("import datetime as dt", "dt.datetime.utcnow()", "datetime.datetime.utcnow"),
        ("from datetime import date as d", "d.today()", "datetime.date.today"),
        ("import time", "time.time()", "time.time"),
        ("import random", "random.choice([1])", "random.choice"),
        ("from random import random", "random()", "random.random"),
        ("import random", "random.Random()", "random.Random"),
        ("import numpy as np", "np.random.rand(3)", "numpy.random.rand"),
        ("import numpy as np", "np.random.default_rng()", "numpy.random.default_rng"),
        ("import uuid", "uuid.uuid4()", "uuid.uuid4"),
        ("import secrets", "secrets.token_hex()", "secrets.token_hex"),
        ("import os", "os.urandom(3)", "os.urandom"),
    ],
)
def test_of_python(tmp_path, head, call, name):
    text = f"{head}\n\ndef transform(orders_csv):\n    x = {call}\n    return orders_csv\n"
    ((line, told),) = notes(tmp_path, transform_py=text)
    assert line == 4
    assert told.startswith(f"{name}() is ")


@pytest.mark.parametrize(
    ("head", "call"),
    [
        ("from datetime import datetime", "datetime(2026, 1, 1)"),
        ("import random", "random.Random(7).choice([1])"),
        ("import random", "[random.seed(7), random.choice([1])]"),
        ("import numpy as np", "np.random.default_rng(seed=7).random()"),
        ("import uuid", "uuid.uuid5(uuid.NAMESPACE_URL, 'x')"),
        ("", "orders_csv.random()"),
        ("", "'datetime.now()'"),
    ],
)
def test_python_that_is_the_same_each_time_is_not_told(tmp_path, head, call):
    text = f"{head}\n\ndef transform(orders_csv):\n    x = {call}\n    return orders_csv\n"
    assert notes(tmp_path, transform_py=text) == []


def test_what_does_not_parse_is_told_elsewhere(tmp_path):
    assert notes(tmp_path, transform_py="def transform(:\n") == []
