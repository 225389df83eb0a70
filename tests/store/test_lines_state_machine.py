"""Whatever is built, opened, refreshed, taken down and collected: each line shows its own."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from lines import KEYS, D, Line, Lines

from dataops_mesh.engine.read import connect
from dataops_mesh.store.store import PRODUCTION, open_store


def test_each_line_shows_its_own_whatever_happens_beside_it():
    run_state_machine_as_test(
        Lines,
        settings=settings(
            deadline=None,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("comes", [True, False])
def test_a_port_that_comes_or_goes_there_is_refreshed_beside_what_was_built_here(comes):
    """Each partition that was not built here is as it is there."""
    lines = Lines()
    if not comes:
        lines.begin()
    lines.open(0, None)
    lines.publish(1, "days", KEYS[1], None)
    if comes:
        lines.begin()
    else:
        lines.withdraw("days", None)
    lines.refresh(0, None)
    lines.every_line_shows_its_own()
    (sandbox,) = lines.sandboxes.values()
    days = {key for address, key in sandbox.shown if address == D}
    assert days == ({KEYS[0], KEYS[1]} if comes else {KEYS[1]})
    lines.teardown()


def test_what_a_sandbox_shows_can_be_read(tmp_path):
    """The engine binds what was inherited and what was built alike."""
    production = open_store(tmp_path / "store")
    lines = Lines()
    lines.production = Line(production)
    lines.begin()
    lines.open(0, None)
    lines.publish(1, "days", KEYS[1], None)
    (name,) = lines.sandboxes
    sql = "select count(*) from fleet.days"
    with connect(production.root, sandbox=name) as connection:
        assert connection.execute(sql).fetchone() == (6,)
    with connect(production.root) as connection:
        assert connection.execute(sql).fetchone() == (3,)
        assert connection.release.line == PRODUCTION
    lines.teardown()
