"""Two repositories, one store: only the owner of a domain publishes it."""
# ruff: noqa: F811 - fixtures of another file have the names of arguments

from __future__ import annotations

import subprocess

import pytest
from helpers import environment, product, read, run, write_workspace
from test_other_repositories import Repository, orders, seller, type_  # noqa: F401 - fixtures

from dataops_mesh.errors import OwnershipError
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.run.word.rollback import rollback_product
from dataops_mesh.settings import load_settings
from dataops_mesh.store.owners import owner_of


@pytest.fixture
def thief(tmp_path, type_):
    forged = {k: str(v).replace("1,10,a", "1,-666,a") for k, v in orders().items()}
    return Repository(tmp_path / "thief", type_, shop={"orders": forged})


def test_another_repository_cannot_publish_run_or_roll_back(seller, thief):
    assert seller.mesh("run").code == 0
    refused = thief.mesh("run")
    assert refused.code != 0
    assert f"the domain shop belongs to {seller.root}" in refused.out + refused.err
    assert "mesh domain assign shop" in refused.out + refused.err
    with pytest.raises(OwnershipError):
        run(thief.settings, "shop.orders")
    with pytest.raises(OwnershipError):
        rollback_product(product(thief.settings, "shop.orders"), environment(thief.settings))
    assert thief.mesh("rollback", "shop.orders", "--reason", "x").code == 2
    assert read(seller.settings, "select min(amount) from shop.orders") == [(10,)]
    # Nothing of the stranger is on record under the owner's name.
    assert seller.mesh("incidents").code == 0
    assert [
        row["what"] for row in seller.mesh("history", "shop.orders", "--format", "json").json
    ] == ["published"]


@pytest.mark.parametrize("more", [(), ("--erase",)])
def test_a_stranger_is_refused_before_anything_is_said_to_go(seller, thief, more):
    assert seller.mesh("run").code == 0
    said = thief.mesh("withdraw", "shop.orders", "--reason", "x", "--yes", *more)
    assert said.code == 2
    assert "the domain shop belongs to" in said.err
    assert "takes" not in said.err


def test_a_domain_moves_when_a_person_says_so_and_that_is_on_record(seller, thief):
    assert seller.mesh("run").code == 0
    assert thief.mesh("domain", "assign", "shop", ".").code == 0
    assert thief.mesh("run").code == 0
    assert seller.mesh("run").code != 0
    found = seller.mesh("domain", "list", "--all", "--format", "json").json
    assert [(row["repository"], row["how"]) for row in found] == [
        (str(seller.root), "first publication"),
        (str(thief.root), "assigned"),
    ]
    assert "ana" in seller.mesh("domain", "list").out


@pytest.mark.parametrize("more", [(), ("--move",)])
def test_what_a_repository_publishes_another_one_does_not_register(seller, thief, more):
    """And a stranger that was on record before does not keep the owner out."""
    assert thief.mesh("register").code == 0
    assert seller.mesh("run").code == 0
    assert seller.mesh("register").code == 0
    refused = thief.mesh("register", *more)
    assert refused.code == 2
    assert f"the domain shop belongs to {seller.root}" in refused.err
    listed = seller.mesh("register", "--list", "--format", "json").json
    assert {row["repository"] for row in listed} == {str(seller.root)}


def test_looking_claims_nothing(seller, thief):
    for command in (["check"], ["plan"], ["status"]):
        assert thief.mesh(*command).code == 0
    assert owner_of(environment(seller.settings).store, "shop") is None
    assert seller.mesh("run").code == 0


def test_where_owners_are_assigned_nobody_publishes_before(seller, monkeypatch):
    monkeypatch.setenv("DATAOPS_MESH_OWNERSHIP", "assigned")
    refused = seller.mesh("run")
    assert refused.code != 0
    assert "nobody owns the domain shop" in refused.out + refused.err
    assert seller.mesh("domain", "assign", "shop", "git@git.example:us/shop.git").code == 0
    assert seller.mesh("run").code != 0
    monkeypatch.setenv("DATAOPS_MESH_REPOSITORY", "https://git.example/us/shop")
    assert seller.mesh("run").code == 0


def test_five_spellings_of_one_remote_are_one_repository(tmp_path):
    settings = write_workspace(tmp_path, {})
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", "x"], check=True)
    names = set()
    for remote in (
        "git@git.example:us/mesh.git",
        "https://git.example/us/mesh",
        "https://ana:secret@git.example/us/mesh.git",
        "ssh://git@git.example/us/mesh/",
        "ssh://git@git.example:2222/us/mesh.git",
    ):
        subprocess.run([*git, "remote", "set-url", "origin", remote], check=True)
        names.add(publisher_of(environment(settings)).repository)
    assert names == {"git.example/us/mesh"}


def test_a_workspace_that_is_moved_or_put_into_git_still_owns_its_domains(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    settings = write_workspace(old, {"shop": {"orders": orders()}})
    assert run(settings, "shop.orders").published
    new = old.rename(tmp_path / "new")
    assert run(load_settings(new), "shop.orders").published
    git = ["git", "-C", str(new)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", "git@git.example:us/mesh"], check=True)
    assert run(load_settings(new), "shop.orders").published


@pytest.mark.parametrize("command", ["verify", "gc", "register"])
def test_the_names_of_older_versions_still_work_and_are_not_shown(seller, command):
    assert seller.mesh("run").code == 0
    assert seller.mesh(command).code == 0
    assert f"│ {command} " not in seller.mesh("--help").out
    family = "domain" if command == "register" else "store"
    assert seller.mesh(family, command).code == 0
