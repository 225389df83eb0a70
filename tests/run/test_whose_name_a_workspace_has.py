"""Nobody publishes in another's name: by a link, by a path that two share, by a gate of others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import a_product, environment, product, run, write_workspace

from dataops_mesh.errors import OwnershipError, SettingsError
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.process.client import gate_run
from dataops_mesh.run.registry.owners import publisher_of
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.store.owners import owner_of
from dataops_mesh.transform.walls import walls_of

KEY = "{name: id, logicalType: integer, primaryKey: true}"


def shop(root: Path, settings: str = "") -> Settings:
    root.mkdir(parents=True, exist_ok=True)
    made = a_product({"orders": [KEY]}, files={"orders.sql": "select 1 as id"})
    return write_workspace(root, {"shop": {"orders": made}}, settings=settings)


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)


def test_a_link_to_somebodys_store_does_not_make_its_owner(tmp_path: Path):
    assert run(shop(tmp_path / "ours"), "shop.orders").published
    theirs = shop(tmp_path / "theirs")
    (tmp_path / "theirs" / ".mesh").symlink_to(tmp_path / "ours" / ".mesh")
    with pytest.raises(OwnershipError, match="the domain shop belongs to"):
        run(theirs, "shop.orders")


def test_a_workspace_moved_together_with_its_store_is_still_the_owner(tmp_path: Path):
    assert run(shop(tmp_path / "ours"), "shop.orders").published
    (tmp_path / "ours").rename(tmp_path / "moved")
    assert run(load_settings(tmp_path / "moved"), "shop.orders").published


def test_the_same_relative_remote_of_two_checkouts_is_two_repositories(tmp_path: Path):
    store = f'store = "{tmp_path / "store"}"\n'
    ours, theirs = shop(tmp_path / "a" / "w", store), shop(tmp_path / "b" / "w", store)
    for settings in (ours, theirs):
        git(settings.root, "init", "-q")
        git(settings.root, "remote", "add", "origin", "../origin")
    assert run(ours, "shop.orders").published
    assert publisher_of(environment(ours)).repository == str(tmp_path / "a" / "origin")
    with pytest.raises(OwnershipError, match="the domain shop belongs to"):
        run(theirs, "shop.orders")


@pytest.fixture
def gate_of_ours(tmp_path: Path):
    """A gate for all, which an image tells whose it is; and the workspace that it serves."""
    root, path = tmp_path / "ours", tmp_path / "gate"
    shop(root, f'gate = "{path}"\n')
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DATAOPS_MESH_")}
    told = {**clean, "DATAOPS_MESH_REPOSITORY": "git.example/ours/shop"}
    code = "from dataops_mesh.run.process.server import main; import sys; main(sys.argv[1])"
    arrow = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=root, env={**told, **arrow}
    )
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    yield path
    process.terminate()
    assert process.wait(60) == 0


def ask(settings: Settings):
    found = product(settings, "shop.orders")
    return gate_run(found, settings, all_checks(found, walls_of(settings)), run_id="r")


def test_a_gate_for_all_serves_its_own_workspace_only(
    tmp_path: Path, gate_of_ours: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DATAOPS_MESH_REPOSITORY", "git.example/ours/shop")
    lines = f'store = "{tmp_path / "ours/.mesh/store"}"\ngate = "{gate_of_ours}"\n'
    theirs = shop(tmp_path / "theirs", lines)
    with pytest.raises(SettingsError, match="asked by another one"):
        ask(theirs)
    ours = load_settings(tmp_path / "ours")
    assert ask(ours).published
    owner = owner_of(environment(ours).store, "shop")
    assert owner is not None
    assert owner.repository == "git.example/ours/shop"
