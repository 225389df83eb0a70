"""Columns with spaces, capitals, signs and any letters are built, checked, published and read."""

from __future__ import annotations

import pytest
from helpers import a_product, a_source, environment, product, read, run, write_workspace

from dataops_mesh.spec.checks.check import Outcome, checks_of
from dataops_mesh.store.manifest import PUBLISH, read_manifest

NAMES = ["Total Amount", "Größe (cm)", "2nd-leg", "select", "it's", "a.b", "50% off", "x:y", "日付"]
RULES = (
    "{{name: {name}, logicalType: integer, required: true, unique: true, classification: public, "
    "logicalTypeOptions: {{minimum: 1, multipleOf: 1}}, "
    "quality: [{{id: sql_{n}, type: sql, query: 'select count(*) from {{object}} where {{property}} < 0', mustBe: 0}},"
    " {{id: set_{n}, metric: invalidValues, arguments: {{validValues: [1, 2]}}, mustBe: 0}},"
    " {{id: gx_{n}, type: custom, engine: greatExpectations, implementation: {{type: expect_column_mean_to_be_between, kwargs: {{max_value: 2}}}}}}]}}"
)
SEEN = "{name: Seen At, logicalType: timestamp, classification: public}"
LEVEL = "slaProperties: [{property: retention, value: 900, unit: y, element: Seen At}]\n"


def workspace(root, rows: str):
    columns = [RULES.format(name=repr(name).replace("\\'", "''") if "'" not in name else f'"{name}"', n=n)
               for n, name in enumerate(NAMES)]  # fmt: skip
    columns[0] = columns[0].replace("required: true", "primaryKey: true")
    every = ", ".join(f'n as "{name}"' for name in NAMES)
    files = a_product(
        {"orders": [*columns, SEEN]},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "orders.sql": f"select {every}, timestamp '2026-01-01' as \"Seen At\" from (select n::bigint n from orders_csv)",
            "orders.csv": f"n\n{rows}",
        },
    )
    files["orders.odcs.yaml"] += LEVEL
    return write_workspace(root, {"shop": {"orders": files}})


def test_a_column_of_any_name_is_published_and_read(tmp_path):
    settings = workspace(tmp_path, "1\n2\n")
    report = run(settings, "shop.orders")
    manifest = read_manifest(environment(settings).store, report.candidate)
    assert manifest.verdict == PUBLISH, manifest.reasons
    assert {result.outcome for result in manifest.results} == {Outcome.PASSED}
    for name in NAMES:
        assert read(settings, f'select sum("{name}") from shop.orders') == [(3,)]


def test_every_check_of_a_column_of_any_name_looks_at_it(tmp_path):
    settings = workspace(tmp_path, "-5\n-5\n")
    report = run(settings, "shop.orders")
    manifest = read_manifest(environment(settings).store, report.candidate)
    assert manifest.verdict != PUBLISH
    found = {result.check: result.outcome for result in manifest.results}
    assert Outcome.ERRORED not in found.values(), [
        r for r in manifest.results if r.outcome is Outcome.ERRORED
    ]
    failed = {name for name, outcome in found.items() if outcome is Outcome.FAILED}
    # The key of one column is unique already.
    for kind, count in (("range", len(NAMES)), ("unique", len(NAMES) - 1)):
        assert sum(name.endswith(f"_{kind}") for name in failed) == count, (kind, failed)
    for kind in ("sql", "set"):
        assert {f"{kind}_{n}" for n in range(len(NAMES))} <= failed
    assert "primary_key" in failed


@pytest.mark.parametrize("name", ['a"b', "a{object}", " a", "a\\nb", ""])
def test_what_cannot_stand_in_quotes_is_no_name(tmp_path, name):
    from dataops_mesh.errors import DeclarationError

    files = a_product(
        {"orders": [f"{{name: '{name}', logicalType: integer}}"]},
        files={"orders.sql": "select 1 as a"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": files}})
    with pytest.raises(DeclarationError):
        checks_of(product(settings, "shop.orders"))
