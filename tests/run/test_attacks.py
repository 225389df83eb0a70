"""Ways around the gate that must not exist, and values that must not leave."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    environment,
    product,
    read,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.errors import CorruptError, DeclarationError, MeshError, StoreError
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.run import audit as stage
from dataops_mesh.run import product as running
from dataops_mesh.settings import Settings
from dataops_mesh.spec.checks.check import CheckResult, Outcome
from dataops_mesh.spec.model import Address
from dataops_mesh.store.manifest import all_refs, folder, read_manifest
from dataops_mesh.store.record import plain
from dataops_mesh.store.release import commit, entries_of, latest

KEY = "{name: id, logicalType: integer, primaryKey: true}"
AMOUNT = "{name: amount, logicalType: integer, required: true}"
GOOD = "id,amount\n1,10\n2,20\n"
BAD = "id,amount\n1,10\n1,10\n"


def shop(root: Path, *rules: str, csv: str = GOOD, python: str = "") -> Settings:
    transform = (
        {"transform.py": python} if python else {"orders.sql": "select id, amount from orders_csv"}
    )
    files = a_product(
        {"orders": a_contract("orders", [KEY, AMOUNT], *rules)},
        inputs=[
            a_source(
                "orders_csv", "orders.csv", "{name: some, metric: rowCount, mustBeGreaterThan: 0}"
            )
        ],
        files={"orders.csv": csv, **transform},
    )
    return write_workspace(root, {"shop": {"orders": files}})


# --- results that were dropped or changed between audit and gate

Tamper = Callable[[tuple[CheckResult, ...], int], tuple[CheckResult, ...]]
TAMPERED: dict[str, Tamper] = {
    "dropped": lambda found, i: found[:i] + found[i + 1 :],
    "doubled": lambda found, i: (*found, found[i]),
    "of another candidate": lambda found, i: _with(found, i, candidate="shop/orders/x"),
    "of another version of the check": lambda found, i: _with(found, i, fingerprint="0"),
    "of another port": lambda found, i: _with(found, i, port=Address("shop", "other")),
    "under another name": lambda found, i: _with(found, i, check="another"),
    "without a number": lambda found, i: _with(found, i, observed=None),
    "with a number that does not pass": lambda found, i: _with(found, i, observed=-99.0),
    "errored": lambda found, i: _with(found, i, outcome=Outcome.ERRORED),
    "with an unknown outcome": lambda found, i: _with(found, i, outcome="fine"),
    "all dropped": lambda *_: (),
}  # fmt: skip


def _with(found: tuple[CheckResult, ...], index: int, **changes: object) -> tuple[CheckResult, ...]:
    changed = replace(found[index], **changes)  # type: ignore[arg-type] # some are wrong on purpose
    return (*found[:index], changed, *found[index + 1 :])


@pytest.mark.parametrize("how", TAMPERED)
def test_a_candidate_without_its_own_whole_results_is_never_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    settings = shop(tmp_path)
    assert run(settings, "shop.orders").published
    write_product(tmp_path, "shop", "orders", {"orders.csv": "id,amount\n7,70\n"})
    real = stage.audit
    checks = len(run(settings, "shop.orders").checks)
    published = latest(environment(settings).store).number
    # Every result, incoming ones too, can be the one that is missing; the rest is told by two.
    indices = range(checks) if how == "dropped" else (0, checks - 1)
    for index in indices:
        seen = 0

        def tampered(*given: Any, at: int = index, **more: Any) -> tuple[CheckResult, ...]:
            nonlocal seen
            found = real(*given, **more)
            start, seen = seen, seen + len(found)
            return TAMPERED[how](found, at - start) if start <= at < seen else found

        monkeypatch.setattr(stage, "audit", tampered)
        report = run(settings, "shop.orders")
        assert isinstance(report.decision, Refuse), f"{how}: result {index}"
        assert report.publication is None
    assert latest(environment(settings).store).number == published


def test_a_port_that_no_check_covers_is_never_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shop(tmp_path)
    monkeypatch.setattr(running, "all_checks", lambda *_: ())
    report = run(settings, "shop.orders")
    assert isinstance(report.decision, Refuse)
    assert "no check is declared" in report.decision.reasons[0]


# --- around the gate, through the engine


def test_a_refused_candidate_cannot_be_committed(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    write_product(tmp_path, "shop", "orders", {"orders.csv": BAD})
    report = run(settings, "shop.orders")
    store = environment(settings).store
    manifest = read_manifest(store, report.candidate)
    claims = [
        entries_of(manifest),
        entries_of(replace(manifest, verdict="publish", results=())),
    ]
    for changes in claims:
        with pytest.raises(StoreError, match="not passed by the gate"):
            commit(store, latest(store), changes, run_id="x", person="x")
        with pytest.raises(StoreError, match="not passed by the gate"):
            commit(store, latest(store), changes, run_id="x", person="x", kind="rollback")
    assert read(settings, "select count(*) from shop.orders where id = 2") == [(1,)]


def test_a_broken_candidate_cannot_be_committed(tmp_path: Path) -> None:
    settings = shop(tmp_path, python="def transform(orders_csv):\n    raise ValueError\n")
    with pytest.raises(MeshError):
        run(settings, "shop.orders")
    store = environment(settings).store
    (ref,) = all_refs(store)
    with pytest.raises(StoreError):
        commit(store, latest(store), entries_of(read_manifest(store, ref)), run_id="", person="")


def test_a_verdict_edited_on_the_disk_is_seen(tmp_path: Path) -> None:
    settings = shop(tmp_path, csv=BAD)
    report = run(settings, "shop.orders")
    store = environment(settings).store
    file = folder(store, report.candidate) / "manifest.json"
    honest = read_manifest(store, report.candidate)
    file.write_text(file.read_text().replace('"verdict": "refuse"', '"verdict": "publish"'))
    with pytest.raises(CorruptError):
        commit(store, latest(store), entries_of(honest), run_id="", person="")


# --- SQL and Python that reach for something else

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


# --- classified values

SECRETS = ("anna-smith", "bert-jones", "DE89370400440532013000")
COLUMNS = [
    "{name: id, logicalType: integer, classification: public, required: true, unique: true}",
    "{name: city, logicalType: string, classification: internal, enum: [{value: Rome}]}",
    "{name: name, logicalType: string, unique: true, required: true, logicalTypeOptions: {maxLength: 3}}",
    (
        "{name: iban, logicalType: string, classification: confidential,"
        " logicalTypeOptions: {pattern: '^X'}, enum: [{value: X1}]}"
    ),
]
PEOPLE = (
    "id,city,name,iban\n"
    f"1,Oslo-shown,{SECRETS[0]},{SECRETS[2]}\n"
    f"1,Oslo-shown,{SECRETS[0]},{SECRETS[2]}\n"
    f",Rome,{SECRETS[1]},{SECRETS[2]}\n"
)


def test_a_classified_value_is_in_no_sample_record_or_report(tmp_path: Path) -> None:
    rules = [
        "{name: keys, metric: duplicateValues, arguments: {properties: [name, iban]}, mustBe: 0}",
        "{name: cast, type: sql, query: 'select sum(iban::int) from {object}', mustBe: 0}",
        "{name: text, type: sql, query: 'select max(iban) from {object}', mustBe: 0}",
    ]
    expectations = [
        "{name: once, column: iban, metric: duplicateValues, mustBe: 0, severity: warning}",
        "{name: some, column: name, metric: invalidValues, arguments: {validValues: [x]}, mustBe: 0, severity: warning}",
    ]
    files = a_product(
        {"people": a_contract("people", COLUMNS, *rules)},
        inputs=[a_source("people_csv", "people.csv", *expectations)],
        files={"people.sql": "from people_csv", "people.csv": PEOPLE},
    )
    settings = write_workspace(tmp_path, {"shop": {"people": files}})
    report = run(settings, "shop.people")
    assert not report.published
    failed = {result.check for result in report.results if result.outcome is Outcome.FAILED}
    assert {
        "id_unique",
        "name_unique",
        "name_length",
        "iban_pattern",
        "iban_enum",
        "keys",
    } <= failed
    assert {"input_people_csv_once", "input_people_csv_some"} <= failed
    errored = {result.check for result in report.results if result.outcome is Outcome.ERRORED}
    assert errored == {"cast", "text"}

    environment_ = environment(settings)
    store = environment_.store
    manifest = (folder(store, report.candidate) / "manifest.json").read_text()
    with sqlite3.connect(store.ledger_file) as ledger:
        dump = "\n".join(ledger.iterdump())
    told = json.dumps([plain(result) for result in report.results]) + repr(report.decision)
    for text in (manifest, dump, told):
        assert not any(secret in text for secret in SECRETS)
    assert "Oslo-shown" in manifest  # samples do exist
    assert "Oslo-shown" not in dump


def test_everything_published_has_passed_every_check_of_its_contract(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    report = run(settings, "shop.orders")
    assert isinstance(report.decision, Publish)
    manifest = read_manifest(environment(settings).store, report.candidate)
    assert {r.check for r in manifest.results} == {c.name for c in report.checks}
    assert product(settings, "shop.orders").outputs[0].contract.fingerprint in {
        contract.fingerprint for contract in manifest.contracts
    }
