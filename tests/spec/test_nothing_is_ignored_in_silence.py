"""What the standards allow and this library does not do is refused by name, with its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from declared import (
    PRODUCT,
    Workspace,
    replaced,
    with_column,
    with_column_rule,
    with_contract,
    with_rule,
)

DATA = Path(__file__).parent / "data"

UNSUPPORTED = {
    "format": with_column("logicalType: string, logicalTypeOptions: {format: password}"),
    "zone": with_column(
        "logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Europe/Berlin}"
    ),
    "letters": with_column("logicalType: time, logicalTypeOptions: {format: 'HH:mm:ss n'}"),
    "required": with_column("logicalType: object, logicalTypeOptions: {required: [a]}"),
    "float16": with_column(
        "logicalType: vector, logicalTypeOptions: {dimensions: 3, elementType: float16}"
    ),
    "normalized": with_column(
        "logicalType: vector, logicalTypeOptions: {dimensions: 3, normalized: true}"
    ),
    "enum": with_column("logicalType: array, enum: [{value: a}]"),
    "invalidValues": with_column_rule(
        "metric: invalidValues, arguments: {validValues: [a]}, mustBe: 0", "array"
    ),
    '"measure"': with_column("logicalType: string, semanticType: measure"),
    "unmaskedRoles": with_column(
        "logicalType: string, customProperties: "
        "[{property: masking, vendor: dataops_mesh, value: {method: hash, secret: a, unmaskedRoles: [b]}}]"
    ),
    "rule": with_rule("metric: rowCount, mustBe: 1, rule: rowCount"),
    "valueExt": with_contract(
        "slaProperties: [{property: latency, value: 5, unit: d, element: seen_at, valueExt: 3}]\n"
    ),
    '"airflow"': with_contract(
        "slaProperties: [{property: latency, value: 5, unit: d, scheduler: airflow, schedule: 0 6 * * *}]\n"
    ),
    "element": with_contract(
        "slaProperties: [{property: retention, value: 5, unit: d, element: 'seats, seen_at'}]\n"
    ),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_contract_cannot_promise_what_nobody_checks(workspace: Workspace, name: str):
    problems = workspace.problems(contract=UNSUPPORTED[name])
    text = "\n".join(str(problem) for problem in problems)
    assert "not supported yet" in text
    assert name.partition(" ")[0] in text
    assert all(problem.where and problem.where.line > 4 for problem in problems)


DOCUMENTATION = """\
name: Aircraft
tenant: acme
tags: [a]
dataProduct: aircraft
description: {purpose: p, usage: u, limitations: l}
servers:
  - {server: local, type: duckdb, database: a.duckdb, schema: s}
support: [{channel: c, url: 'https://a.test'}]
price: {priceAmount: 0, priceCurrency: EUR, priceUnit: month}
team: [{username: a@b.test, role: owner}]
roles: [{role: reader, access: read}]
authoritativeDefinitions: [{url: 'https://a.test', type: x}]
customProperties: [{property: anything, value: 1, vendor: soda}]
contractCreatedTs: 2026-01-05T10:00:00Z
"""


def test_documentation_is_not_an_error(workspace: Workspace):
    column = with_column(
        "logicalType: string, businessName: b, description: d, tags: [t], examples: [a], "
        "transformLogic: l, transformSourceObjects: [o], encryptedName: e, deprecated: true, "
        "authoritativeDefinitions: [{url: 'https://a.test', type: x}], semanticType: dimension"
    )
    product = workspace.load(contract=column + DOCUMENTATION)
    assert product.outputs[0].contract.columns[3].tags == ("t",)
    assert product.outputs[0].contract.description == "p"


def test_the_full_example_is_refused_for_named_reasons_only(workspace: Workspace):
    folder = workspace.folder("finance", "transactions")
    folder.mkdir(parents=True)
    shutil.copy(DATA / "finance-transactions.odps.yaml", folder / "product.odps.yaml")
    shutil.copy(DATA / "transactions.odcs.yaml", folder)
    (folder / "transactions.sql").write_text("select 1 as one")
    problems = workspace.problems(
        None, None, files={"aircraft.sql": None}, at=("finance", "transactions")
    )
    found = sorted(
        (
            str(p.where).rsplit(".", 2)[-2][:4] + ":" + str(p.where).rsplit(":", 1)[1],
            p.key.rsplit(".", 1)[-1],
        )
        for p in problems
    )
    assert found == [
        ("odcs:204", "property"),  # the setting `gate`
        ("odcs:205", "property"),  # the setting `compatibility`
        ("odcs:64", "to"),  # accounts is no input port
        ("odcs:75", "value"),  # masking
        ("odcs:98", "value"),  # masking
        ("odps:16", "name"),  # no address and no source
        ("odps:20", "property"),  # the setting `assetKey`
        ("odps:21", "name"),
        ("odps:35", "name"),  # `transactions-v1`
    ]


def test_the_full_contract_loads_without_what_is_refused(workspace: Workspace):
    text = (DATA / "transactions.odcs.yaml").read_text("utf-8")
    text = replaced(
        text,
        "        relationships:\n          - type: foreignKey\n            to: accounts.account_id\n",
        "",
    )
    lines = [line for line in text.splitlines() if "vendor: dataops_mesh" not in line]
    text = "\n".join(lines).replace("        customProperties:\n", "")
    text = text.removesuffix("\n").replace("\ncustomProperties:\n", "\n")
    product = PRODUCT.replace("fleet.aircraft", "finance")
    files = {"transactions.odcs.yaml": text, "transactions.sql": "select 1 as one"}
    loaded = workspace.load(
        product, None, files={**files, "aircraft.sql": None}, at=("finance", "transactions")
    )
    contract = loaded.outputs[0].contract
    assert contract.key == ("transaction_id",)
    assert [c.name for c in contract.columns if c.partition_position] == ["booking_date"]
    assert len(contract.slas) == 11
    assert {rule.name for rule in contract.rules} >= {"tx_rowcount", "tx_human_note"}
