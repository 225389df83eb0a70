"""Nobody publishes in another's name: by a link, by a path that two share, by a gate of others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import a_product, environment, product, run, write_workspace

from dataops_mesh.errors import OwnershipError, SettingsError, StoreError
from dataops_mesh.run.checks import all_checks
from dataops_mesh.run.process.client import gate_run
from dataops_mesh.run.registry.owners import assign_domain, publisher_of
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.store import record
from dataops_mesh.store.log import latest_number
from dataops_mesh.store.owners import Owner, owner_of
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


MOUNTED = """
import os, subprocess, sys
from pathlib import Path
from helpers import environment, run
from dataops_mesh.errors import MeshError
from dataops_mesh.run.registry.owners import assign_domain, publisher_of
from dataops_mesh.settings import load_settings
from dataops_mesh.store import record
from dataops_mesh.store.log import latest_number
from dataops_mesh.store.owners import Owner, owner_of

ours, theirs = map(Path, sys.argv[1:])
STORE = sorted(one.name for one in (ours / ".mesh/store").iterdir() if one.is_dir())
CASES = {
    "the store": [".mesh/store"],
    "the folder around it": [".mesh"],
    "all that is in it": [f".mesh/store/{name}" for name in STORE],
    "all but owners": [f".mesh/store/{name}" for name in STORE if name != "owners"],
}
for case, parts in CASES.items():
    for name in ("", "git.example/them/shop"):
        os.environ["DATAOPS_MESH_REPOSITORY"] = name
        for part in parts:
            (theirs / part).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", ours / part, theirs / part], check=True)
        try:
            print(case, "|", name, "|", run(load_settings(theirs), "shop.orders").published)
        except MeshError as error:
            print(case, "|", name, "|", type(error).__name__, str(error).replace("\\n", " "))
        for part in reversed(parts):
            subprocess.run(["umount", theirs / part], check=True)
"""


def test_a_store_that_is_mounted_here_does_not_make_its_owner(tmp_path: Path):
    """Whoever sees it at its own `.mesh/store` is as far from it as its owner."""
    mine = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if shutil.which("unshare") is None or subprocess.run([*mine, "true"], check=False).returncode:
        pytest.skip("nothing may be mounted here")
    assert run(shop(tmp_path / "ours"), "shop.orders").published
    shop(tmp_path / "theirs")
    store = tmp_path / "theirs" / ".mesh" / "store"
    store.mkdir(parents=True)
    (store / "store.json").write_bytes((tmp_path / "ours/.mesh/store/store.json").read_bytes())
    command = [*mine, sys.executable, "-c", MOUNTED, tmp_path / "ours", tmp_path / "theirs"]
    told = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=told, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 8, done.stdout
    for line in lines:
        wrong = "StoreError" if line.startswith("all ") else "OwnershipError"
        assert line.split("|")[2].split()[0] == wrong, line
        assert "mesh domain assign shop" in line or "a store is one folder" in line
    assert latest_number(environment(load_settings(tmp_path / "ours")).store) == 1


@pytest.mark.parametrize("left", ["", "owners"])
def test_a_store_whose_folders_are_links_is_refused(tmp_path: Path, left: str):
    assert run(shop(tmp_path / "ours"), "shop.orders").published
    theirs, store = shop(tmp_path / "theirs"), tmp_path / "theirs" / ".mesh" / "store"
    store.mkdir(parents=True)
    for one in (tmp_path / "ours" / ".mesh" / "store").iterdir():
        if one.name != left:
            (store / one.name).symlink_to(one)
    with pytest.raises(StoreError, match=r"/theirs/\.mesh/store/\S+ is a link.*one folder"):
        run(theirs, "shop.orders")
    for inner in store.iterdir():
        inner.unlink()
    (store / "heads").mkdir()
    (store / "store.json").write_bytes((tmp_path / "ours/.mesh/store/store.json").read_bytes())
    (store / "heads" / "production").symlink_to(tmp_path / "ours/.mesh/store/heads/production")
    with pytest.raises(StoreError, match="production is a link"):
        run(theirs, "shop.orders")


@pytest.mark.parametrize("name", ["git.example/them/shop", "{ours}"])
def test_who_has_another_name_is_no_owner_by_a_place(tmp_path: Path, name: str, monkeypatch):
    ours = shop(tmp_path / "ours")
    assert run(ours, "shop.orders").published
    theirs = shop(tmp_path / "theirs", f'store = "{ours.store_folder}"\n')
    monkeypatch.setenv("DATAOPS_MESH_REPOSITORY", name.format(ours=ours.root))
    with pytest.raises(OwnershipError) as refused:
        run(load_settings(theirs.root), "shop.orders")
    said = str(refused.value)
    assert f"belongs to {ours.root}, a folder " in said
    assert f"this is the repository {name.format(ours=ours.root)}" in said
    assert f"mesh domain assign shop {'.' if name == '{ours}' else name}" in said


def test_a_workspace_that_was_on_record_before_it_had_a_token_goes_on(tmp_path: Path):
    ours = shop(tmp_path / "ours")
    assert run(ours, "shop.orders").published
    (entry,) = (ours.store_folder / "owners" / "shop").iterdir()
    owner = record.decode(Owner, entry.read_bytes(), entry)
    entry.chmod(0o644)
    entry.write_bytes(record.encode(replace(owner, token="")))
    (ours.root / ".mesh" / "place").unlink()
    made = ours.domains_folder / "shop" / "orders" / "orders.sql"
    made.write_text("select 2 as id", "utf-8")
    assert run(ours, "shop.orders").published
    ours.root.rename(tmp_path / "moved")
    moved = load_settings(tmp_path / "moved")
    with pytest.raises(OwnershipError, match=r"mesh domain assign shop \."):
        run(moved, "shop.orders")
    assign_domain(environment(moved), "shop", ".")
    assert run(moved, "shop.orders").published
    (tmp_path / "moved").rename(tmp_path / "again")
    assert run(load_settings(tmp_path / "again"), "shop.orders").published


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
