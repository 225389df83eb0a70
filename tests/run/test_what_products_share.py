"""Columns, SQL macros and Python that products share: used, told when wrong, and on record."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    mesh,
    product,
    read,
    run,
    write_workspace,
)
from product_cases import AMOUNT, GOOD, KEY

from dataops_mesh.cli.examine import examine
from dataops_mesh.cli.planning import plan_of
from dataops_mesh.errors import DeclarationError, TransformError
from dataops_mesh.run.declaration import published_manifest, published_product
from dataops_mesh.run.identity import transform_fingerprint
from dataops_mesh.settings import Settings
from dataops_mesh.store.release import latest
from dataops_mesh.transform.dry.around import import_problems
from dataops_mesh.transform.validate import transform_problems
from dataops_mesh.transform.walls import walls_of

INCLUDE = "customProperties: [{property: include, vendor: dataops_mesh, value: ../../../shared/rules.odcs.yaml}]\n"
RULES = (
    "apiVersion: v3.2.0\nkind: DataContract\nid: rules\nversion: 1.0.0\nstatus: active\n"
    "schema:\n  - name: rules\n    quality:\n"
    "      - {id: enough, metric: rowCount, mustBeGreaterOrEqualTo: 2}\n"
)
PYTHON = "from money import in_euro\n\ndef transform(orders_csv):\n    return orders_csv.query('o', in_euro())\n"
MONEY = "from rates import RATE\n\ndef in_euro():\n    return f'select id, amount * {RATE} as amount from o'\n"


def shop(root: Path, files: dict[str, str], shared: dict[str, str], more: str = "") -> Settings:
    columns = [KEY, AMOUNT]
    found = a_product(
        {"orders": a_contract("orders", columns) + more},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.csv": GOOD, **files},
    )
    for name, text in shared.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return write_workspace(root, {"shop": {"orders": found}})


def test_an_included_file_is_part_of_plan_record_and_refusal(tmp_path: Path) -> None:
    files = {"orders.sql": "select id, amount from orders_csv"}
    settings = shop(tmp_path, files, {"shared/rules.odcs.yaml": RULES}, INCLUDE)
    assert run(settings, "shop.orders").published
    env, found = environment(settings), product(settings, "shop.orders")
    manifest = published_manifest(env.store, latest(env.store), found)
    kept = published_product(env.store, manifest)
    assert kept is not None
    assert [rule.name for rule in kept.outputs[0].contract.rules] == ["enough"]
    (tmp_path / "shared" / "rules.odcs.yaml").write_text(RULES.replace("To: 2", "To: 3"), "utf-8")
    (planned,) = plan_of(settings, mesh(settings), [], "published").products
    assert planned.product == "shop.orders"
    assert [str(one.where) for one in planned.changes] == ["shared/rules.odcs.yaml:9"]
    assert not run(settings, "shop.orders").published


SQL = "select id,\n  Times(amount, -- a comment\n    2) as amount\nfrom orders_csv where 'times(1, 2)' <> ''\n"
MACROS = "-- what money is\ncreate macro times(a, b) as a * plus(b, 0);\ncreate or replace macro plus(a, b) as a + b;\n"


def test_a_macro_computes_what_it_computes_in_duckdb(tmp_path: Path) -> None:
    settings = shop(tmp_path, {"orders.sql": SQL}, {"domains/shop/shared/money.sql": MACROS})
    assert transform_problems(product(settings, "shop.orders")) == ()
    assert run(settings, "shop.orders").published
    assert read(settings, "select id, amount from shop.orders order by id") == [(1, 20), (2, 40)]
    before = transform_fingerprint(product(settings, "shop.orders"))
    file = tmp_path / "domains" / "shop" / "shared" / "money.sql"
    file.write_text(MACROS.replace("a + b", "b + a + 1"), "utf-8")
    assert transform_fingerprint(product(settings, "shop.orders")) != before
    (planned,) = plan_of(settings, mesh(settings), [], "published").products
    assert planned.product == "shop.orders"


WRONG = {
    "create macro times(a, b) as (select a * max(amount) from orders_csv)": "reads a table",
    "create macro times(a, b) as a * b * amount": "uses amount, which is no parameter",
    "create macro times(a, b) as table select a": "makes a table",
    "create macro times(a, b := 2) as a * b": "no plain name of a parameter",
    "create macro times(a) as a * 2": "calls times with 2 values",
    "create macro times(a, b) as a, b": "is not one expression",
    "create macro times(a, b) as times(a, b)": "macros call each other: times -> times",
    "create macro times(a, b) as a *": "is not valid SQL",
    "create macro times(a, b) as list_transform(a, x -> x + b)": "a lambda inside",
    "drop table x; create macro times(a, b) as a": "is no macro",
    "create macro times(a, b) as a;\ncreate macro times(a, b) as b": "is also defined at shared/money.sql:1",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_macro_that_cannot_be_shared_is_told_with_its_line(text: str, tmp_path: Path) -> None:
    settings = shop(tmp_path, {"orders.sql": SQL}, {"shared/money.sql": text})
    (problem,) = transform_problems(product(settings, "shop.orders"))
    assert WRONG[text] in problem.what
    assert problem.where
    assert problem.where.file in {"shared/money.sql", "domains/shop/orders/orders.sql"}


def test_a_macro_may_not_stand_for_a_function_that_hides_values(tmp_path: Path) -> None:
    sql = {"orders.sql": "select id, sha256(amount) as amount from orders_csv"}
    settings = shop(tmp_path, sql, {"shared/m.sql": "create macro sha256(a) as a"})
    (problem,) = transform_problems(product(settings, "shop.orders"))
    assert 'may not be called "sha256"' in problem.what


def test_a_wrong_macro_that_nobody_calls_stops_nobody(tmp_path: Path) -> None:
    files = {"orders.sql": "select id, amount from orders_csv"}
    settings = shop(tmp_path, files, {"shared/money.sql": "create macro times(a) as"})
    found = product(settings, "shop.orders")
    assert transform_problems(found) == ()
    problems, notes = examine((found,), mesh(settings), settings)
    assert problems == []
    told = [str(one.where) for _, one in notes]
    assert "shared/money.sql:1" in told


def test_a_text_in_a_macro_stays_as_it_is(tmp_path: Path) -> None:
    sql = {"orders.sql": "select id, amount from orders_csv where tell(id) = '1 -- ; '"}
    macro = "create macro tell(a) as a || ' -- ; '; -- what is told\n/* no */\n"
    settings = shop(tmp_path, sql, {"shared/m.sql": macro})
    assert run(settings, "shop.orders").published
    assert read(settings, "select id from shop.orders") == [(1,)]


def test_where_a_missing_module_may_be_put_is_said(tmp_path: Path) -> None:
    settings = shop(tmp_path, {"transform.py": PYTHON}, {})
    (problem,) = import_problems(product(settings, "shop.orders"), walls_of(settings))
    assert "put money.py into a folder `shared`" in problem.next


@pytest.mark.parametrize(
    ("line", "kind"),
    [("open('rates.json')", "FileNotFoundError"), ("open('/etc/x', 'w')", "PermissionError")],
)
def test_a_file_that_a_module_cannot_open_is_told_of_its_product(
    tmp_path: Path, line, kind
) -> None:
    """And not as a fault of the machine, which would end the command for all."""
    settings = shop(tmp_path, {"transform.py": f"RATES = {line}\n" + PYTHON}, {})
    (problem,) = import_problems(product(settings, "shop.orders"), walls_of(settings))
    assert kind in problem.what
    assert str(problem.where) == "domains/shop/orders/transform.py:1"


def test_modules_of_domain_and_workspace_are_imported_and_fingerprinted(tmp_path: Path) -> None:
    shared = {"domains/shop/shared/money.py": MONEY, "shared/rates/__init__.py": "RATE = 2\n"}
    shared["shared/rates/data.csv"] = "1\n"
    settings = shop(tmp_path, {"transform.py": PYTHON}, shared)
    assert run(settings, "shop.orders").published
    assert read(settings, "select amount from shop.orders order by 1") == [(20,), (40,)]
    seen = {transform_fingerprint(product(settings, "shop.orders"))}
    for name, text in shared.items():
        (tmp_path / name).write_text(text + "\n", "utf-8")
        seen.add(transform_fingerprint(product(settings, "shop.orders")))
    assert len(seen) == 4
    (planned,) = plan_of(settings, mesh(settings), [], "published").products
    assert planned.product == "shop.orders"


def test_no_shared_module_stands_for_an_installed_one(tmp_path: Path) -> None:
    python = "import json\n\ndef transform(orders_csv):\n    json.dumps(1)\n    return orders_csv\n"
    settings = shop(tmp_path, {"transform.py": python}, {"shared/json.py": "raise SystemExit\n"})
    assert run(settings, "shop.orders").published


def test_modules_of_another_domain_are_not_imported(tmp_path: Path) -> None:
    shared = {"domains/other/shared/money.py": MONEY, "domains/other/shared/rates.py": "RATE = 2\n"}
    settings = shop(tmp_path, {"transform.py": PYTHON}, shared)
    with pytest.raises(TransformError, match="money"):
        run(settings, "shop.orders")


def test_a_shared_folder_is_no_product_and_no_domain(tmp_path: Path) -> None:
    files = {"orders.sql": "select id, amount from orders_csv"}
    shared = {"domains/shop/shared/rules.odcs.yaml": RULES, "shared/rules.odcs.yaml": RULES}
    settings = shop(tmp_path, files, shared, INCLUDE)
    assert [one.qualified_name for one in mesh(settings).products] == ["shop.orders"]


def test_a_missing_include_refuses_to_load(tmp_path: Path) -> None:
    settings = shop(tmp_path, {"orders.sql": "select 1"}, {}, INCLUDE)
    with pytest.raises(DeclarationError, match="does not exist"):
        product(settings, "shop.orders")
