"""A rule of the contract: what was built must be usual by the port's own history."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers import environment, product, run, write_product
from history import orders, remembered, usual

from dataops_mesh.errors import DeclarationError
from dataops_mesh.run.usual.bounds import LEAST
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.watch.monitor import audit_published

USUAL = "{type: custom, engine: dataops_mesh, implementation: {check: usual%s}%s}"
ALL = USUAL % ("", "")
ROWS = USUAL % (", of: [rows]", "")
WARNING = USUAL % (", of: [rows]", ", severity: warning")
HALF = usual(50)
NULLS = [(n, 10 + n % 3, None, "x") for n in range(100)]
SAME = usual(100)


def built(settings, rows, *rules: str, name: str = "usual"):
    write_product(settings.root, "shop", "orders", orders(rows, *rules))
    report = run(settings, "shop.orders")
    manifest = read_manifest(environment(settings).store, report.candidate)
    return report, next(one for one in manifest.results if one.check == name)


@pytest.mark.parametrize(
    ("rules", "rows", "published"),
    [
        ([ALL], SAME, True), ([ALL], HALF, False), ([ALL], NULLS, False),
        ([ROWS], HALF, False), ([ROWS], NULLS, True), ([WARNING], HALF, True),
    ],
)  # fmt: skip
def test_what_is_not_usual_is_refused_or_warned_of(tmp_path, rules, rows, published):
    settings = remembered(tmp_path, *rules)
    report, result = built(settings, rows, *rules)
    assert (report.publication is not None) is published
    expected = rows is not SAME and (rules == [ALL] or rows is HALF)
    assert (result.outcome == "failed") is expected
    if rows is HALF:
        assert result.reason.startswith("50 rows; 56 to 178 would be usual")


def test_a_rule_under_a_column_is_about_that_column(tmp_path):
    settings = remembered(tmp_path)
    under = USUAL % (", of: [nulls]", "")
    text = "{name: salary, logicalType: number, classification: confidential}"
    write_product(settings.root, "shop", "orders", orders(NULLS))
    file = settings.root / "domains" / "shop" / "orders" / "orders.odcs.yaml"
    said = file.read_text("utf-8")
    assert text in said
    file.write_text(said.replace(text, text[:-1] + f", quality: [{under}]}}"), "utf-8")
    report = run(settings, "shop.orders")
    assert report.publication is None
    assert "salary is null in 100 % of the rows" in " ".join(report.decision.reasons)


def test_the_rule_of_the_page_is_judged(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "unusual.md").read_text("utf-8")
    block = page.partition("```yaml\nquality:\n  - ")[2].partition("\n```")[0]
    _, result = built(remembered(tmp_path, block), HALF, block, name="as_usual")
    assert (result.outcome, result.severity) == ("failed", "warning")


def test_nothing_is_said_before_there_is_a_history(tmp_path):
    settings = remembered(tmp_path, ALL, days=LEAST - 2)
    report, result = built(settings, HALF, ALL)
    assert report.publication is not None
    assert result.outcome == "passed"
    assert result.reason.startswith(f"{LEAST - 1} of the {LEAST} days")


def test_a_record_that_cannot_be_read_refuses(tmp_path):
    settings = remembered(tmp_path, ALL)
    file = environment(settings).store.ledger_file
    for one in file.parent.glob(f"{file.name}*"):
        one.unlink()
    file.mkdir()
    write_product(settings.root, "shop", "orders", orders(HALF, ALL))
    try:
        report = run(settings, "shop.orders")
        assert report.publication is None
        assert "cannot be read" in " ".join(report.decision.reasons)
    finally:
        shutil.rmtree(file)


def test_a_monitor_does_not_repeat_it(tmp_path):
    settings = remembered(tmp_path, ALL)
    run(settings, "shop.orders")
    audit = audit_published(product(settings, "shop.orders"), environment(settings))
    assert "usual" not in {one.check for one in audit.results}
    assert audit.outcome == "passed"


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("{type: custom, engine: dataops_mesh, implementation: usual}", "must be a mapping"),
        (USUAL % (", of: [row]", ""), 'no number "row" (did you mean "rows"?)'),
        (USUAL % (", of: []", ""), "at least one number"),
        (USUAL % (", off: [rows]", ""), 'unknown key (did you mean "of"?)'),
        ("{type: custom, engine: dataops_mesh, implementation: {of: [rows]}}", "valid: usual"),
        ("{type: custom, engine: dataops_mes, implementation: {check: usual}}",
         'did you mean "dataops_mesh"?'),
    ],
)  # fmt: skip
def test_what_is_written_wrongly_is_told_with_what_is_valid(tmp_path, rule, what):
    settings = remembered(tmp_path)
    write_product(settings.root, "shop", "orders", orders(SAME, rule))
    with pytest.raises(DeclarationError) as told:
        product(settings, "shop.orders")
    assert what in str(told.value)
    assert "orders.odcs.yaml:" in str(told.value)
