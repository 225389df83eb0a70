"""`workspace.yaml`: one code location per domain, named like the domain."""

import os
from pathlib import Path

from dataops_mesh.scaffold.workspace import DEFINITIONS
from dataops_mesh.spec.model import Domain, Mesh

HEADER = "# Made by `mesh workspace`; run it again after a change of domains/ or `locations`.\n"


def definitions_path(mesh: Mesh, domain: Domain) -> str:
    """Return the path of a domain's definitions from the workspace's root."""
    folder = os.path.relpath(domain.folder, mesh.root)
    return (Path(folder) / "definitions.py").as_posix()


def workspace_text(mesh: Mesh) -> str:
    """Return the content of `workspace.yaml`, relative to the workspace's root."""
    lines = [HEADER + "load_from:"]
    for domain in mesh.domains:
        lines += [
            "  - python_file:",
            f"      relative_path: {definitions_path(mesh, domain)}",
            f"      location_name: {domain.name}",
        ]
        if domain.python is not None:
            lines.append(f"      executable_path: {domain.python}")
    return "\n".join(lines) + "\n"


def write_workspace(mesh: Mesh) -> Path:
    """Write `workspace.yaml` at the workspace's root and return its path."""
    file = mesh.root / "workspace.yaml"
    file.write_text(workspace_text(mesh), "utf-8")
    return file


def write_definitions(mesh: Mesh) -> list[Path]:
    """Write the `definitions.py` of each domain that has none, and return their paths."""
    missing = [domain.folder / "definitions.py" for domain in mesh.domains]
    missing = [file for file in missing if not file.exists()]
    for file in missing:
        file.write_text(DEFINITIONS, "utf-8")
    return missing
