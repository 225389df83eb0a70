"""Stopped at any effect, a publication with two forms leaves the old one, or the new one, whole.

What is readable without the restricted folder is never a clear value, and a collection takes away
what was left.
"""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from helpers import environment, read, run, write_product
from mask_cases import KEY, MARKER, cells, hashed
from role_cases import people, role, workspace

from dataops_mesh import connect
from dataops_mesh.settings import load_settings
from dataops_mesh.store import files
from dataops_mesh.store.collect import collect
from dataops_mesh.store.log import latest
from dataops_mesh.store.retention import Retention

OLD = "id,mail,name\n7,old@x.org,Old\n"
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


@pytest.fixture(autouse=True)
def _secret(monkeypatch) -> None:
    monkeypatch.setenv("MESH_SECRET_PEOPLE", KEY)


def publish(root: Path, at: int, pipe) -> None:
    """Run the product in a process of its own that dies before one of its effects."""
    count = 0
    own = (root / "clear", root / ".mesh/store/candidates", root / ".mesh/store/heads")

    def before(effect: str, path: Path) -> None:
        nonlocal count
        if any(Path(path).is_relative_to(one) for one in own):
            count += 1
            if count == at:
                os._exit(9)

    files.before = before
    run(load_settings(root), "hr.people")
    pipe.send(count)


def in_process(root: Path, at: int) -> int | None:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=publish, args=(root, at, there))
    process.start()
    process.join()
    return here.recv() if process.exitcode == 0 else None


def prepared(root: Path) -> Path:
    root.mkdir()
    settings = workspace(root, {"hr": {"people": people(OLD, role("ana"))}})
    run(settings, "hr.people")
    write_product(root, "hr", "people", people(roles=role("ana")))
    return root


def test_nothing_clear_is_readable_whenever_it_stops(tmp_path: Path):
    last = in_process(prepared(tmp_path / "whole"), 0)
    assert last
    assert last > 20
    every = range(1, last + 1)
    for at in every if LONG else sorted({*every[:: max(last // 6, 1)], last}):
        root = prepared(tmp_path / f"at{at}")
        assert in_process(root, at) is None
        settings = load_settings(root)
        store = environment(settings).store
        published = {path for e in latest(store).ports.values() for path in e.refs}
        shown = [cells(store.candidates / ref) for ref in published]
        assert not any(MARKER in one for one in shown)
        ids = [row[0] for row in read(settings, "select id from hr.people order by id")]
        assert ids in ([7], [1, 2])
        with connect(root, role="fraud") as con:
            mails = [row[0] for row in con.execute("select mail from hr.people").fetchall()]
        assert sorted(mails) == (["old@x.org"] if ids == [7] else ["ben@x.org", MARKER])
        collect(store, keep_releases=1, grace_seconds=0)
        assert MARKER not in cells(store.root)
        run(settings, "hr.people")  # also puts on record what died before it was
        collect(store, keep_releases=1, grace_seconds=0, retention=Retention(1))
        (now,) = (ref for entry in latest(store).ports.values() for ref in entry.refs)
        left = {path.relative_to(store.restricted) for path in store.restricted.glob("*/*/*")}
        assert left == {Path(now)}
        assert (1, hashed(MARKER), "*") in read(settings, "from hr.people")
