"""`workspace.yaml`: one code location per domain, named like the domain."""

from pathlib import Path

from dataops_mesh.spec.model import Mesh

HEADER = "# Made by `mesh workspace` from the folders in domains/; run it again after adding one.\n"


def workspace_text(mesh: Mesh) -> str:
    """Return the content of `workspace.yaml`, relative to the workspace's root."""
    lines = [HEADER + "load_from:"]
    for domain in mesh.domains:
        folder = domain.folder.relative_to(mesh.root)
        lines += [
            "  - python_file:",
            f"      relative_path: {folder.as_posix()}/definitions.py",
            f"      location_name: {domain.name}",
        ]
    return "\n".join(lines) + "\n"


def write_workspace(mesh: Mesh) -> Path:
    """Write `workspace.yaml` at the workspace's root and return its path."""
    file = mesh.root / "workspace.yaml"
    file.write_text(workspace_text(mesh), "utf-8")
    return file
