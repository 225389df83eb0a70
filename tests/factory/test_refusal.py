"""What a refusal leaves in Dagster: all evidence, no materialization, no second try, no secret."""

from __future__ import annotations

import dagster as dg
import pytest
from helpers import a_contract, a_product, a_source, write_workspace
from locations import (
    BAD,
    COLUMNS,
    GOOD,
    ORDERS,
    execute,
    job_of,
    orders,
    rows,
    totals,
)

pytestmark = pytest.mark.usefixtures("without_pauses")
IBAN = "DE89370400440532013000"
OTHER = "GB29NWBK60161331926819"
CHECKS = {
    "schema",
    "not_empty",
    "primary_key",
    "id_required",
    "kind_required",
}


def said_of(result, name):
    return next(e for e in result.get_asset_check_evaluations() if e.check_name == name)


def plain(metadata):
    return {key: value.value for key, value in metadata.items()}


def test_every_check_of_a_refused_candidate_is_on_record(tmp_path, instance):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(BAD)}})
    result = execute(settings, "shop", instance)
    assert {e.check_name for e in result.get_asset_check_evaluations()} == CHECKS
    records = {
        key.name: found.event.asset_check_evaluation
        for key, record in instance.event_log_storage.get_latest_asset_check_execution_by_key(
            [dg.AssetCheckKey(ORDERS, name) for name in CHECKS]
        ).items()
        if (found := record)
    }
    assert records.keys() == CHECKS
    assert [name for name, found in records.items() if not found.passed] == ["primary_key"]
    failed = records["primary_key"]
    assert failed.severity is dg.AssetCheckSeverity.ERROR
    facts = plain(failed.metadata)
    assert facts["observed"] == 1.0
    assert facts["threshold"] == "mustBe 0"
    assert facts["mesh/publication"] == "refused"
    assert facts["declared at"].startswith("domains/shop/orders/orders.odcs.yaml:")
    kind = plain(records["kind_required"].metadata)
    assert kind["declared at"] == "domains/shop/orders/orders.odcs.yaml:9"
    candidates = {plain(found.metadata)["mesh/candidate"] for found in records.values()}
    assert len(candidates) == 1
    assert (settings.store_folder / "candidates" / candidates.pop() / "manifest.json").is_file()


def test_a_refusal_stores_no_materialization_and_wakes_nobody(tmp_path, instance):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders(BAD), "totals": totals("shop.orders")}}
    )
    result = execute(settings, "shop", instance)
    assert not result.success
    assert instance.get_latest_materialization_event(ORDERS) is None
    assert instance.get_latest_materialization_event(dg.AssetKey(["shop", "totals"])) is None
    started = {e.step_key for e in result.all_events if e.is_step_start}
    assert started == {"shop__orders"}
    assert rows(settings, "from shop.totals") is None


def test_the_failure_says_what_was_found_and_what_the_contract_says(tmp_path, instance):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(BAD)}})
    result = execute(settings, "shop", instance)
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    said = failed.step_failure_data.user_failure_data
    assert said.description.splitlines()[1:] == [
        "- shop.orders primary_key: 1 value of id repeats; the contract says mustBe 0"
    ]
    assert plain(said.metadata)["mesh/reasons"] == [
        "shop.orders primary_key: 1 value of id repeats; the contract says mustBe 0"
    ]


def test_a_warning_is_published_and_says_warn(tmp_path, instance):
    contract = a_contract(
        "orders", COLUMNS, "{name: more, metric: rowCount, mustBeGreaterThan: 9, severity: warning}"
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD, columns=contract)}})
    result = execute(settings, "shop", instance)
    assert result.success
    assert said_of(result, "more").severity is dg.AssetCheckSeverity.WARN
    assert not said_of(result, "more").passed
    (event,) = result.get_asset_materialization_events()
    assert plain(event.materialization.metadata)["mesh/warnings"] == [
        "shop.orders more: there are 2 rows; the contract says mustBeGreaterThan 9"
    ]


def test_a_verdict_is_never_retried(tmp_path, instance, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_RETRIES", "2")
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(BAD)}})
    result = execute(settings, "shop", instance)
    assert not result.success
    assert [e for e in result.all_events if e.is_step_up_for_retry] == []
    assert len(result.get_asset_check_evaluations()) == len(CHECKS)


def test_a_check_that_could_not_run_may_be_retried_and_refuses(tmp_path, instance, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_RETRIES", "1")
    contract = a_contract(
        "orders",
        COLUMNS,
        "{name: odd, type: sql, query: 'select sum(kind::integer) from {object}', mustBe: 0, severity: info}",
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD, columns=contract)}})
    result = execute(settings, "shop", instance)
    assert not result.success
    assert len([e for e in result.all_events if e.is_step_up_for_retry]) == 1
    said = said_of(result, "odd")
    assert not said.passed
    assert plain(said.metadata)["observed"] == "could not run"
    assert rows(settings, "from shop.orders") is None


def test_a_mistake_in_the_transform_is_not_retried(tmp_path, instance, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_RETRIES", "2")
    broken = "select (kind::integer)::bigint as id, kind from orders_csv"
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(GOOD, select=broken)}})
    result = execute(settings, "shop", instance)
    assert not result.success
    assert [e for e in result.all_events if e.is_step_up_for_retry] == []
    assert result.get_asset_check_evaluations() == []


def test_a_refusal_of_incoming_data_builds_nothing_and_says_so(tmp_path, instance):
    product = a_product(
        ports={"orders": COLUMNS},
        inputs=[
            a_source(
                "orders_csv",
                "orders.csv",
                "{name: enough, metric: rowCount, mustBeGreaterThan: 9}",
            )
        ],
        files={
            "orders.sql": "select id::bigint as id, kind from orders_csv",
            "orders.csv": GOOD,
        },
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": product}})
    result = execute(settings, "shop", instance)
    assert not result.success
    (only,) = result.get_asset_check_evaluations()
    assert not only.passed
    candidate = plain(only.metadata)["mesh/candidate"]
    assert not list((settings.store_folder / "candidates" / candidate).rglob("*.parquet"))


def test_failing_rows_are_shown_without_classified_columns(tmp_path, instance):
    columns = [
        "{name: id, logicalType: integer, primaryKey: true, classification: public}",
        "{name: iban, logicalType: string, classification: restricted}",
        "{name: note, logicalType: string}",
        "{name: amount, logicalType: integer, classification: internal, logicalTypeOptions: {minimum: 0}}",
    ]
    product = a_product(
        ports={"payments": columns},
        inputs=[a_source("payments_csv", "payments.csv")],
        files={
            "payments.sql": "select id::bigint as id, iban, note, amount::bigint as amount from payments_csv",
            "payments.csv": f"id,iban,note,amount\n1,{IBAN},rent for Ana,-5\n2,{OTHER},x,7\n",
        },
    )
    settings = write_workspace(tmp_path, {"bank": {"payments": product}})
    result = execute(settings, "bank", instance)
    sample = said_of(result, "amount_range").metadata["sample"]
    assert [column.name for column in sample.schema.columns] == ["amount", "id"]
    assert [dict(record.data) for record in sample.records] == [{"amount": "-5", "id": "1"}]


PAYMENTS = f"id,iban\n1,{IBAN}\n2,{OTHER}\n2,{IBAN}\n"
SELECT = "select id::bigint as id, iban from payments_csv"
IBAN_COLUMN = "{name: iban, logicalType: string, classification: restricted%s}"


def payments(more="", *, rules=(), select=SELECT, expectations=(), python=""):
    columns = ["{name: id, logicalType: integer, primaryKey: true}", IBAN_COLUMN % more]
    transform = {"transform.py": python} if python else {"payments.sql": select}
    return a_product(
        ports={"payments": a_contract("payments", columns, *rules)},
        inputs=[a_source("payments_csv", "payments.csv", *expectations)],
        files={**transform, "payments.csv": PAYMENTS},
    )


LEAKS = {
    "length": payments(", logicalTypeOptions: {maxLength: 4}"),
    "pattern": payments(", logicalTypeOptions: {pattern: '^XX'}"),
    "unique": payments(", unique: true"),
    "a set": payments(
        ", quality: [{name: known, metric: invalidValues, arguments: {validValues: [a]}, mustBe: 0}]"
    ),
    "a query that breaks": payments(
        rules=[
            "{name: odd, type: sql, query: 'select sum(iban::integer) from {object}', mustBe: 0}"
        ]
    ),
    "incoming data": payments(
        expectations=["{name: once, column: iban, metric: duplicateValues, mustBe: 0}"]
    ),
    "incoming query that breaks": payments(
        expectations=[
            "{name: odd, type: sql, query: 'select sum(iban::integer) from {object}', mustBe: 0}"
        ]
    ),
    "sql that breaks": payments(select="select iban::integer as id, iban from payments_csv"),
    "sql of another type": payments(select="select iban as id, iban from payments_csv"),
    "python that raises": payments(
        python="def transform(payments_csv):\n"
        "    rows = payments_csv.fetchall()\n"
        "    raise ValueError(f'bad row {rows[0]}')\n"
    ),
    "python that divides": payments(
        python="def transform(payments_csv):\n    return payments_csv.fetchall()\n"
    ),
}


@pytest.mark.parametrize("product", LEAKS.values(), ids=LEAKS.keys())
def test_a_classified_value_is_in_no_event_and_no_log(
    tmp_path, kept_instance, capfd, caplog, product
):
    settings = write_workspace(tmp_path, {"bank": {"payments": product}})
    caplog.set_level("DEBUG")
    result = job_of(settings, "bank").execute_in_process(
        instance=kept_instance, raise_on_error=False
    )
    assert not result.success
    entries = kept_instance.all_logs(result.run_id)
    said = "\n".join([*(dg.serialize_value(e) for e in entries), *(str(e) for e in entries)])
    assert "bank__payments" in said
    printed = capfd.readouterr()
    stored = [file.read_bytes() for file in (tmp_path / "dagster").rglob("*") if file.is_file()]
    assert stored
    for value in (IBAN, OTHER):
        assert value not in said
        assert value not in printed.out + printed.err + caplog.text
        assert not [content for content in stored if value.encode() in content]


def test_an_input_that_was_never_published_is_an_error_that_says_what_to_run(tmp_path, instance):
    settings = write_workspace(
        tmp_path, {"shop": {"orders": orders(GOOD)}, "desk": {"totals": totals("shop.orders")}}
    )
    result = execute(settings, "desk", instance)
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    said = failed.step_failure_data.user_failure_data.description
    assert "has never been published" in said
    assert "next:  mesh run shop" in said
    assert result.get_asset_materialization_events() == []
