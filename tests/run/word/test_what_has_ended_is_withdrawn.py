"""Retired, removed, renamed, cut shorter: each ends once that was approved, and not before (A11)."""

from __future__ import annotations

import re
import shutil

import pytest
from helpers import (
    a_contract,
    a_product,
    a_setting,
    a_source,
    an_input,
    environment,
    lift,
    mesh,
    product,
    run,
    write_product,
    write_workspace,
)

from dataops_mesh.run.product import run_product
from dataops_mesh.run.word.ended import end, end_by_itself, ended
from dataops_mesh.run.word.rollback import rollback_product
from dataops_mesh.run.word.together import THE_SAME, planned, roll_back_together
from dataops_mesh.store.release import latest

ID = ["{name: id, logicalType: integer, primaryKey: true}"]
OWNED = "team: {name: shop, members: [{username: lea, role: owner}]}\n"


def ports_of(*ports: str, extra=""):
    select = {f"{port}.sql": "select id::bigint as id from src" for port in ports}
    made = a_product(
        dict.fromkeys(ports, ID),
        inputs=[a_source("src", "src.csv")],
        files={"src.csv": "id\n1\n", **select},
    )
    return {**made, "product.odps.yaml": made["product.odps.yaml"] + OWNED + extra}


@pytest.fixture
def shop(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"orders": ports_of("orders")}})
    assert run(settings, "shop.orders").published
    return settings


def found(settings):
    return ended(mesh(settings).domains, environment(settings))


def published(settings):
    return {str(address) for address in latest(environment(settings).store).ports}


def approve(settings, folder):
    """Write the approval that the only end waits for."""
    (one,) = found(settings)
    digest = re.search(r"approvals/([0-9a-f]{16})\.yaml", one.stopped)
    assert digest, one
    file = settings.root / "domains" / folder / "approvals" / f"{digest[1]}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = f"digest: {digest[1]}\napprover: lea\nreason: nobody needs it\ndate: 2026-11-03\n"
    file.write_text(text, "utf-8")


def end_all(settings):
    """Do what the domain's sensor does at a tick."""
    place = environment(settings)
    return [one for domain in mesh(settings).domains for one in end_by_itself(domain, place)]


def remove(settings):
    for name in ("product.odps.yaml", "orders.odcs.yaml", "orders.sql"):
        (settings.root / "domains" / "shop" / "orders" / name).unlink()


def test_a_retired_product_ends_by_its_approval(shop):
    write_product(shop.root, "shop", "orders", ports_of("orders", extra="status: retired\n"))
    assert end_all(shop) == []
    approve(shop, "shop/orders")
    (release,) = end_all(shop)
    assert (release.about, release.person) == ("shop.orders", "ana")
    assert release.reason == "shop.orders was retired, approved by lea"
    assert published(shop) == set()
    assert end_all(shop) == []


def test_an_approval_that_has_served_does_not_end_it_again(shop):
    remove(shop)
    approve(shop, "shop/orders")
    assert len(end_all(shop)) == 1
    write_product(shop.root, "shop", "orders", ports_of("orders"))
    lift(shop, "shop.orders")
    assert run(shop, "shop.orders").published
    remove(shop)
    assert end_all(shop) == []
    (waiting,) = found(shop)
    assert "the approval of before has served" in waiting.stopped


def test_a_stranger_s_approval_ends_nothing(shop):
    remove(shop)
    approve(shop, "shop/orders")
    (file,) = (shop.root / "domains" / "shop" / "orders" / "approvals").iterdir()
    file.write_text(file.read_text().replace("approver: lea", "approver: mia"), "utf-8")
    assert end_all(shop) == []
    assert published(shop) == {"shop.orders"}


def test_what_a_product_of_another_domain_reads_does_not_end(shop):
    reader = a_product(
        {"copy": ID},
        inputs=[an_input("shop.orders")],
        files={"copy.sql": "select id from shop.orders"},
    )
    write_product(shop.root, "desk", "copy", reader)
    assert run(shop, "desk.copy").published
    remove(shop)
    approve(shop, "shop/orders")
    domains = {one.name: one for one in mesh(shop).domains}
    # The sensor of the domain knows only its own folder: what was built from it counts.
    assert end_by_itself(domains["shop"], environment(shop)) == ()
    (one,) = ended((domains["shop"],), environment(shop), "shop")
    assert one.readers == ("desk.copy",)
    assert [release.about for release in end([one], environment(shop))] == ["shop.orders"]
    assert published(shop) == {"desk.copy"}


def regions(*keys: str):
    cut = "customProperties:\n" + a_setting("partitions", f"{{values: [{', '.join(keys)}]}}")
    columns = ["{name: land, logicalType: string, partitioned: true}"]
    made = a_product(
        {"regions": a_contract("regions", columns) + cut},
        inputs=[a_source("src", "'{partition}.csv'")],
        files={
            "regions.sql": "select land from src",
            **{f"{key}.csv": f"land\n{key}\n" for key in ("east", "north", "west")},
        },
    )
    text = made["regions.odcs.yaml"].replace("version: 1.0.0", f"version: {4 - len(keys)}.0.0")
    head = made["product.odps.yaml"] + OWNED
    return {**made, "regions.odcs.yaml": text, "product.odps.yaml": head}


def keys_of(settings):
    ports = latest(environment(settings).store).ports
    return [part.key for entry in ports.values() for part in entry.parts]


def build(settings, key):
    place = environment(settings)
    return run_product(product(settings, "shop.regions"), place, run_id=key, partition=key)


@pytest.fixture
def shorter(tmp_path):
    """Of three partitions two have ended, and were withdrawn."""
    settings = write_workspace(tmp_path, {"shop": {"regions": regions("east", "north", "west")}})
    for key in ("east", "north", "west"):
        assert build(settings, key).published
    write_product(settings.root, "shop", "regions", regions("east"))
    refused = build(settings, "east")
    assert not refused.published
    (one,) = found(settings)
    assert "not published without them yet" in one.stopped
    digest = re.search(r"approvals/([0-9a-f]{16})\.yaml", str(refused.decision))
    text = f"digest: {digest[1]}\napprover: lea\nreason: gone\ndate: 2026-11-03\n"
    files = {f"approvals/{digest[1]}.yaml": text}
    write_product(settings.root, "shop", "regions", regions("east") | files)
    assert build(settings, "east").published
    assert keys_of(settings) == ["east", "north", "west"]
    assert [release.partition for release in end_all(settings)] == ["north", "west"]
    return settings


def test_partitions_end_when_a_declaration_without_them_was_published(shorter):
    assert keys_of(shorter) == ["east"]
    assert build(shorter, "east").published, "what is left is not held"


def test_no_rollback_brings_back_the_partitions_that_have_ended(shorter):
    here, place = product(shorter, "shop.regions"), environment(shorter)
    plan = planned([here], place, 3, [here])
    assert "stay away: north, west" in plan.away["shop.regions"]
    roll_back_together(plan, place, "wrong", "")
    assert keys_of(shorter) == ["east"]
    lift(shorter, "shop.regions")
    assert planned([here], place, 3, [here]).stays == {"shop.regions": THE_SAME}
    told: list[str] = []
    rollback_product(here, place, 4, tell=told.append)
    assert told == list(plan.away.values())
    assert keys_of(shorter) == ["east"]


def test_a_port_ends_when_its_product_was_published_without_it(tmp_path):
    settings = write_workspace(tmp_path, {"shop": {"two": ports_of("left", "right")}})
    assert run(settings, "shop.two").published
    folder = settings.root / "domains" / "shop" / "two"
    for name in ("right.odcs.yaml", "right.sql"):
        (folder / name).unlink()
    (one,) = found(settings)
    assert "not published without it yet" in one.stopped
    refused = run(settings, "shop.two")
    digest = re.search(r"approvals/([0-9a-f]{16})\.yaml", str(refused.decision))
    text = f"digest: {digest[1]}\napprover: lea\nreason: gone\ndate: 2026-11-03\n"
    write_product(settings.root, "shop", "two", {f"approvals/{digest[1]}.yaml": text})
    assert run(settings, "shop.two").published
    assert [str(a) for release in end_all(settings) for a in release.changed] == ["shop.right"]
    assert published(settings) == {"shop.left"}
    assert run(settings, "shop.two").published, "what is left is not held"


def test_a_domain_that_was_renamed_ends_when_the_new_one_is_published(shop):
    domains = shop.root / "domains"
    shutil.move(domains / "shop", domains / "store")
    approve(shop, "store/orders")
    (one,) = found(shop)
    assert one.waits == ("store.orders is not published yet",)
    assert run(shop, "store.orders").published
    (one,) = found(shop)
    assert one.by_itself
    assert one.words == "shop.orders was renamed to store.orders, approved by lea"
    end([one], environment(shop))
    assert published(shop) == {"store.orders"}
