"""A classified value is in no sample, record or report."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from helpers import a_contract, a_product, a_source, environment, run, write_workspace

from dataops_mesh.spec.checks.check import Outcome
from dataops_mesh.store.manifest import folder
from dataops_mesh.store.record import plain

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
