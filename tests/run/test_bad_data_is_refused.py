"""What a run must refuse, and what it must only warn of."""

from __future__ import annotations

from pathlib import Path

from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    read,
    run,
    write_product,
    write_workspace,
)
from product_cases import AMOUNT, GOOD, KEY, manifests, shop

from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run.record import product_history
from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.spec.model import Severity
from dataops_mesh.store.manifest import REFUSE


def test_bad_data_is_refused_and_consumers_still_read_the_last_good(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    write_product(tmp_path, "shop", "orders", {"orders.csv": "id,amount\n1,10\n1,11\n3,\n"})
    report = run(settings, "shop.orders")
    assert not report.published
    assert not report.retryable
    assert report.publication is None
    assert isinstance(report.decision, Refuse)
    failed = {result.check for result in report.results if result.outcome is Outcome.FAILED}
    assert failed == {"primary_key", "amount_required"}
    assert read(settings, "select id, amount from shop.orders order by id") == [(1, 10), (2, 20)]
    assert manifests(settings)[-1].verdict == REFUSE or manifests(settings)[0].verdict == REFUSE
    event = product_history(environment(settings), "shop.orders", 1)[0]
    assert event.what == "refused"
    assert event.reasons == report.decision.reasons


def test_an_empty_delivery_is_refused_unless_the_contract_allows_it(tmp_path: Path) -> None:
    settings = shop(tmp_path, "select id, amount from orders_csv where id < 0")
    assert not run(settings, "shop.orders").published
    allowed = a_contract(
        "orders", [KEY, AMOUNT],
        extra="customProperties:\n  - {property: allowEmpty, vendor: dataops_mesh, value: true}\n",
    )  # fmt: skip
    write_product(tmp_path, "shop", "orders", {"orders.odcs.yaml": allowed})
    assert run(settings, "shop.orders").published


def test_a_refused_input_stops_the_run_before_the_transform(tmp_path: Path) -> None:
    transform = (
        "def transform(orders_csv):\n"
        "    if len(orders_csv) == 1:\n"
        "        raise RuntimeError('it ran')\n"
        "    return orders_csv\n"
    )
    files = a_product(
        {"orders": [KEY, AMOUNT]},
        inputs=[
            a_source(
                "orders_csv", "orders.csv", "{name: enough, metric: rowCount, mustBeGreaterThan: 1}"
            )
        ],
        files={"transform.py": transform, "orders.csv": GOOD},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": files}})
    assert run(settings, "shop.orders").published
    write_product(tmp_path, "shop", "orders", {"orders.csv": "id,amount\n7,70\n"})
    report = run(settings, "shop.orders")
    assert not report.published
    assert report.ports == ()
    assert [result.check for result in report.results] == ["input_orders_csv_enough"]
    assert read(settings, "select count(*) from shop.orders") == [(2,)]


def test_an_input_check_that_cannot_run_refuses_too(tmp_path: Path) -> None:
    rule = "{name: broken, column: nowhere, metric: nullValues, mustBe: 0, severity: warning}"
    files = a_product(
        {"orders": [KEY, AMOUNT]},
        inputs=[a_source("orders_csv", "orders.csv", rule)],
        files={"orders.sql": "select id, amount from orders_csv", "orders.csv": GOOD},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": files}})
    report = run(settings, "shop.orders")
    assert not report.published
    assert report.retryable


def test_a_warning_is_published_and_said(tmp_path: Path) -> None:
    rule = "{name: small, type: sql, query: 'select max(amount) from {object}', mustBeLessThan: 5, severity: warning}"
    settings = shop(tmp_path, "select id, amount from orders_csv", GOOD, rule)
    report = run(settings, "shop.orders")
    assert report.published
    assert isinstance(report.decision, Publish)
    assert len(report.decision.warnings) == 1
    (failed,) = (r for r in report.results if r.outcome is Outcome.FAILED)
    assert failed.severity is Severity.WARNING


def test_a_column_nobody_declared_is_refused(tmp_path: Path) -> None:
    settings = shop(tmp_path, "select id, amount, 1 as extra from orders_csv")
    assert not run(settings, "shop.orders").published
