"""A workspace that runs: settings, policies, CI, editor and Git files, and one small product."""

from __future__ import annotations

import json
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from string import Template

from dataops_mesh.scaffold.product import People
from dataops_mesh.spec.names import slug

SCHEMAS = "schemas"
# A file of the template -> where it is written.
_WRITTEN = {
    "pyproject.toml.txt": "pyproject.toml",
    "policies.yaml": "policies.yaml",
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "CODEOWNERS": ".github/CODEOWNERS",
    "mesh.yml": ".github/workflows/mesh.yml",
    "ci/data-mesh.yml": ".github/workflows/data-mesh.yml",
    "ci/mesh-ci.sh": "ci/mesh-ci.sh",
    "extensions.json": ".vscode/extensions.json",
    "test_mesh.py.txt": "tests/test_mesh.py",
}
_PRODUCT = {
    "orders.csv": "data/orders.csv",
    "product/product.odps.yaml": "domains/$domain/orders/product.odps.yaml",
    "product/orders.odcs.yaml": "domains/$domain/orders/orders.odcs.yaml",
    "product/orders.sql": "domains/$domain/orders/orders.sql",
    "product/orders_csv.odcs.yaml": "domains/$domain/orders/inputs/orders_csv.odcs.yaml",
}
DEFINITIONS = "from dataops_mesh import load_domain\n\ndefs = load_domain(__file__)\n"
_AS_IT_IS = "ci/"


def new_workspace(root: Path, domain: str, people: People, *, sample: bool) -> dict[Path, str]:
    """Return the files of a new workspace.

    Args:
        root: its folder, whose name is the project's.
        domain: the first domain.
        people: who answers for it.
        sample: with the product `orders` and 12 rows for it.
    """
    words = {
        "name": slug(root.name).replace("_", "-"),
        "version": version("dataops-mesh"),
        "domain": domain,
        "team": people.team or f"team {domain}",
        "owner": people.owner or "owner",
        "support": people.support or "data@example.com",
    }
    written = _WRITTEN | (_PRODUCT if sample else {})
    files = {
        root / Template(place).substitute(words): _filled(name, words)
        for name, place in written.items()
    }
    setting = editor_setting(f"./{SCHEMAS}", "domains", "policies.yaml")
    files[root / ".vscode" / "settings.json"] = json.dumps(setting, indent=2) + "\n"
    files[root / "domains" / domain / "definitions.py"] = DEFINITIONS
    return files


def _filled(name: str, words: dict[str, str]) -> str:
    text = resources.files("dataops_mesh.scaffold").joinpath("files", name).read_text("utf-8")
    return text if name.startswith(_AS_IT_IS) else Template(text).substitute(words)


def editor_setting(folder: str, domains: str, policies: str) -> dict[str, dict[str, str]]:
    """Return the setting of VS Code (redhat.vscode-yaml) that says which schema is whose.

    Args:
        folder: where the schemas are, from the workspace.
        domains: the folder of domains.
        policies: the file of policies.
    """
    made = {
        "product.odps": f"{domains}/*/*/product.odps.yaml",
        "contract.odcs": f"{domains}/**/*.odcs.yaml",
        "policies": policies,
        "waivers": "**/waivers.yaml",
    }
    return {"yaml.schemas": {f"{folder}/{name}.schema.json": files for name, files in made.items()}}
