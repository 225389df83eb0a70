"""For each line that is read, a fork exports until somebody kills it: `python exporter.py ROOT`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import sqlalchemy  # noqa: F401 - what an export imports is there before the fork
from export_cases import export

from dataops_mesh.settings import load_settings


def export_for_ever(settings):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    while True:
        for found in export(settings):
            if found.outcome == "failed":
                sys.stdout.write(f"{found.why}\n")
                sys.stdout.flush()


def main():
    settings = load_settings(Path(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are nobody's care
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            export_for_ever(settings)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


main()
