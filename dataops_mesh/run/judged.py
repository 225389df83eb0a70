"""What a publication was judged by, and what built it: kept in the store, by digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from dataops_mesh.plan.approval import FOLDER
from dataops_mesh.policy.load import WAIVERS_FILE
from dataops_mesh.policy.plugin import brought
from dataops_mesh.run.declaration import declared_files
from dataops_mesh.run.environment import Environment
from dataops_mesh.run.guards.links import require_own_code, require_own_files
from dataops_mesh.run.identity import library_version
from dataops_mesh.settings import Settings
from dataops_mesh.spec.model import Product
from dataops_mesh.store.declarations import write_declaration
from dataops_mesh.transform.code import code_files

SETTINGS, LIBRARIES = "settings.json", "libraries.json"
# May hold a password, or say where secrets are; no verdict depends on them.
_PRIVATE = frozenset({"ledger", "alerts_file", "gate", "root", "sandbox", "secrets", "ui_url"})


def keep_judgement(product: Product, environment: Environment) -> str:
    """Keep the policies, waivers, approvals and settings of a workspace; return their digest."""
    return write_declaration(environment.store, judgement_texts(product, environment))


def judgement_texts(product: Product, environment: Environment) -> dict[str, str]:
    """Return the policies, waivers, approvals and settings of a workspace as they are now.

    Raises:
        DeclarationError: a file is a link to where the product may not read.
    """
    settings = environment.settings
    root = settings.root
    files = judged_files(product, settings)
    require_own_files(files, product, settings)
    texts = {_name(f, root): f.read_text("utf-8", "replace") for f in files}
    texts[SETTINGS] = _settings(environment.said or settings)
    texts[LIBRARIES] = json.dumps(_libraries(), indent=1, sort_keys=True)
    return texts


def judged_files(product: Product, settings: Settings) -> list[Path]:
    """Return the files that a product is judged by."""
    folder = product.folder
    files = [settings.policies_file, settings.root / WAIVERS_FILE, folder / WAIVERS_FILE]
    files += sorted((folder / FOLDER).glob("*.yaml"))
    return [file for file in files if file.is_file()]


def require_own_record(product: Product, settings: Settings) -> None:
    """Make sure, before anything is read for it, that what goes on record is the product's.

    Raises:
        DeclarationError: a file is a link to where the product may not read.
    """
    beside = (*declared_files(product), *judged_files(product, settings))
    require_own_files(beside, product, settings)
    require_own_code(code_files(product), product, settings)


def keep_code(
    product: Product, environment: Environment, imported: Iterable[str] = ()
) -> tuple[str, Mapping[str, Path]]:
    """Keep which files built a product, each by its digest; return the list's own, and the files.

    Args:
        product: what was built.
        environment: the store and the settings.
        imported: modules that its process said it had imported.
    """
    root = environment.settings.root
    found = code_files(product, imported)
    require_own_code(found, product, environment.settings)
    names = {
        (_name(file, root) if file.is_relative_to(root) else name): file
        for name, file in found.items()
    }
    digests = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in names.items()}
    return write_declaration(environment.store, digests), names


def _name(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def _settings(settings: Settings) -> str:
    said = settings.model_dump(mode="json", exclude=set(_PRIVATE))
    return json.dumps(said, indent=1, sort_keys=True)


def _libraries() -> dict[str, str]:
    """Return the versions of what judges: this library, and packages that bring policies."""
    found = {"dataops-mesh": library_version()}
    for entry in brought():
        if entry.dist is not None:
            found[entry.dist.name] = entry.dist.version
    return found
