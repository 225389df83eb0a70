"""Whatever the log says of a product, its copies say too: in a database and in a folder."""

from __future__ import annotations

import pytest
from export_cases import (
    VARIABLE,
    ask,
    export,
    in_folder,
    publish,
    relations,
    round_of,
    shop,
    to_folder,
    to_postgres,
)
from helpers import environment, lift, product, read, roll_back

from dataops_mesh.run.word.withdraw import withdraw_product

pytestmark = pytest.mark.needs_postgres


@pytest.fixture
def place(tmp_path, database, monkeypatch):
    schema = f"s{abs(hash(tmp_path))}"
    monkeypatch.setenv(VARIABLE, database)
    return shop(tmp_path, to_postgres(schema), to_folder()), database, schema


def outcomes(found):
    return {one.target: one.outcome for one in found}


def test_a_publication_is_copied_once(place):
    settings, url, schema = place
    publish(settings, 3)
    first = export(settings)
    assert outcomes(first) == {"connection warehouse": "exported", "folder exports": "exported"}, (
        first
    )
    assert [one.rows for one in first] == [21, 21]
    assert set(outcomes(export(settings)).values()) == {"unchanged"}
    assert round_of(url, schema) == 3
    assert ask(url, f"select * from {schema}.orders order by 1") == [
        tuple(row) for row in read(settings, "select id, amount from shop.orders order by 1")
    ]
    current = settings.root / "exports" / "shop" / "sales" / "current"
    assert in_folder(current) == (3, 20)


def test_a_rollback_is_followed(place):
    settings, url, schema = place
    for number in (1, 2):
        publish(settings, number)
        export(settings)
    assert round_of(url, schema) == 2
    roll_back(settings, "shop.sales")
    assert set(outcomes(export(settings)).values()) == {"exported"}
    assert round_of(url, schema) == 1
    lift(settings, "shop.sales")
    assert in_folder(settings.root / "exports/shop/sales/current") == (1, 20)
    names = relations(url, schema)
    assert sorted(names.values()) == ["r", "r", "r", "v", "v"], "old tables are gone"
