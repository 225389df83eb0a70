"""Makes the shared builders importable: pytest puts the folder of a conftest on the path."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

NO_POSTGRES = (
    "PostgreSQL is not installed: the production test was NOT RUN (apt-get install postgresql)"
)


def pytest_configure(config):
    config.addinivalue_line("markers", "needs_postgres: starts a PostgreSQL server of its own")


def pytest_collection_modifyitems(items):
    if has_postgres():
        return
    for item in items:
        if item.get_closest_marker("needs_postgres"):
            item.add_marker(pytest.mark.skip(reason=NO_POSTGRES))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Say in the last lines what was left out, so that a green run hides nothing."""
    if any(
        NO_POSTGRES in str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])
    ):
        terminalreporter.write_line(NO_POSTGRES, red=True)


def has_postgres() -> bool:
    """Tell whether PostgreSQL's programs are on this machine."""
    return bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))
