"""Writes what goes with `/metrics`: rules and a configuration for Prometheus, dashboards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dataops_mesh.store import files
from dataops_mesh.web.metrics.dashboards import DASHBOARDS, grafana
from dataops_mesh.web.metrics.rules import rules, scraping

_MADE = "# Made by `mesh report dashboards`.\n"
TARGET = "127.0.0.1:8765"


def texts(target: str = TARGET) -> dict[str, str]:
    """Return each file's name and text.

    Args:
        target: host and port where `mesh serve` answers.
    """
    found = {
        "prometheus/prometheus.yaml": _MADE + _yaml(scraping(target)),
        "prometheus/mesh.rules.yaml": _MADE + _yaml(rules()),
    }
    for board in DASHBOARDS:
        found[f"grafana/{board.name}.json"] = json.dumps(grafana(board), indent=1) + "\n"
    return found


def write(folder: Path, target: str = TARGET) -> list[Path]:
    """Write the files; return them."""
    written = []
    for name, text in texts(target).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        files.replace(file, text.encode(), durable=False)
        written.append(file)
    return written


def _yaml(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, width=10_000, allow_unicode=True)
    return text
