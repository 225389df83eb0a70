"""An auditor gets what was published, refused, checked, decided and done, and by what it was judged."""

from __future__ import annotations

import csv
import html
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from cli_cases import orders
from helpers import write_product

POLICIES = "default: info\n"
WAIVER = "waivers:\n  - {{rule: owner, product: shop.orders, who: bo, why: '=1+1', until: {day}}}\n"


@pytest.fixture
def lived(mesh, workspace):
    """Four publications, one of them a rollback, and a refusal, under policies and a waiver."""
    until = datetime.now(UTC).date() + timedelta(30)
    (workspace.root / "policies.yaml").write_text(POLICIES, "utf-8")
    (workspace.root / "waivers.yaml").write_text(WAIVER.format(day=until), "utf-8")
    assert mesh("run").code == 0
    write_product(workspace.root, "shop", "orders", orders("id\n1\n1\n"))
    assert mesh("run", "shop.orders").code == 1
    write_product(workspace.root, "shop", "orders", orders("id\n7\n"))
    assert mesh("run", "shop.orders").code == 0
    assert mesh("rollback", "shop.orders", "--reason", "=cmd|'/c calc'!A1").code == 0
    return workspace


def tables(folder) -> dict[str, list[dict[str, str]]]:
    return {
        file.stem: list(csv.DictReader(StringIO(file.read_bytes().decode(), newline="")))
        for file in folder.glob("*.csv")
    }


def test_the_account_of_a_day_has_all_of_it_and_the_texts_it_was_judged_by(lived, mesh):
    today = datetime.now(UTC).date()
    said = mesh("report", "evidence", "--from", str(today), "--to", str(today))
    assert said.code == 0, said.err
    folder = lived.root / f"evidence-{today}-{today}"
    found = tables(folder)
    published = [(r["publication"], r["kind"], r["address"]) for r in found["publications"]]
    assert published == [
        ("1", "publication", "shop.orders"),
        ("2", "publication", "desk.totals"),
        ("3", "publication", "shop.orders"),
        ("4", "rollback", "shop.orders"),
    ]
    assert {row["person"] for row in found["publications"]} == {"ana"}
    (refused,) = found["refusals"]
    assert (refused["product"], refused["outcome"]) == ("shop.orders", "refuse")
    assert "repeats" in refused["reasons"]
    failed = [row for row in found["checks"] if row["outcome"] == "failed"]
    assert [(row["check"], row["observed"]) for row in failed] == [("primary_key", "1.0")]
    assert [row["operation"] for row in found["operations"]] == ["rollback"]
    judged = {row["judged"] for row in found["publications"]}
    for digest in judged:
        assert (folder / "judged" / digest / "policies.yaml").read_text("utf-8") == POLICIES
        assert "memory_limit" in (folder / "judged" / digest / "settings.json").read_text("utf-8")
    waived = {(row["who"], row["judged"]) for row in found["waivers"]}
    assert waived == {("bo", digest) for digest in judged}
    assert set(found) == {
        *("publications", "refusals", "checks", "operations", "approvals", "waivers"),
        "incidents",
    }


def test_no_cell_is_a_formula_or_markup(lived, mesh):
    today = datetime.now(UTC).date()
    assert mesh("report", "evidence", "--from", str(today), "--output", "out").code == 0
    folder = lived.root / "out"
    cells = [cell for rows in tables(folder).values() for row in rows for cell in row.values()]
    assert "'=cmd|'/c calc'!A1" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    page = (folder / "evidence.html").read_text("utf-8")
    assert html.escape("=cmd|'/c calc'!A1") in page
    assert "publications: 4" in page


def test_other_days_are_left_out_and_nothing_is_written_over(workspace, mesh):
    assert mesh("run", "shop.orders").code == 0
    past = mesh("report", "evidence", "--from", "2020-01-01", "--to", "2020-12-31")
    assert past.code == 0
    assert not any(tables(workspace.root / "evidence-2020-01-01-2020-12-31").values())
    again = mesh("report", "evidence", "--from", "2020-01-01", "--to", "2020-12-31")
    assert again.code == 2
    assert "is there already" in again.err
    assert mesh("report", "evidence", "--from", "2020-02-01", "--to", "2020-01-01").code == 2
