"""`mesh schema`: JSON schemas for editors."""

from __future__ import annotations

import json
from pathlib import Path

from dataops_mesh.cli.output import say
from dataops_mesh.policy.load import policies_schema, schema
from dataops_mesh.scaffold.workspace import editor_setting
from dataops_mesh.settings import load_settings
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
    shown = folder.resolve()
    inside = shown.is_relative_to(settings.root)
    base = f"./{shown.relative_to(settings.root).as_posix()}" if inside else shown.as_posix()
    setting = editor_setting(base, settings.domains, settings.policies)
    count = len(setting["yaml.schemas"])
    say(f"{count} schemas in {folder}; in .vscode/settings.json (extension redhat.vscode-yaml):")
    print(json.dumps(setting, indent=1))  # noqa: T201 - the CLI's output
    return 0
