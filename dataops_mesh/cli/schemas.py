"""`mesh schema`: JSON schemas for editors."""

from __future__ import annotations

import json
from pathlib import Path

from dataops_mesh.cli.output import say
from dataops_mesh.policy.load import policies_schema, schema
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.standards.editors import odcs_schema, odps_schema

FOLDER = ".mesh/schemas"


def write_schemas(output: Path | None) -> int:
    """Write the schemas into a folder and print the setting that makes VS Code use them."""
    settings = load_settings()
    folder = output if output is not None else settings.root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    domains = settings.domains
    made = {
        "product.odps": (odps_schema(), f"{domains}/*/*/product.odps.yaml"),
        "contract.odcs": (odcs_schema(), f"{domains}/**/*.odcs.yaml"),
        "policies": (policies_schema(), settings.policies),
        "waivers": (schema("waivers"), "**/waivers.yaml"),
    }
    for name, (content, _) in made.items():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{name}.schema.json").write_text(text, "utf-8")
    say(
        f"{len(made)} schemas in {folder}; in .vscode/settings.json (extension redhat.vscode-yaml):"
    )
    shown = folder.resolve()
    inside = shown.is_relative_to(settings.root)
    base = f"./{shown.relative_to(settings.root).as_posix()}" if inside else shown.as_posix()
    files = {f"{base}/{name}.schema.json": pattern for name, (_, pattern) in made.items()}
    print(json.dumps({"yaml.schemas": files}, indent=1))  # noqa: T201 - the CLI's output
    return 0
