"""Reads settings, and says of each that is wrong where it stands."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dataops_mesh.errors import Location, Problem, SettingsError, did_you_mean
from dataops_mesh.settings.fields import PREFIX, TABLE, Settings, read_toml

# What Kubernetes tells every pod of a service whose name begins like ours, and Docker of a link.
_SERVICE_LINK = re.compile(
    rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|NAME|ENV_\w+"
    r"|PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT(_(START|END))?|PROTO|START|END))?)?)"
)
# Set by the library itself for the dbt runs it makes; not settings.
INTERNAL = frozenset({"DATAOPS_MESH_CANDIDATE", "DATAOPS_MESH_INPUTS"})


def find_root(start: Path) -> Path:
    """Return the closest folder at or above `start` whose pyproject.toml is a workspace's.

    Raises:
        SettingsError: there is none.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if _has_table(folder / "pyproject.toml"):
            return folder
    raise SettingsError(
        Problem(
            f"no workspace at or above {start}: no pyproject.toml there has [tool.dataops_mesh]",
            next="mesh init, or add an empty table [tool.dataops_mesh] to your pyproject.toml",
        )
    )


def load_settings(start: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings of the workspace that `start` (or the working folder) lies in.

    Args:
        start: where to begin to look for the workspace.
        overrides: values that win over file and environment.

    Raises:
        SettingsError: no workspace, or every setting that is unknown or invalid.
    """
    root = find_root(start or Path.cwd())
    known = set(Settings.model_fields) - {"root"}
    problems = [
        Problem(
            f"unknown environment variable{did_you_mean(name, _variables(known))}",
            key=name,
            choices=tuple(_variables(known)),
        )
        for name in sorted(os.environ)
        if name.startswith(PREFIX)
        and name not in INTERNAL
        and name not in _variables(known)
        and not _SERVICE_LINK.fullmatch(name)
    ]
    try:
        settings = Settings(root=root, **overrides)
    except ValidationError as error:
        problems += [_problem(root, known, detail) for detail in error.errors()]
    if problems:
        raise SettingsError(problems)
    return settings


def _variables(known: set[str]) -> list[str]:
    return sorted(PREFIX + name.upper() for name in known)


def _has_table(pyproject: Path) -> bool:
    if not pyproject.is_file():
        return False
    try:
        return TABLE[1] in read_toml(pyproject).get(TABLE[0], {})
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(Problem("is not UTF-8 text", Location(str(pyproject), line))) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(Problem(str(error), Location(str(pyproject), 1))) from None


def _problem(root: Path, known: set[str], detail: Any) -> Problem:
    """Say where a bad setting stands: in the environment or on its line of pyproject.toml."""
    name = str(detail["loc"][0])
    variable = PREFIX + name.upper()
    deep = ".".join(map(str, detail["loc"]))
    if deep != name:
        return Problem(detail["msg"], Location("pyproject.toml", 1), f"tool.dataops_mesh.{deep}")
    unknown = detail["type"] == "extra_forbidden"
    what = f"unknown setting{did_you_mean(name, known)}" if unknown else detail["msg"]
    choices = tuple(sorted(known)) if unknown else ()
    if variable in os.environ:
        return Problem(what, key=variable, choices=choices)
    pyproject = root / "pyproject.toml"
    lines = pyproject.read_text("utf-8-sig").splitlines()
    line = next((n for n, text in enumerate(lines, 1) if text.strip().startswith(name)), 1)
    return Problem(what, Location("pyproject.toml", line), f"tool.dataops_mesh.{name}", choices)
