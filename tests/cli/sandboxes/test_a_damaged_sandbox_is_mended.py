"""A sandbox whose log is damaged is told, and stands in nobody's way."""

from __future__ import annotations

import pytest
from helpers import run

from dataops_mesh.run.environment import open_environment
from dataops_mesh.settings import load_settings
from dataops_mesh.store.line.known import find, sandboxes
from dataops_mesh.store.log import latest, path_of


@pytest.fixture
def line(workspace, mesh):
    """A sandbox in which something was built, then refreshed."""
    assert run(workspace, "shop.orders").published
    assert mesh("sandbox", "up", "late").code == 0
    assert run(load_settings(workspace.root, sandbox="late"), "desk.totals").published
    assert mesh("sandbox", "refresh", "late").code == 0
    return find(open_environment(workspace).store, "late")


def damage(line, number):
    path = path_of(line, number)
    path.chmod(0o644)
    path.write_bytes(b"{")


@pytest.mark.parametrize(
    ("back", "told"),
    [
        (0, "consumers read release 3 again"),  # the refresh: it is as before
        (1, "was written again from the ledger and the evidence"),
        (2, "what late shows is whole"),  # the opening: nobody but `list` asks for it
    ],
)
def test_what_is_damaged_is_told_and_mended_as_far_as_it_can_be(line, mesh, back, told):
    newest = latest(line)
    damage(line, newest.number - back)
    said = mesh("store", "verify", "--format", "json")
    assert said.code == 1
    assert [row["name"] for row in said.json] == [f"late {newest.number - back}"]
    said = mesh("store", "verify", "--repair")
    assert told in " ".join(said.err.split())
    assert set(latest(line).ports) == set(newest.ports)
    assert mesh("query", "from desk.totals", "--sandbox", "late").code == 0
    assert mesh("sandbox", "down", "late").code == 0
    assert mesh("store", "gc").code == 0


def test_one_of_which_nothing_is_left_is_gone(workspace, mesh):
    assert run(workspace, "shop.orders").published
    assert mesh("sandbox", "up", "late").code == 0
    line = find(open_environment(workspace).store, "late")
    damage(line, latest(line).number)
    assert "late is gone" in " ".join(mesh("store", "verify", "--repair").err.split())
    assert sandboxes(open_environment(workspace).store) == ()
    assert mesh("sandbox", "up", "late").code == 0
    assert mesh("store", "verify").code == 0
