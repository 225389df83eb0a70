"""Somebody ran once as root, or with a narrow umask: others are told whose it is, and go on."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from helpers import a_product, a_source, run, write_workspace

from dataops_mesh import connect
from dataops_mesh.disk import disk_problem
from dataops_mesh.errors import MeshError, SettingsError, StoreError
from dataops_mesh.ledger import open_ledger
from dataops_mesh.ledger.operations import Operation, add_operation
from dataops_mesh.store.captures.take import home_of
from dataops_mesh.store.collect import Collected, collect
from dataops_mesh.store.log import latest
from dataops_mesh.store.pins import pinned
from dataops_mesh.store.place import PLACE
from dataops_mesh.store.store import open_store

STRANGER = 65534
COLUMNS = ("{name: id, logicalType: integer, primaryKey: true}",)


@pytest.fixture
def settings(tmp_path):
    orders = a_product(
        ports={"orders": COLUMNS},
        inputs=[a_source("orders_csv", "orders.csv")],
        files={"orders.sql": "select id from orders_csv", "orders.csv": "id\n1\n"},
    )
    made = write_workspace(tmp_path, {"shop": {"orders": orders}})
    for number in range(4):
        (tmp_path / "domains/shop/orders/orders.csv").write_text(f"id\n{number}\n", "utf-8")
        run(made, "shop.orders")
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    return made


def as_a_stranger(act: Callable[[], str]) -> str:
    """Do something as another user, where we may become one; else as ourselves."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(STRANGER)
                os.setuid(STRANGER)
            said = act()
        except BaseException as error:  # noqa: BLE001 - all of it goes to the parent
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def lock(folder: Path) -> None:
    """Let nobody but root delete what is in the folder."""
    folder.chmod(0o555)


def test_a_collection_goes_on_past_what_belongs_to_somebody_else(settings):
    store = open_store(settings.store_folder)
    kept = {ref for entry in latest(store).ports.values() for ref in entry.refs}
    refs = sorted(path for path in store.candidates.glob("*/*/*") if path.is_dir())
    # Those of one second are in no order: what is read now is not there to be collected.
    refs = [path for path in refs if path.relative_to(store.candidates).as_posix() not in kept]
    if os.geteuid() == 0:
        for path in (store.root, *store.root.rglob("*")):
            os.chown(path, STRANGER, STRANGER)
    others = refs[0]
    if os.geteuid() == 0:
        os.chown(others, 0, 0)
    lock(others)
    found: Collected | None = None

    def act() -> str:
        nonlocal found
        found = collect(store, keep_releases=1, grace_seconds=0)
        stuck = ";".join(f"{item.name} {item.why}" for item in found.stuck)
        return f"{len(found.gone)}|{stuck}"

    gone, _, stuck = as_a_stranger(act).partition("|")
    free = [ref for ref in refs if not ref.exists()]
    assert others.is_dir()
    assert int(gone) == len(free) == len(refs) - 1, stuck
    assert others.relative_to(store.candidates).as_posix() in stuck
    assert "belongs to" in stuck
    assert "you are" in stuck


def own_by_a_stranger(*paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            os.chown(path, STRANGER, STRANGER)


@pytest.mark.parametrize("lives", [False, True])
def test_a_lock_and_a_pin_of_somebody_else_stop_no_collection(settings, lives):
    """Root collected once by hand, and a process of root reads; the pipeline's user goes on."""
    store = open_store(settings.store_folder)
    own_by_a_stranger(store.root, *store.root.rglob("*"))
    for lock_file in (store.root / "collect.lock", store.catalogs / "write.lock"):
        lock_file.touch()
        os.chown(lock_file, os.geteuid(), os.getegid())
        lock_file.chmod(0o444 if os.geteuid() else 0o644)
    with pinned(store) as release:
        pins = list(store.pins.glob("*.lock"))
        for pin in pins:
            pin.chmod(0o444 if os.geteuid() else 0o644)
        if not lives:
            left = store.pins / "dead.lock"
            left.touch()
            left.chmod(0o444 if os.geteuid() else 0o644)

        def act() -> str:
            found = collect(store, keep_releases=1, grace_seconds=0)
            return f"{len(found.gone)}|{len(found.stuck)}"

        assert as_a_stranger(act) == "3|0"
        assert [pin for pin in pins if pin.exists()] == pins, "it lives"
        for entry in release.ports.values():
            assert all((store.candidates / ref).is_dir() for ref in entry.refs)
    assert not (store.pins / "dead.lock").exists()


def test_a_lock_that_may_not_be_made_says_whose_the_folder_is(settings):
    store = open_store(settings.store_folder)
    lock(store.root)

    def act() -> str:
        collect(store, keep_releases=1, grace_seconds=0)
        return "collected"

    (store.root / "collect.lock").unlink(missing_ok=True)
    said = as_a_stranger(act)
    store.root.chmod(0o755)
    assert said.startswith("PermissionError"), said


def test_a_collection_goes_on_past_captures_of_somebody_else(settings):
    store = open_store(settings.store_folder)
    own_by_a_stranger(store.root, *store.root.rglob("*"))
    captures = sorted(path for path in store.captures.glob("??/*") if path.is_file())
    assert len(captures) == 4
    for path in captures[:1]:
        lock(path.parent)
        if os.geteuid() == 0:
            os.chown(path.parent, 0, 0)

    def act() -> str:
        found = collect(store, keep_releases=1, grace_seconds=0)
        stuck = ";".join(f"{item.name} {item.why}" for item in found.stuck)
        return f"{len(found.gone)}|{len(found.captures)}|{stuck}"

    gone, deleted, stuck = as_a_stranger(act).split("|")
    assert int(gone) == 3
    if captures[0].name in stuck:  # unless it is that of what consumers read
        assert deleted == "2"
        assert "belongs to" in stuck
    assert captures[0].exists()


@pytest.mark.parametrize(("root", "found"), [(0o2775, 0o2770), (0o2770, 0o2770), (0o755, 0o700)])
def test_captures_are_of_the_group_that_writes_the_store(settings, root, found):
    store = open_store(settings.store_folder)
    shutil.rmtree(store.captures)
    store.root.chmod(root)
    before = os.umask(0o002)
    try:
        home = home_of(store, private=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.stat().st_mode) == found


def test_a_run_that_may_not_write_says_whose_the_folder_is(settings):
    store = open_store(settings.store_folder)
    if os.geteuid() == 0:
        for path in (settings.root / PLACE, store.root, *store.root.rglob("*")):
            os.chown(path, STRANGER, STRANGER)
        for path in (store.candidates, *store.candidates.rglob("*")):
            os.chown(path, 0, 0)
    for path in (store.candidates, *store.candidates.glob("*"), *store.candidates.glob("*/*")):
        lock(path)

    def act() -> str:
        try:
            run(settings, "shop.orders")
        except MeshError as error:
            return str(error)
        return "published"

    said = as_a_stranger(act)
    assert "the run failed: PermissionError" in said
    assert "belongs to" in said
    assert "let all who write the store be of one group" in said


def test_who_may_not_read_what_a_workspace_is_known_by_is_told_so(settings):
    (settings.root / PLACE).chmod(0o600 if os.geteuid() == 0 else 0o000)

    def act() -> str:
        run(settings, "shop.orders")
        return "published"

    said = as_a_stranger(act)
    assert said.startswith("OwnershipError"), said
    assert "(.mesh/place) may not be read by you" in said


def test_a_reader_without_rights_is_told_whose_the_store_is_and_how_to_share_it(settings):
    for folder in (settings.store_folder / "heads" / "production", settings.store_folder):
        folder.chmod(0o700 if os.geteuid() == 0 else 0o000)

    def act() -> str:
        with connect(store=settings.store_folder):
            return "opened"

    said = as_a_stranger(act)
    settings.store_folder.chmod(0o700)
    (settings.store_folder / "heads" / "production").chmod(0o700)
    assert said.startswith(StoreError.__name__), said
    assert "belongs to" in said
    assert "umask 002" in said


def test_a_ledger_of_somebody_else_names_the_cure(settings):
    file = settings.store_folder / "ledger.sqlite"
    if os.geteuid() == 0:
        os.chown(settings.store_folder, STRANGER, STRANGER)
    file.chmod(0o444)

    def act() -> str:
        ledger = open_ledger(f"sqlite:///{file}")
        add_operation(ledger, Operation(datetime.now(UTC), "ana", "here", "collect"))
        return "written"

    said = as_a_stranger(act)
    assert said.startswith(StoreError.__name__), said
    assert "the ledger's file may not be written" in said
    assert "chmod -R g+rwX" in said


@pytest.mark.parametrize(
    ("number", "then"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EACCES, "one group"),
        (errno.EPERM, "one group"),
        (errno.EIO, "no fault of mesh"),
    ],
)
def test_the_hint_fits_what_the_disk_said(number, then, tmp_path):
    (tmp_path / "store.json").touch()
    problem = disk_problem(OSError(number, os.strerror(number), str(tmp_path / "file")))
    assert then in str(problem.next)
    assert ("make room" in str(problem.next)) is (number == errno.ENOSPC)
    assert issubclass(StoreError, MeshError)


def test_the_hint_fits_the_place(tmp_path):
    refused = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "report"))
    problem = disk_problem(refused)
    assert "one group" not in str(problem.next)
    assert "a place that you may write" in str(problem.next)


@pytest.mark.parametrize(("mask", "group"), [(0o002, True), (0o022, False)])
def test_the_databases_are_of_the_group_that_the_umask_lets_write(
    settings, tmp_path, monkeypatch, mask, group
):
    from dataops_mesh.factory.instance import open_instance

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    before = os.umask(mask)
    try:
        open_ledger(f"sqlite:///{tmp_path / 'own.sqlite'}")
        with open_instance(settings) as instance:
            instance.get_runs_count()
            made = [tmp_path / "own.sqlite", *settings.dagster_folder.rglob("*.db")]
            made += settings.dagster_folder.rglob("*.db-*")
            rights = {path.name: bool(path.stat().st_mode & stat.S_IWGRP) for path in made}
    finally:
        os.umask(before)
    assert len(rights) >= 4
    assert set(rights.values()) == {group}, rights


def test_a_database_of_dagster_that_may_not_be_written_is_named(settings, tmp_path, monkeypatch):
    from dataops_mesh.factory.instance import open_instance

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    open_instance(settings)
    for path in (settings.dagster_folder, *settings.dagster_folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o644 if os.geteuid() == 0 else 0o444)

    def act() -> str:
        open_instance(settings)
        return "opened"

    said = as_a_stranger(act)
    assert said.startswith(SettingsError.__name__), said
    assert "runs.db may not be written: Permission denied (belongs to" in said


def test_a_link_to_where_nobody_may_look_is_in_no_store(tmp_path):
    """The Python of another user's home is none of the store's files."""
    closed, link = tmp_path / "closed", tmp_path / "bin" / "python"
    closed.mkdir()
    (closed / "python").touch()
    link.parent.mkdir()
    link.symlink_to(closed / "python")
    closed.chmod(0o700 if os.geteuid() == 0 else 0o000)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH)

    def act() -> str:
        return str(disk_problem(PermissionError(errno.EACCES, "Permission denied", str(link))).next)

    said = as_a_stranger(act)
    closed.chmod(0o700)
    assert "a place that you may write" in said


def test_a_home_of_dagster_that_may_not_be_written_names_the_setting(
    settings, monkeypatch, tmp_path
):
    from dataops_mesh.factory.instance import open_instance

    # What it imports, a stranger may not be able to read where this Python is root's.
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "warm"))
    open_instance(settings)
    monkeypatch.delenv("DAGSTER_HOME")

    def act() -> str:
        open_instance(settings)
        return "opened"

    for mode, made in ((0o555, False), (0o555, True)):
        home = settings.dagster_folder
        if made:
            home.mkdir(parents=True)
            lock(home)
        home.parent.chmod(mode)
        said = as_a_stranger(act)
        home.parent.chmod(0o755)
        assert said.startswith(SettingsError.__name__), said
        assert "may not be written" in said
        assert "name another folder (DAGSTER_HOME wins)" in said
