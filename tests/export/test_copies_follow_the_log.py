"""Whatever the log says of a product, its copies say too: in a database and in a folder."""

from __future__ import annotations

import uuid

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
from helpers import environment, mesh, read, roll_back

from dataops_mesh.errors import ExportError
from dataops_mesh.run.exporting import export_product, known_exports
from dataops_mesh.run.word.erase import Forgot, erase
from dataops_mesh.run.word.erasing import erasing
from dataops_mesh.run.word.withdraw import taking, withdraw_product

pytestmark = pytest.mark.needs_postgres


@pytest.fixture
def place(tmp_path, database, monkeypatch):
    schema = f"s{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv(VARIABLE, database)
    return shop(tmp_path, [to_postgres(schema), to_folder()]), database, schema


def outcomes(found):
    return {one.target: one.outcome for one in found}


def both(outcome):
    return {"connection warehouse": outcome, "folder exports": outcome}


def current(settings):
    return settings.root / "exports" / "shop" / "sales" / "current"


def test_a_publication_is_copied_once(place):
    settings, url, schema = place
    publish(settings, 3)
    first = export(settings)
    assert outcomes(first) == both("exported"), first
    assert [one.rows for one in first] == [21, 21]
    assert outcomes(export(settings)) == both("unchanged")
    assert round_of(url, schema) == 3
    assert ask(url, f"select * from {schema}.orders order by 1") == [
        tuple(row) for row in read(settings, "select id, amount from shop.orders order by 1")
    ]
    assert in_folder(current(settings)) == (3, 20)


def test_a_rollback_is_followed_and_old_tables_go(place):
    settings, url, schema = place
    for number in (1, 2, 3):
        publish(settings, number)
        export(settings)
    assert round_of(url, schema) == 3
    roll_back(settings, "shop.sales")
    assert outcomes(export(settings)) == both("exported")
    assert round_of(url, schema) == 2
    assert in_folder(current(settings)) == (2, 20)
    assert sorted(relations(url, schema).values()) == ["r", "r", "r", "v", "v"]
    versions = sorted(path.name for path in current(settings).parent.glob("v*"))
    assert len(versions) == 2, "the one that is shown, and the one before"


def test_a_withdrawal_leaves_nothing(place):
    settings, url, schema = place
    publish(settings, 1)
    export(settings)
    there = environment(settings)
    what = taking("shop.orders", there, mesh(settings).products)
    withdraw_product(what, there, "wrong")
    assert outcomes(export(settings)) == both("exported")
    assert sorted(relations(url, schema)) == ["_mesh_exports", "totals", "totals__v1"]
    assert sorted(path.name for path in current(settings).iterdir()) == ["_mesh.json", "totals"]
    withdraw_product(taking("shop.totals", there, mesh(settings).products), there, "wrong too")
    assert outcomes(export(settings)) == both("withdrawn")
    assert outcomes(export(settings)) == both("unchanged")
    assert sorted(relations(url, schema)) == ["_mesh_exports"]
    assert not current(settings).exists()
    assert not list(current(settings).parent.glob("v*"))


def test_an_erasure_leaves_no_older_version_either(place):
    settings, _, _ = place
    for number in (1, 2):
        publish(settings, number)
        export(settings)
    there = environment(settings)
    what, whole = erasing("shop.sales", there, mesh(settings).products)
    erase(what, there, "asked", whole=whole, wait=False, forget=lambda _: Forgot(), tell=print)
    export(settings)
    assert not list(current(settings).parent.glob("v*"))


def test_what_is_exported_no_more_is_taken_away(place):
    settings, url, schema = place
    publish(settings, 1)
    export(settings)
    shop(settings.root, [to_folder()])
    assert outcomes(export(settings)) == {
        "connection warehouse": "withdrawn",
        "folder exports": "unchanged",
    }
    assert sorted(relations(url, schema)) == ["_mesh_exports"]
    assert outcomes(export(settings)) == {"folder exports": "unchanged"}


def test_a_view_that_somebody_dropped_comes_back(place):
    settings, url, schema = place
    publish(settings, 1)
    export(settings)
    ask(url, f"drop view {schema}.orders; select 1")
    assert outcomes(export(settings))["connection warehouse"] == "exported"
    assert round_of(url, schema) == 1


def test_what_is_said_of_a_column_is_a_comment_there(place):
    settings, url, schema = place
    publish(settings, 1)
    export(settings)
    found = ask(url, f"select col_description('{schema}.orders'::regclass, 1)")
    assert found == [("Which order.",)]
    key = "select count(*) from pg_constraint where contype = 'p' and conrelid = "
    assert ask(url, f"{key} '{schema}.orders__v1'::regclass") == [(1,)]


def test_the_other_target_goes_on_where_one_fails(place, monkeypatch):
    settings, url, schema = place
    publish(settings, 1)
    monkeypatch.setenv(VARIABLE, "postgresql://mesh:s3cr3t@127.0.0.1:1/none")
    found = export(settings)
    assert outcomes(found) == {"connection warehouse": "failed", "folder exports": "exported"}
    assert "s3cr3t" not in found[0].why
    assert "nothing listens there" in found[0].why
    assert "orders.odcs.yaml:" in found[0].why
    last = known_exports(["shop.sales"], environment(settings))[
        "shop.sales", "connection warehouse"
    ]
    assert (last.outcome, last.failures) == ("failed", 1)
    export(settings)
    monkeypatch.setenv(VARIABLE, url)
    assert outcomes(export(settings))["connection warehouse"] == "exported"
    assert round_of(url, schema) == 1


def test_nothing_leaves_a_sandbox(place):
    settings, _, _ = place
    publish(settings, 1)
    there = environment(settings)
    line = there.store.on("sandboxes/try~1")
    apart = type(there)(line, settings)
    with pytest.raises(ExportError, match="sandbox try"):
        export_product(mesh(settings).products[0], apart)
