"""`mesh withdraw --due`: what has ended goes, with its approval on record; what is read stays."""

from __future__ import annotations

import re
import shutil

from cli_cases import orders, totals
from helpers import a_contract, environment, write_product

from dataops_mesh.run.account import operations_of

OWNED = "team: {name: desk, members: [{username: lea, role: owner}]}\n"


def owned(files, *, extra=""):
    return {**files, "product.odps.yaml": files["product.odps.yaml"] + OWNED + extra}


def approve(workspace, plan, folder):
    """Write the approval that a plan asks for."""
    digest = re.search(r"approvals/([0-9a-f]{16})\.yaml", plan)
    assert digest, plan
    file = workspace.root / folder / "approvals" / f"{digest[1]}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = f"digest: {digest[1]}\napprover: lea\nreason: nobody needs it\ndate: 2026-11-03\n"
    file.write_text(text, "utf-8")


def test_a_removed_product_ends_by_its_approval_and_nothing_stays_red(mesh, workspace):
    write_product(workspace.root, "desk", "totals", owned(totals()))
    assert mesh("run").code == 0
    folder = workspace.root / "domains" / "desk" / "totals"
    shutil.rmtree(folder)
    planned = mesh("plan")
    assert planned.code == 1
    (row,) = [
        one for one in mesh("status", "--format", "json").json if one["port"] == "desk.totals"
    ]
    assert (row["status"], row["ends"]) == ("not declared", "is declared no more")
    assert "waits: desk.totals: cannot be taken back" in mesh("status").err
    assert mesh("withdraw", "--due").code == 0
    assert mesh("query", "from desk.totals").code == 0, "nobody approved that"
    approve(workspace, planned.out, "domains/desk/totals")
    assert mesh("plan").code == 0
    assert "mesh withdraw --due" in mesh("status").err
    said = mesh("withdraw", "--due")
    assert said.code == 0
    assert "desk.totals is declared no more, approved by lea" in said.out + said.err
    assert mesh("query", "from desk.totals").code == 2
    assert {mesh(word).code for word in ("plan", "check")} == {0}
    assert "to end" not in mesh("status").err
    (done,) = [
        one for one in operations_of(environment(workspace)) if one.operation == "withdrawal"
    ]
    assert (done.person, done.details["approver"]) == ("ana", "lea")
    assert mesh("withdraw", "--due").err.strip() == "nothing has ended"


def test_a_product_past_its_end_stays_while_somebody_reads_it(mesh, workspace):
    write_product(workspace.root, "shop", "orders", owned(orders()))
    life = "slaProperties: [{property: endOfLife, value: '2026-01-31'}]\n"
    contract = a_contract(
        "orders", ["{name: id, logicalType: integer, primaryKey: true}"], extra=life
    )
    write_product(workspace.root, "shop", "orders", {"orders.odcs.yaml": contract})
    assert mesh("run").code == 0
    said = mesh("withdraw", "--due")
    assert "is past its endOfLife, 2026-01-31, and desk.totals still reads it" in said.err
    assert mesh("query", "from shop.orders").code == 0
    said = mesh("withdraw", "shop.orders", "--due")
    assert said.code == 0
    assert "desk.totals reads it; it keeps its last publication" in said.err
    assert mesh("query", "from shop.orders").code == 2
    assert mesh("query", "from desk.totals").code == 0
    said = mesh("run", "shop")
    assert said.code == 0, "a nightly run is not red for what has ended"
    assert "not built: shop.orders is past its end and was withdrawn" in said.err
    assert mesh("run", "shop.orders").code == 1
