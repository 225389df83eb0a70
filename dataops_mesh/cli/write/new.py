"""`mesh new domain|product|contract`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from dataops_mesh.cli.output import say
from dataops_mesh.cli.write.init import Who, people_known, people_of
from dataops_mesh.errors import DeclarationError, Problem, SettingsError
from dataops_mesh.factory.workspace import write_workspace
from dataops_mesh.scaffold.files import write_new
from dataops_mesh.scaffold.make import Origin, Place, Request, new_contract, new_product
from dataops_mesh.scaffold.product import People, require_names
from dataops_mesh.scaffold.workspace import DEFINITIONS
from dataops_mesh.settings import Settings, load_settings
from dataops_mesh.spec.loader import read_mesh

Made = Callable[[Place, People], Request]


def write_domain(name: str) -> int:
    """Write a domain's folder and join it to `workspace.yaml`."""
    require_names(domain=name)
    settings = load_settings()
    write_new({settings.domains_folder / name / "definitions.py": DEFINITIONS})
    write_workspace(read_mesh(settings.root, settings.domains))
    say(f"domains/{name} is a domain; next: mesh new product {name}.NAME --from FILE")
    return 0


def write_product(named: str, made: Made, who: Who) -> int:
    """Write a product and, where it is new, its domain."""
    settings = load_settings()
    place = new_place(settings, named)
    people = people_of(place.domain, who, people_known(settings, place.domain))
    write_files(settings, place, new_product(made(place, people)))
    say(f"\nRead what is promised, and then: mesh check {named}, mesh run {named}")
    return 0


def new_place(settings: Settings, named: str) -> Place:
    """Return where a product will be.

    Raises:
        DeclarationError: the name is none, or something is there.
    """
    domain, product = _parts(named, "DOMAIN.PRODUCT")
    require_names(domain=domain, product=product)
    place = _place(settings, domain, product)
    if place.folder.exists() and any(place.folder.iterdir()):
        what = f"{_shown(place.folder)} is there already, and nothing was written"
        raise DeclarationError(Problem(what, next=f"mesh new contract {domain}.{product}.PORT"))
    return place


def write_files(settings: Settings, place: Place, files: dict[Path, str]) -> None:
    """Write the files of a product and, where it is new, its domain."""
    definitions = place.folder.parent / "definitions.py"
    is_new = not definitions.exists()
    _tell(write_new({**files, **({definitions: DEFINITIONS} if is_new else {})}))
    if is_new:
        write_workspace(read_mesh(settings.root, settings.domains))


def write_contract(named: str, origin: Origin, *, source: bool, shown: bool) -> int:
    """Write a contract of rows, or print it."""
    settings = load_settings()
    domain, product, port = _parts(named, "DOMAIN.PRODUCT.PORT")
    file, text = new_contract(_place(settings, domain, product), port, origin, source=source)
    if shown:
        print(text, end="")  # noqa: T201 - the CLI's output
        return 0
    _tell(write_new({file: text}))
    say(f"\nRead what is promised, and then: mesh check {domain}.{product}")
    return 0


def _parts(named: str, form: str) -> list[str]:
    parts = named.split(".")
    if len(parts) != form.count(".") + 1 or not all(parts):
        raise SettingsError(Problem(f'"{named}" is not of the form {form}'))
    return parts


def _place(settings: Settings, domain: str, product: str) -> Place:
    return Place(settings.root, settings.domains, settings.store_folder, domain, product)


def _tell(files: Iterable[Path]) -> None:
    for file in files:
        say(f"{_shown(file)}: written")


def _shown(path: Path) -> str:
    return os.path.relpath(path)
