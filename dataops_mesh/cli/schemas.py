"""`mesh schema`: JSON schemas for editors."""

from __future__ import annotations

import json
from pathlib import Path

from dataops_mesh.cli.output import say
from dataops_mesh.policy.load import policies_schema, schema
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.standards.editors import odcs_schema, odps_schema

FOLDER = ".mesh/schemas"


def write_schema_files(folder: Path) -> None:
    """Write the schemas into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "product.odps": odps_schema(),
        "contract.odcs": odcs_schema(),
        "policies": policies_schema(),
        "waivers": schema("waivers"),
    }
    for name, content in made.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{name}.schema.json").write_text(text, "utf-8")


def write_schemas(output: Path | None) -> int:
    """Write the schemas into a folder and print the setting that makes VS Code use them."""
    settings = load_settings()
    folder = output if output is not None else settings.root / FOLDER
    write_schema_files(folder)
    made = _patterns(settings)
    say(
        f"{len(made)} schemas in {folder}; in .vscode/settings.json (extension redhat.vscode-yaml):"
    )
    shown = folder.resolve()
    inside = shown.is_relative_to(settings.root)
    base = f"./{shown.relative_to(settings.root).as_posix()}" if inside else shown.as_posix()
    files = {f"{base}/{name}.schema.json": pattern for name, pattern in made.items()}
    print(json.dumps({"yaml.schemas": files}, indent=1))  # noqa: T201 - the CLI's output
    return 0


def _patterns(settings: Settings) -> dict[str, str]:
    """Return which files each schema is for."""
    return {
        "product.odps": f"{settings.domains}/*/*/product.odps.yaml",
        "contract.odcs": f"{settings.domains}/**/*.odcs.yaml",
        "policies": settings.policies,
        "waivers": "**/waivers.yaml",
    }
