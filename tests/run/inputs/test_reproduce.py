"""A publication is built again: identical, or what differs, or what is gone is told."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    product,
    run,
    write_product,
    write_workspace,
)
from mask_cases import MARKER, people
from partition_cases import MONTHS, build, workspace
from product_cases import AMOUNT, KEY, orders, python_shop, shop

from dataops_mesh.errors import UnknownNameError
from dataops_mesh.run.reproduce.publication import reproduce
from dataops_mesh.store import files
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import latest_number
from dataops_mesh.store.retention import Retention

PYTHON = "def transform(orders_csv):\n    return orders_csv\n"
HASH = "{method: hash, secret: people}"


def again(settings, name: str, number: int, **more: str):
    before = on_disk(settings)
    found = reproduce(product(settings, name), environment(settings), number, **more)
    assert on_disk(settings) == before
    return found


def on_disk(settings) -> set[str]:
    """Every file that a reproduction might have left, but for what is derived."""
    store = environment(settings).store
    kept = ("candidates", "captures", "heads", "tree", "scratch", "pins", "pending", "removed")
    return {str(p) for name in kept for p in (store.root / name).rglob("*")}


def git(root, *words: str) -> str:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.com")
    done = subprocess.run(
        ["git", "-C", str(root), *who, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def committed(settings) -> str:
    if not (settings.root / ".git").exists():
        (settings.root / ".gitignore").write_text(".mesh\n")
        git(settings.root, "init", "-q")
    git(settings.root, "add", "-A")
    git(settings.root, "commit", "-qm", "x")
    return git(settings.root, "rev-parse", "HEAD")


def edit(settings, name: str, text: str) -> None:
    (settings.domains_folder / "shop/orders" / name).write_text(text)


@pytest.mark.parametrize("kind", ["sql", "python"])
def test_identical_after_the_source_was_overwritten_and_deleted(tmp_path, kind):
    settings = shop(tmp_path) if kind == "sql" else python_shop(tmp_path, PYTHON)
    run(settings, "shop.orders")
    edit(settings, "orders.csv", "id,amount\n9,90\n")
    run(settings, "shop.orders")
    (one,) = again(settings, "shop.orders", 1)
    assert one.identical
    assert [(port.rows, port.again) for port in one.ports] == [(2, 2)]
    (settings.domains_folder / "shop/orders/orders.csv").unlink()
    assert again(settings, "shop.orders", 1)[0].identical
    assert again(settings, "shop.orders", 2)[0].identical


def test_the_code_of_then_builds_it_whatever_was_edited_since(tmp_path):
    settings = shop(tmp_path)
    commit = committed(settings)
    run(settings, "shop.orders")
    edit(settings, "orders.sql", "select id, amount + 1 as amount from orders_csv")
    run(settings, "shop.orders")
    status = git(tmp_path, "status", "--porcelain")
    (one,) = again(settings, "shop.orders", 1)
    assert one.identical
    assert one.code == f"commit {commit[:12]}"
    assert git(tmp_path, "status", "--porcelain") == status
    assert git(tmp_path, "worktree", "list").count("\n") == 0


def test_python_of_then_runs_confined_as_it_did(tmp_path):
    settings = python_shop(tmp_path, PYTHON)
    committed(settings)
    run(settings, "shop.orders")
    edit(settings, "transform.py", "def transform(orders_csv):\n    raise ValueError\n")
    assert again(settings, "shop.orders", 1)[0].identical


def test_code_of_which_the_clone_lacks_a_file_is_named(tmp_path):
    settings = shop(tmp_path)
    commit = committed(settings)
    run(settings, "shop.orders")
    blob = git(tmp_path, "rev-parse", f"{commit}:domains/shop/orders/orders.sql")
    edit(settings, "orders.sql", "select id, amount + 1 as amount from orders_csv")
    (tmp_path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    (one,) = again(settings, "shop.orders", 1)
    assert not one.identical
    assert commit[:12] in " ".join(one.gone)


@pytest.mark.parametrize("how", ["never", "dirty", "rewritten"])
def test_code_that_is_nowhere_is_named(tmp_path, how):
    settings = shop(tmp_path)
    if how != "never":
        committed(settings)
    if how == "dirty":
        edit(settings, "orders.sql", "select id, amount from orders_csv where id > 0")
    run(settings, "shop.orders")
    edit(settings, "orders.sql", "select id, amount + 1 as amount from orders_csv")
    if how == "rewritten":
        files.remove_tree(tmp_path / ".git")
        committed(settings)
    (one,) = again(settings, "shop.orders", 1)
    assert not one.identical
    words = {"never": "no commit", "dirty": "not in it", "rewritten": "not in this clone"}
    assert words[how] in one.gone[0]


def test_what_is_not_deterministic_is_counted(tmp_path):
    settings = shop(tmp_path, "select id, (random() * 1e9)::int as amount from orders_csv")
    run(settings, "shop.orders")
    (one,) = again(settings, "shop.orders", 1)
    assert not one.identical
    (port,) = one.ports
    assert (port.added, port.removed, port.changed) == (0, 0, 2)


def test_a_source_that_was_not_kept_is_named_once_it_is_another(tmp_path):
    settings = shop(tmp_path, more="capture: fingerprint")
    run(settings, "shop.orders")
    assert again(settings, "shop.orders", 1)[0].identical
    edit(settings, "orders.csv", "id,amount\n9,90\n")
    (one,) = again(settings, "shop.orders", 1)
    (why,) = one.gone
    assert '"orders_csv" was not kept (it says `capture: fingerprint`)' in why


def test_a_damaged_capture_builds_nothing(tmp_path):
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    (capture,) = environment(settings).store.captures.glob("??/*")
    capture.chmod(0o600)
    capture.write_text("id,amount\n1,11\n2,20\n")
    (one,) = again(settings, "shop.orders", 1)
    assert "another content" in one.gone[0]


def test_the_clock_of_then_and_what_others_had_published_then(tmp_path):
    reader = a_product(
        {"late": a_contract("late", [KEY, "{name: at, logicalType: timestamp}"])},
        inputs=[an_input("shop.orders")],
        files={"late.sql": "select id, mesh_now()::timestamp as at from shop.orders"},
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": orders(), "late": reader}})
    run(settings, "shop.orders")
    run(settings, "shop.late")
    edit(settings, "orders.csv", "id,amount\n9,90\n")
    run(settings, "shop.orders")
    run(settings, "shop.late")
    assert again(settings, "shop.late", 2)[0].identical
    store = environment(settings).store
    collect(store, keep_releases=1, grace_seconds=0, retention=Retention(1, {"shop.late": 5}))
    (one,) = again(settings, "shop.late", 2)
    assert one.gone == ("shop.orders, publication 1, is not kept any more",)


def test_what_a_product_had_published_before_is_read_again(tmp_path):
    grown = a_product(
        {"orders": a_contract("orders", [KEY, AMOUNT])},
        inputs=[a_source("orders_csv", "orders.csv"), "- name: self\n"],
        files={
            "orders.sql": "select * from self union select id, amount from orders_csv",
            "orders.csv": "id,amount\n1,10\n",
        },
    )
    settings = write_workspace(tmp_path, {"shop": {"orders": grown}})
    run(settings, "shop.orders")
    for number in (2, 3):
        edit(settings, "orders.csv", f"id,amount\n{number},10\n")
        run(settings, "shop.orders")
    for number in (1, 2, 3):
        (one,) = again(settings, "shop.orders", number)
        assert one.identical
        assert one.ports[0].rows == number


def test_partitions_one_or_all_that_a_publication_switched(tmp_path):
    settings = workspace(tmp_path)
    for key in MONTHS[:2]:
        build(settings, key)
    (settings.domains_folder / "shop/sales/sales.csv").unlink()
    (one,) = again(settings, "shop.sales", 2)
    assert (one.identical, one.partition) == (True, MONTHS[1])
    (one,) = again(settings, "shop.sales", 2, partition=MONTHS[0])
    assert (one.identical, one.partition) == (True, MONTHS[0])


def test_files_of_other_folders_come_back_under_their_names(tmp_path):
    files_ = orders()
    text = str(files_["product.odps.yaml"]).replace("path: orders.csv", "path: '../in/*/o.csv'")
    settings = write_workspace(
        tmp_path, {"shop": {"orders": {**files_, "product.odps.yaml": text}}}
    )
    more = {"a/o.csv": "id,amount\n1,1\n", "b/o.csv": "id,amount\n2,2\n"}
    write_product(tmp_path, "shop", "in", more)
    run(settings, "shop.orders")
    files.remove_tree(settings.domains_folder / "shop/in")
    (one,) = again(settings, "shop.orders", 1)
    assert one.identical


def test_a_number_of_another_product_is_told_with_those_there_are(tmp_path):
    settings = shop(tmp_path)
    run(settings, "shop.orders")
    number = latest_number(environment(settings).store)
    with pytest.raises(UnknownNameError, match="no release 7"):
        again(settings, "shop.orders", 7)
    other = a_product({"more": [KEY]}, files={"more.sql": "select 1 as id"})
    write_product(tmp_path, "shop", "more", other)
    run(settings, "shop.more")
    with pytest.raises(UnknownNameError, match="was not published by 2") as caught:
        again(settings, "shop.orders", 2)
    assert caught.value.problems[0].choices == (str(number),)


@pytest.mark.parametrize("opened", [False, True])
def test_what_is_masked_is_compared_masked_and_left_nowhere(tmp_path, monkeypatch, opened):
    monkeypatch.setenv("MESH_SECRET_PEOPLE", "a long enough key of people")
    said = f"[{{property: masking, vendor: dataops_mesh, value: {HASH}}}]"
    head = "name: mail, logicalType: string, classification: restricted"
    made = people(f"id,mail\n1,{MARKER}\n", f"{{{head}, customProperties: {said}}}")
    made["product.odps.yaml"] = str(made["product.odps.yaml"]).replace(
        "{path:", "{capture: keep, path:"
    )
    if opened:
        role = a_setting("unmasked", "{members: [hr.people]}").strip()[2:]
        made["people.odcs.yaml"] = (
            f"{made['people.odcs.yaml']}roles: [{{role: desk, customProperties: [{role}]}}]\n"
        )
    settings = write_workspace(
        tmp_path, {"hr": {"people": made}}, settings='restricted = "clear"\n'
    )
    report = run(settings, "hr.people")
    assert report.published, report.decision
    (settings.domains_folder / "hr/people/people.csv").unlink()
    clear = set((tmp_path / "clear").rglob("*"))
    (one,) = again(settings, "hr.people", 1)
    assert one.identical
    assert set((tmp_path / "clear").rglob("*")) == clear
    kept = (p for p in settings.store_folder.rglob("*") if p.is_file())
    assert not [p for p in kept if MARKER.encode() in p.read_bytes()]


def test_the_real_clock_does_not_matter_where_the_transform_asks_for_ours(tmp_path):
    settings = shop(tmp_path, "select id, epoch(mesh_now())::int as amount from orders_csv")
    before = datetime.now(UTC)
    run(settings, "shop.orders")
    assert again(settings, "shop.orders", 1)[0].identical
    assert before < datetime.now(UTC)
