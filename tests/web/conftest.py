"""The eventful mesh, made once for all tests that only look at it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from eventful import browser, make

from dataops_mesh.settings import load_settings


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    """A mesh with a refusal, a hold, a withdrawal, a late product and incidents; read only."""
    return make(tmp_path_factory.mktemp("eventful"))


@pytest.fixture
def own(settings, tmp_path):
    """A copy of that mesh, for a test that changes it."""
    root = tmp_path / "own"
    # In a process of its own: to close a file takes away the locks that SQLite has on it here.
    subprocess.run(["cp", "-a", str(settings.root), str(root)], check=True)
    return load_settings(root)


@pytest.fixture(scope="session")
def pages(settings):
    """Asks for its pages."""
    return browser(settings)


@pytest.fixture(scope="session")
def crawled(pages):
    """Every page that there is a link to."""
    return dict(pages.crawl())
