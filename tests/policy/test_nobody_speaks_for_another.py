"""Ways to have another person's word without their commit, and what becomes of them (A14)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from policy_cases import FILES
from test_waivers import waiver
from test_whose_word_it_is import ANA, BO, EYES, a_shop, commit, found, waive

ORDERS = Path(FILES["product"]).parent
TICKETS = Path(FILES["tickets"]).parent
APPROVED = "digest: abc\napprover: bo\nreason: agreed\ndate: 2026-11-01\n"


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "here").mkdir()
    return a_shop(tmp_path / "here")


def approve(root: Path, folder: Path = ORDERS) -> None:
    (root / folder / "approvals").mkdir(exist_ok=True, parents=True)
    (root / folder / "approvals" / "abc.yaml").write_text(APPROVED, "utf-8")


def by_ana(root: Path) -> bool:
    return ["committed by Ana Adler" in what for what in found(root)] == [True]


def test_an_entry_is_of_who_changed_it_on_the_same_day_too(shop):
    entry = "  - rule: owner\n    product: shop.orders\n    who: bo\n    why: %s\n    until: 2026-12-31\n"
    waive(shop, entry % "a merger")
    commit(shop, BO)
    assert found(shop) == []
    waive(shop, entry % "it pleases me")
    commit(shop, ANA)
    assert by_ana(shop)


def test_a_waiver_that_is_moved_to_another_product_is_of_who_moved_it(shop):
    waive(shop, waiver(product="", who="bo"), where=ORDERS / "waivers.yaml")
    commit(shop, BO)
    assert found(shop) == []
    (shop / ORDERS / "waivers.yaml").rename(shop / TICKETS / "waivers.yaml")
    commit(shop, ANA)
    assert by_ana(shop)


@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\r"])
def test_no_sign_that_only_yaml_takes_for_a_new_line_gives_another_author(shop, mark):
    theirs = waiver(rule="support_channel", who="bo") + "  # x\n" * 3
    waive(shop, theirs)
    commit(shop, BO)
    waive(shop, f"  # {mark * 2}\n" + waiver(who="bo"), theirs)
    commit(shop, ANA)
    assert by_ana(shop)


def test_a_list_of_commits_to_pass_over_gives_nobody_another_name(shop):
    waive(shop, waiver(who="bo", why="a"))
    commit(shop, BO)
    waive(shop, waiver(who="bo", why="b"))
    commit(shop, ANA)
    git = ["git", "-C", str(shop)]
    head = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True)
    (shop / "ignored").write_text(head)
    subprocess.run([*git, "config", "blame.ignoreRevsFile", str(shop / "ignored")], check=True)
    assert by_ana(shop)


@pytest.mark.parametrize("rule", ["decided_by_committer", "four_eyes"])
def test_whose_word_it_is_cannot_be_waived(shop, rule):
    waive(shop, waiver(who="bo"), waiver(rule=rule, who="bo"))
    commit(shop, ANA)
    said = found(shop)
    assert sum("was committed by Ana Adler" in what for what in said) == 2
    assert sum("cannot be waived" in what for what in said) == 1


def test_the_end_of_a_product_is_approved_by_who_says_so(shop):
    """Retired and removed products are judged by no other policy."""
    product = shop / FILES["product"]
    product.write_text(product.read_text() + "status: retired\n")
    approve(shop)
    assert ["is not committed" in what for what in found(shop)] == [True]
    commit(shop, ANA)
    assert by_ana(shop)
    for file in [*(shop / ORDERS).glob("*.yaml"), *(shop / ORDERS).glob("*.sql")]:
        file.unlink()
    commit(shop, ANA)
    assert by_ana(shop)
    approve(shop, Path("domains/gone/orders"))
    assert sum("is not committed" in what for what in found(shop)) == 1


def test_a_clone_that_is_cut_off_knows_no_author(shop, tmp_path):
    waive(shop, waiver(who="bo"))
    commit(shop, ANA)
    (shop / "notes").write_text("x")
    commit(shop, BO)
    assert by_ana(shop)
    there = tmp_path / "there"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{shop}", there], check=True)
    assert ["is not committed" in what for what in found(there)] == [True]


def test_who_changes_what_a_contract_includes_has_changed_the_product(shop):
    (shop / "policies.yaml").write_text(EYES)
    shared = shop / "shared" / "columns.odcs.yaml"
    shared.parent.mkdir()
    shared.write_text(
        "apiVersion: v3.2.0\nkind: DataContract\nid: shared\nversion: 1.0.0\nstatus: active\n"
        "schema:\n  - name: audit\n    properties:\n      - {name: seen, logicalType: date}\n"
    )
    contract = shop / FILES["contract"]
    say = "customProperties:\n  - {property: include, vendor: dataops_mesh, value: ../../../shared/columns.odcs.yaml#audit}\n"
    contract.write_text(contract.read_text() + say)
    commit(shop, ANA)
    waive(shop, waiver(who="bo"))
    commit(shop, BO)
    assert found(shop) == []
    shared.write_text(shared.read_text().replace("seen", "read"))
    commit(shop, BO)
    assert ["who changed the product too" in what for what in found(shop)] == [True]
