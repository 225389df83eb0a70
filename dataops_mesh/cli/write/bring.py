"""`mesh import odcs` and `mesh import sql`."""

from __future__ import annotations

import os
from pathlib import Path

from dataops_mesh.cli.output import say, say_problems
from dataops_mesh.cli.write.init import Who, people_known, people_of
from dataops_mesh.cli.write.new import new_place, write_files
from dataops_mesh.errors import DeclarationError, Location, MeshError, Problem, SourceError
from dataops_mesh.scaffold.ddl import contracts_of_ddl
from dataops_mesh.scaffold.documents import contract
from dataops_mesh.scaffold.make import Place, source_files
from dataops_mesh.scaffold.product import NewProduct
from dataops_mesh.scaffold.text import yaml_text
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.names import slug


def import_contract(contract: Path, to: str, file: Path | None, who: Who) -> int:
    """Write a product whose port keeps a contract; say what is still missing.

    Args:
        contract: an ODCS file; it is copied letter by letter.
        to: `domain.product`.
        file: what the product reads; absent: its transform is still to be written.
        who: team, owner, support.
    """
    import yaml

    settings = load_settings()
    place = new_place(settings, to)
    text = _text(contract)
    try:
        document = yaml.safe_load(text)
        objects = [one["name"] for one in document["schema"]]
    except (yaml.YAMLError, TypeError, KeyError, IndexError):
        what = "no ODCS contract with a schema is in it"
        raise DeclarationError(Problem(what, Location(str(contract), 1))) from None
    port = slug(str(objects[0]))
    inputs, files = source_files(place, port, file, _columns(document)) if file else ((), {})
    people = people_of(place.domain, who, people_known(settings, place.domain))
    product = NewProduct(place.domain, place.product, inputs, people)
    files[place.folder / "product.odps.yaml"] = product.document()
    files[place.folder / f"{port}.odcs.yaml"] = text
    write_files(settings, place, files)
    return _sound(place)


def import_tables(statements: Path, to: str, dialect: str, who: Who) -> int:
    """Write a product with a port and a contract for each table of a file."""
    settings = load_settings()
    place = new_place(settings, to)
    found, left_out = contracts_of_ddl(_text(statements), str(statements), dialect)
    people = people_of(place.domain, who, people_known(settings, place.domain))
    product = NewProduct(place.domain, place.product, (), people)
    files = {place.folder / "product.odps.yaml": product.document()}
    remark = f"Made of {statements.name}. Each classification is a guess: confirm it."
    for port, table in found.items():
        document = contract(place.domain, port, table.columns, about=table.about)
        files[place.folder / f"{port}.odcs.yaml"] = yaml_text(document, remark)
    write_files(settings, place, files)
    for text in left_out:
        say(f"note: left out: {text}")
    return _sound(place)


def _sound(place: Place) -> int:
    """Say what `mesh check` will say; what was written stays."""
    try:
        load_product(place.folder, place.root)
    except MeshError as error:
        say("\nWhat is still missing:")
        say_problems(error)
    else:
        say(f"\nNext: mesh check {place.domain}.{place.product}")
    return 0


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        what = f"{os.path.relpath(file)} cannot be read as text"
        raise SourceError(Problem(what, next="name a file that is there")) from None


def _columns(document: dict[str, object]) -> list[str]:
    schema = document["schema"]
    found = schema[0].get("properties", []) if isinstance(schema, list) else []
    return [str(one["name"]) for one in found if "name" in one]
