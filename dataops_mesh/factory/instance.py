"""The Dagster instance of a workspace, made on first use."""

import os
from pathlib import Path

import dagster as dg

from dataops_mesh.settings import Settings

DAGSTER_YAML = """\
# Written once by `mesh`; yours to edit.
telemetry:
  enabled: false
nux:
  enabled: false     # no newsletter dialog over the lineage
concurrency:
  pools:
    default_limit: 1   # every product is a pool: it never builds twice at the same time
"""


def dagster_home(settings: Settings) -> Path:
    """Return Dagster's home for the workspace, made with a `dagster.yaml` if it is new."""
    home = settings.dagster_folder.absolute()
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text(DAGSTER_YAML, "utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    return home


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Return the instance in Dagster's home."""
    dagster_home(settings)
    return dg.DagsterInstance.get()
