from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="module")
def processes():
    """A server that has everything imported, so that a new process takes milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sandbox_processes"])
    with pytest.MonkeyPatch.context() as patch:
        path = [one or str(Path.cwd()) for one in sys.path]
        patch.setenv("PYTHONPATH", os.pathsep.join(path))  # for what is preloaded
        yield context
