from __future__ import annotations

from pathlib import Path

import pytest
from helpers import (
    a_contract,
    a_product,
    a_source,
    an_input,
    environment,
    mesh,
    read,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.cli.planning import PUBLISHED, plan_of, publication_problems
from dataops_mesh.gate import Publish, Refuse
from dataops_mesh.plan.change import Bump
from dataops_mesh.plan.version import bump_of, next_version
from dataops_mesh.settings import Settings
from dataops_mesh.spec.mesh import check_mesh
from dataops_mesh.store.manifest import read_manifest
from dataops_mesh.store.release import latest

COLUMNS = (
    "{name: id, logicalType: integer, primaryKey: true}",
    "{name: note, logicalType: string, classification: restricted}",
)
ROLES = """\
roles:
  - {role: reader, access: read, firstLevelApprovers: ana@shop.example}
"""


def orders(
    columns=COLUMNS, version: str = "1.0.0", *, sql: str = "", extra: str = ROLES, **more: str
) -> dict:
    contract = a_contract("orders", columns, extra=extra).replace(
        "version: 1.0.0", f"version: {version}"
    )
    names = ", ".join(column.split("name: ")[1].split(",")[0] for column in columns)
    return a_product(
        {"orders": contract},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={
            "orders.sql": sql or f"select {names} from orders_csv",
            "orders.csv": "id,note\n1,x\n2,y\n",
            **more,
        },
    )


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    assert isinstance(run(settings, "shop.orders").decision, Publish)
    return settings


def change(settings: Settings, columns=COLUMNS, version: str = "1.0.0", **more: str):
    write_product(settings.root, "shop", "orders", orders(columns, version, **more))
    return run(settings, "shop.orders").decision


def plan(settings: Settings, against: str = PUBLISHED):
    return plan_of(settings, mesh(settings), [], against)


def test_the_common_case_needs_nothing(shop: Settings):
    # Another transform, a description, one more column: no version, no approval, no delay.
    assert isinstance(change(shop, sql="select id, upper(note) as note from orders_csv"), Publish)
    described = (COLUMNS[0], COLUMNS[1].replace("}", ", description: A note.}"))
    assert isinstance(change(shop, described), Publish)
    more = (*COLUMNS, "{name: more, logicalType: string}")
    given = "select id, note, 'x' as more from orders_csv"
    assert isinstance(change(shop, more, sql=given), Publish)
    assert not plan(shop).products
    assert publication_problems(shop, mesh(shop).products, mesh(shop)) == ()


def test_a_breaking_change_without_a_major_version_is_never_published(shop: Settings):
    key, note = COLUMNS
    loose = (key.replace("integer", "number"), note)
    decision = change(shop, loose, "1.1.0", sql="select id::double as id, note from orders_csv")
    assert isinstance(decision, Refuse)
    (reason,) = decision.reasons
    assert "logical type integer to number" in reason
    assert "2.0.0" in reason
    assert "domains/shop/orders/orders.odcs.yaml:" in reason
    assert plan(shop).refused
    (problem,) = publication_problems(shop, mesh(shop).products, mesh(shop))
    assert problem.what == reason
    assert latest(environment(shop).store).number == 1
    decision = change(shop, loose, "2.0.0", sql="select id::double as id, note from orders_csv")
    assert isinstance(decision, Publish)


def test_what_cannot_be_taken_back_needs_an_approval(shop: Settings):
    lower = (COLUMNS[0], COLUMNS[1].replace("restricted", "public"))
    decision = change(shop, lower, "1.1.0")
    assert isinstance(decision, Refuse)
    assert "ana@shop.example" in decision.reasons[0]
    (one,) = plan(shop).products
    assert one.approval in decision.reasons[0]
    assert one.rewrites
    record = shop.domains_folder / "shop/orders/approvals" / f"{one.approval}.yaml"
    record.parent.mkdir()
    text = f"digest: {one.approval}\napprover: %s\nreason: It was never secret.\ndate: 2026-11-03\n"
    record.write_text(text % "eve@shop.example", "utf-8")
    decision = run(shop, "shop.orders").decision
    assert isinstance(decision, Refuse)
    assert "eve@shop.example" in decision.reasons[0]
    assert "may not approve" in decision.reasons[0]
    record.write_text(text % "ana@shop.example", "utf-8")
    assert isinstance(run(shop, "shop.orders").decision, Publish)


def test_a_change_may_not_name_its_own_judges(shop: Settings):
    lower = (COLUMNS[0], COLUMNS[1].replace("restricted", "public"))
    own = ROLES.replace("ana@", "eve@")
    assert isinstance(change(shop, lower, extra=own), Refuse)
    (one,) = plan(shop).products
    record = (
        f"digest: {one.approval}\napprover: eve@shop.example\nreason: Why not.\ndate: 2026-11-03\n"
    )
    decision = change(shop, lower, extra=own, **{f"approvals/{one.approval}.yaml": record})
    assert isinstance(decision, Refuse)


def test_an_approval_of_something_else_is_none(shop: Settings):
    record = (
        "digest: 0123456789abcdef\napprover: ana@shop.example\nreason: Yes.\ndate: 2026-11-03\n"
    )
    lower = (COLUMNS[0], COLUMNS[1].replace("restricted", "public"))
    assert isinstance(change(shop, lower, **{"approvals/0123456789abcdef.yaml": record}), Refuse)


@pytest.mark.parametrize("record", ["digest: x\n", "[]\n", "digest: [\n", "a: b\ndigest: 5\n"])
def test_a_broken_approval_refuses_and_says_where(shop: Settings, record: str):
    decision = change(shop, **{"approvals/x.yaml": record})
    assert isinstance(decision, Refuse)
    assert "approvals/x.yaml:" in decision.reasons[0]


def test_a_draft_may_change_as_it_likes(tmp_path: Path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(extra="status: draft\n")}})
    assert isinstance(run(settings, "shop.orders").decision, Publish)
    assert isinstance(change(settings, COLUMNS[:1], extra="status: draft\n"), Publish)


def test_a_declaration_that_was_damaged_is_not_the_way_around(shop: Settings):
    store = environment(shop).store
    (entry,) = latest(store).ports.values()
    digest = read_manifest(store, entry.candidate).declaration
    (shop.store_folder / "declarations" / digest).write_bytes(b"{}")
    decision = change(shop, COLUMNS[:1])
    assert isinstance(decision, Refuse)
    assert "cannot be read" in decision.reasons[0]
    other = change(shop, COLUMNS[1:])
    assert isinstance(other, Refuse)
    assert other.reasons[0] != decision.reasons[0], "an approval of the one is none of the other"


def test_two_majors_live_side_by_side_and_the_old_one_stays_while_it_is_read(shop: Settings):
    second = a_contract("orders_v2", COLUMNS[:1]).replace("version: 1.0.0", "version: 2.0.0")
    both = {**orders(), "orders_v2.odcs.yaml": second, "orders_v2.sql": "select id from orders_csv"}
    both["product.odps.yaml"] += (
        "outputPorts:\n  - {name: orders, deprecated: true}\n  - {name: orders_v2}\n"
    )
    both["orders.odcs.yaml"] += "slaProperties: [{property: endOfLife, value: '2027-06-30'}]\n"
    write_product(shop.root, "shop", "orders", both)
    assert isinstance(run(shop, "shop.orders").decision, Publish)
    assert read(shop, "select count(*) from shop.orders") == [(2,)]
    assert read(shop, "select * from shop.orders_v2 order by all") == [(1,), (2,)]
    consumer = a_product(
        {"report": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[an_input("shop.orders")],
        files={"report.sql": "select id from shop.orders"},
    )
    write_product(shop.root, "finance", "report", consumer)
    (warning,) = plan(shop).warnings
    assert warning == "finance.report reads shop.orders: deprecated, endOfLife 2027-06-30"
    # Retiring the old major: refused while the report reads it, in the plan and by the check.
    folder = shop.domains_folder / "shop/orders"
    (folder / "orders.odcs.yaml").unlink()
    (folder / "orders.sql").unlink()
    only = both["product.odps.yaml"].replace("  - {name: orders, deprecated: true}\n", "")
    (folder / "product.odps.yaml").write_text(
        only.replace("@domain:@product", "shop:orders"), "utf-8"
    )
    (one,) = (p for p in plan(shop).products if p.product == "shop.orders")
    assert any("finance.report still reads it" in reason for reason in one.refusals)
    assert [c.reader for c in one.consumers] == ["finance.report"]
    assert any("no product publishes shop.orders" in p.what for p in check_mesh(mesh(shop)))


def test_a_retired_consumer_holds_nobody_up(shop: Settings):
    consumer = a_product(
        {"report": ["{name: id, logicalType: integer, primaryKey: true}"]},
        inputs=[an_input("shop.orders")],
        files={"report.sql": "select id from shop.orders"},
        extra="status: retired\n",
    )
    write_product(shop.root, "finance", "report", consumer)
    write_product(shop.root, "shop", "orders", orders(extra="status: retired\n"))
    assert check_mesh(mesh(shop)) == ()


def test_a_plan_against_nothing_shows_what_is_new(tmp_path: Path):
    settings = write_workspace(tmp_path, {"shop": {"orders": orders()}})
    made = plan(settings)
    assert [p.state for p in made.products] == ["added"]
    assert made.rebuild == ("shop.orders",)
    assert not made.refused


def test_versions_go_up_by_what_they_say():
    assert bump_of("1.2.3", "1.2.4") is Bump.PATCH
    assert bump_of("0.2.3", "0.2.4") is Bump.MINOR
    assert bump_of("v1", "v2") is Bump.MAJOR
    assert bump_of("latest", "1.0.0") is Bump.MAJOR
    assert next_version("v3", Bump.MAJOR) == "4.0.0"
    assert next_version("1.2.3", Bump.PATCH) == "1.2.4"


def test_an_approval_serves_once(shop: Settings):
    """The same change again, after it was taken back, needs another word."""
    less = (COLUMNS[0],)
    given = {"sql": "select id from orders_csv"}

    def approve(digest: str) -> str:
        folder = shop.root / "domains" / "shop" / "orders" / "approvals"
        folder.mkdir(exist_ok=True)
        text = f"digest: {digest}\napprover: ana@shop.example\nreason: x\ndate: 2026-11-20\n"
        (folder / f"{digest}.yaml").write_text(text)
        return digest

    write_product(shop.root, "shop", "orders", orders(less, "2.0.0", **given))
    (planned,) = plan(shop).products
    first = approve(planned.approval)
    assert isinstance(change(shop, less, "2.0.0", **given), Publish)
    assert isinstance(change(shop, less, "2.0.0", **given), Publish), "nothing changes any more"
    assert isinstance(change(shop, COLUMNS, "2.1.0"), Publish)
    decision = change(shop, less, "3.0.0", **given)
    assert isinstance(decision, Refuse)
    assert "the approval of before has served" in decision.reasons[0]
    (planned,) = plan(shop).products
    assert planned.approval != first
    approve(planned.approval)
    assert isinstance(change(shop, less, "3.0.0", **given), Publish)


@pytest.mark.parametrize("pin", ["version: 1.0.0", "contractId: urn:datacontract:shop:orders"])
def test_a_reader_that_asks_for_what_was_is_named_by_plan_and_check(shop: Settings, pin: str):
    reader = an_input("shop.orders").rstrip("\n") + f"\n  {pin}\n"
    copy = a_product({"copy": COLUMNS[:1]}, inputs=[reader], files={"copy.sql": "select 1 as id"})
    write_product(shop.root, "desk", "copy", copy)
    assert check_mesh(mesh(shop)) == ()
    assert not [one for one in plan(shop).products if one.product == "shop.orders"]
    after = orders(version="2.0.0")
    after["orders.odcs.yaml"] = after["orders.odcs.yaml"].replace("@domain:orders", "@domain:two")
    write_product(shop.root, "shop", "orders", after)
    (wrong,) = check_mesh(mesh(shop))
    assert "desk/copy" in str(wrong.where)
    (planned,) = [one for one in plan(shop).products if one.product == "shop.orders"]
    (said,) = [one for one in planned.refusals if "desk.copy" in one]
    assert (
        f"desk.copy asks for {'version 1.0.0' if 'version' in pin else 'the contract urn'}" in said
    )
