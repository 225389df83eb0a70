"""What a dbt project asks for in its own profile and does not get: it runs with one made for it."""

from __future__ import annotations

import re
from typing import Any

from dataops_mesh.errors import Location, Problem
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.transform.dbt.project import project_folder
from dataops_mesh.transform.place import place

PROFILES = "profiles.yml"
_LOST = {
    "extensions": "what they read comes in as a source of an input port",
    "attach": "another database comes in as a source or as a published port",
    "secrets": "a confined project reaches no service; bring the data in as a source",
    "filesystems": "a confined project reaches no service; bring the data in as a source",
    "plugins": "their tables come in as sources of input ports",
    "settings": "write what the models need into the models",
    "external_root": "ports are written by the mesh",
}


def profile_notes(product: Product) -> tuple[Problem, ...]:
    """Return a warning for each part of the project's own profile that has no effect."""
    if product.transform.kind is not TransformKind.DBT:
        return ()
    file = project_folder(product) / PROFILES
    if not file.is_file():
        return ()
    text = file.read_text("utf-8-sig", errors="replace")
    found = sorted({name for output in _outputs(text) for name in output if name in _LOST})
    return tuple(
        Problem(
            f'"{name}" of the project\'s own profile has no effect in the mesh',
            _line(place(product, file), text, name),
            name,
            next=_LOST[name],
        )
        for name in found
    )


def _outputs(text: str) -> list[dict[str, Any]]:
    import yaml

    try:
        profiles = yaml.safe_load(text)
    except yaml.YAMLError:  # templates may stand outside of quotes: then nothing is told
        return []
    if not isinstance(profiles, dict):
        return []
    outputs = [one.get("outputs") for one in profiles.values() if isinstance(one, dict)]
    listed = [target for one in outputs if isinstance(one, dict) for target in one.values()]
    return [target for target in listed if isinstance(target, dict)]


def _line(where: Location, text: str, name: str) -> Location:
    lines = text.splitlines()
    found = next((n for n, line in enumerate(lines, 1) if re.match(rf"\s*{name}\s*:", line)), 1)
    return Location(where.file, found)
