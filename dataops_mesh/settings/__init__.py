"""Settings of a workspace: `[tool.dataops_mesh]` in pyproject.toml, then the environment.

The environment wins: `DATAOPS_MESH_<NAME>` sets `<name>`. A name nobody knows is an error, so
that a typing mistake cannot quietly point a production run at a laptop's defaults.
"""

from __future__ import annotations

from dataops_mesh.settings.fields import PREFIX, CodeLocation, Settings
from dataops_mesh.settings.read import find_root, load_settings

__all__ = ["PREFIX", "CodeLocation", "Settings", "find_root", "load_settings"]
