from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


@pytest.fixture
def instance(tmp_path):
    """A real instance that keeps runs, events and assets in files."""
    from locations import local_instance

    (tmp_path / "dagster").mkdir()
    with local_instance(tmp_path / "dagster") as opened:
        yield opened
