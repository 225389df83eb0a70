"""The answer of a rule over classified columns is compared, and no channel ever holds it."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest
from helpers import a_contract, a_product, a_source, environment, product, run, write_workspace
from locations import everything_said, execute, location
from receivers import webhook

from dataops_mesh.factory.watch import monitor
from dataops_mesh.store.manifest import folder
from dataops_mesh.store.refs import all_refs
from dataops_mesh.watch.alerts import deliver
from dataops_mesh.watch.trouble import look

MARK = 730_519_264
COLUMNS = (
    "{name: id, logicalType: integer, primaryKey: true, classification: public}",
    "{name: note, logicalType: string, classification: public, enum: [{value: fine}]}",
    "{name: digits, logicalType: integer, classification: restricted}",
    "{name: born, logicalType: integer}",  # of no class: classified
)
MAIL, PHONE, IBAN = "ana.smith@mesh.example", "+49 30 1234 5678", "DE89 3704 0044 0532 0130 00"
CSV = f"id,note,digits,born\n1,{MAIL},{MARK},{MARK}\n2,call {PHONE},5,5\n3,{IBAN},6,6\n4,odd,7,8\n"
QUERIES = [
    "select max(digits) from {object}",
    "select max(born) from {object}",
    "select max(x) from (select digits as x from {object})",
    "select max(digits) + 0.5 from {object}",
    "select any_value(digits) filter (id = 1) from {object}",
    "select max(t.digits) from {object} t",
    "select struct_extract(max(t), 'digits') from {object} t",
    "select max(b) from {object} t(a, n, b, c)",
    "select max(digits) from {object} where (select count(id) as digits from {object}) > 0",
    "select #3 from {object} where id = 1",
    "select count(*) + max(digits) from {object}",
    "with a as (select digits d from {object}) select max(d) from a",
]
COUNTS = ["select count(*) from {object} where digits > 5", "select max(id) from {object}"]
TEAM = 'team: {name: shop, members: [{username: mia@mesh.example, role: owner}]}\nsupport: [{channel: c, url: "https://c.mesh.example"}]\n'


def rules(severity: str) -> list[str]:
    """Return a rule for each query; every third one is met."""
    bounds = ("mustBe: -3", "mustBeBetween: [-4, -3]", "mustBeGreaterThan: -3")
    return [
        f'{{name: r{n}, type: sql, query: "{query}", {bounds[n % 3]}, severity: {severity}}}'
        for n, query in enumerate([*QUERIES, *COUNTS])
    ]


def forbidden(text: str) -> list[str]:
    """Return what of the planted values stands in a text, however it is written."""
    plain = text.replace(",", "").replace("_", "").replace(" ", "")
    marks = (str(MARK), "730519265", "730519268", "7.305192", "730519264.5")
    return [m for m in (*marks, MAIL, PHONE.replace(" ", ""), IBAN.replace(" ", "")) if m in plain]


@pytest.mark.parametrize("severity", ["warning", "error"])
def test_no_output_holds_a_planted_value(tmp_path, kept_instance, capfd, caplog, severity):
    published = severity == "warning"
    columns = list(COLUMNS)
    if published:
        columns[1] = columns[1].replace(", enum: [{value: fine}]", "")
    expectation = (
        "{name: seen, type: sql, query: 'select max(digits) from {object}', mustBe: -3, "
        "severity: warning}"
    )
    content = a_product(
        ports={"orders": a_contract("orders", columns, *rules(severity))},
        inputs=[a_source("orders_csv", "orders.csv", expectation)],
        files={"orders.csv": CSV, "orders.sql": "from orders_csv"},
        extra=TEAM,
    )
    settings = write_workspace(
        tmp_path,
        {"shop": {"orders": content}},
        settings='alerts_file = "alerts.toml"\nretries = 0\n',
    )
    outcome = execute(settings, "shop", kept_instance)
    assert outcome.success is published
    own = product(settings, "shop.orders")
    env = environment(settings)
    if published:
        monitor(own, kept_instance, settings)
    with webhook() as hook:
        (tmp_path / "alerts.toml").write_text(f'[channels]\nc = "{hook.url}"\n', "utf-8")
        look([own], env, {})
        deliver([own], env)
        told = json.dumps(list(hook))
    if not published:
        assert "refused" in told
    manifests = "".join(
        (folder(env.store, ref) / "manifest.json").read_text("utf-8") for ref in all_refs(env.store)
    )
    with sqlite3.connect(env.store.ledger_file) as ledger:
        rows = "\n".join(ledger.iterdump())
    stored = b"".join(
        file.read_bytes() for file in (tmp_path / "dagster").rglob("*") if file.is_file()
    )
    said = capfd.readouterr()
    texts = {
        "manifest": manifests,
        "ledger": rows,
        "events": everything_said(kept_instance, outcome.run_id),
        "files of Dagster": stored.decode("utf-8", "replace"),
        "alert": told,
        "console": said.out + said.err + caplog.text,
        "location": repr(location(settings, "shop").assets),
    }
    assert {name: found for name, text in texts.items() if (found := forbidden(text))} == {}
    if not published:
        assert "is not shown because" in manifests
        assert "<looks like an e-mail>" in manifests  # samples do exist
        assert "the query returned 3" in manifests  # counted rows are told


def test_the_rule_of_the_page_says_what_it_says(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text("utf-8")
    (rule,) = re.findall(r"```yaml\nquality:\n  - (.*?)\n```", page)
    (quote,) = re.findall(r"(?:^> .*\n)+", page, re.MULTILINE)
    said = " ".join(line.removeprefix("> ") for line in quote.splitlines())
    content = a_product(
        ports={"orders": a_contract("orders", COLUMNS[::2], rule)},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.csv": "id,digits\n1,-5\n", "orders.sql": "from orders_csv"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": content}})
    (result,) = (r for r in run(settings, "shop.orders").results if r.check == "card_is_real")
    assert (result.reason, result.observed, result.withheld) == (said, None, True)
    assert result.told == "not shown: it reads classified columns"
