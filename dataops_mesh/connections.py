"""Connections by name: the URL is a secret, and stands in the environment or in a file."""

from __future__ import annotations

import os

from dataops_mesh.errors import Problem, SettingsError
from dataops_mesh.settings import Settings

PREFIX = "MESH_CONNECTION_"


def connection_url(settings: Settings, name: str) -> str:
    """Return the URL of a connection: of `MESH_CONNECTION_<NAME>`, or the file of its name.

    Raises:
        SettingsError: nobody says it.
    """
    variable = f"{PREFIX}{name.upper()}"
    if found := os.environ.get(variable, "").strip():
        return found
    folder = settings.root / settings.connections if settings.connections else None
    if folder is not None:
        try:
            if found := (folder / name).read_text("utf-8").strip():
                return found
        except (OSError, UnicodeDecodeError):
            pass
    place = f"set {variable}" + (f", or write {folder / name}" if folder else "")
    what = f'nobody says the URL of the connection "{name}"'
    raise SettingsError(Problem(what, key=variable, next=place))
