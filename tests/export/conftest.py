from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "production"))


@pytest.fixture(scope="session")
def database():
    """The URL of a PostgreSQL of our own; a test that uses it keeps to a schema of its own."""
    from postgres import postgres

    with postgres() as url:
        yield url
