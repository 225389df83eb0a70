from __future__ import annotations

import sys
from pathlib import Path

# The receivers of alerts live beside the tests of alerts.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "run")]
