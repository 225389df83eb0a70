"""Makes the shared builders importable: pytest puts the folder of a conftest on the path."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Properties are what is judged: not how fast a machine is that others use too.
settings.register_profile("quiet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quiet")

NO_POSTGRES = (
    "PostgreSQL is not installed: the production test was NOT RUN (apt-get install postgresql)"
)
NO_CHROMIUM = (
    "what people see in the UI was NOT LOOKED AT: it takes HYPOTHESIS_PROFILE=long and Chromium"
)
NO_BROWSER = (
    "the mesh's pages were NOT LOOKED AT in a browser: Chromium is not installed "
    "(apt-get install chromium)"
)
NO_PROMETHEUS = (
    "Prometheus is not installed: nothing scraped /metrics for real (apt-get install prometheus)"
)
NO_BUCKETS = "SeaweedFS or obstore is not installed: sources in buckets were NOT READ (make setup)"
NO_DRIVERS = (
    "adbc-driver-postgresql is not installed: queries on PostgreSQL were NOT RUN (make setup)"
)

NO_LONG = "what takes minutes was NOT RUN: it takes HYPOTHESIS_PROFILE=long (make long)"


def pytest_configure(config):
    # A shell that starts the tests in the background tells them to ignore Ctrl-C.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "needs_postgres: starts a PostgreSQL server of its own")
    config.addinivalue_line("markers", "needs_buckets: starts an S3-compatible store of its own")
    config.addinivalue_line("markers", "needs_drivers: asks a database by ADBC")
    config.addinivalue_line("markers", "takes_long: is run in the long profile only")
    config.addinivalue_line("markers", "needs_prometheus: starts Prometheus, or asks promtool")
    config.addinivalue_line("markers", "needs_a_browser: reads the mesh's own pages with Chromium")
    config.addinivalue_line("markers", "needs_chromium: reads pages of the UI with a browser")


def pytest_collection_modifyitems(items):
    wanted = (
        ("needs_postgres", has_postgres(), NO_POSTGRES),
        ("needs_chromium", has_chromium(), NO_CHROMIUM),
        ("needs_a_browser", has_a_browser(), NO_BROWSER),
        ("needs_prometheus", bool(shutil.which("prometheus")), NO_PROMETHEUS),
        ("needs_buckets", has_buckets(), NO_BUCKETS),
        ("needs_drivers", bool(find_spec("adbc_driver_postgresql")), NO_DRIVERS),
        ("takes_long", is_long(), NO_LONG),
    )
    for item in items:
        for marker, is_there, reason in wanted:
            if not is_there and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Say in the last lines what was left out, so that a green run hides nothing."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason, times in Counter(map(why, skipped)).items():
        terminalreporter.write_line(f"left out ({times}): {reason}", red=True)


def why(report):
    """Return why a test was left out."""
    said = report.longrepr
    return str(said[-1] if isinstance(said, tuple) else said).removeprefix("Skipped: ")


def is_long() -> bool:
    """Tell whether the long profile runs."""
    return os.environ.get("HYPOTHESIS_PROFILE") == "long"


def has_chromium() -> bool:
    """Tell whether the long profile runs and Chromium is on this machine."""
    return is_long() and has_a_browser()


def has_a_browser() -> bool:
    """Tell whether Chromium is on this machine."""
    return bool(shutil.which("chromium") or shutil.which("chromium-browser"))


def has_postgres() -> bool:
    """Tell whether PostgreSQL's programs are on this machine."""
    return bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


def has_buckets() -> bool:
    """Tell whether a store of buckets, and what reads it, are in this environment."""
    weed = (Path(sys.executable).parent / "weed").is_file() or shutil.which("weed")
    return bool(weed and find_spec("obstore"))
