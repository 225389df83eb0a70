"""A dbt project becomes a product: its ports, its contracts, and products for its sources.

Nothing of the project is written. What is here is computed as files and texts; writing them is
whoever's asked.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.run.environment import Environment, open_environment
from dataops_mesh.scaffold.dbt.contracts import contract_of, team_of
from dataops_mesh.scaffold.dbt.delivered import delivered_files
from dataops_mesh.scaffold.dbt.ports import Choice, choose_ports
from dataops_mesh.scaffold.dbt.sources import Around, Found, find_sources
from dataops_mesh.scaffold.dbt.types import types_of
from dataops_mesh.scaffold.documents import (
    VERSION,
    contract_id,
    setting,
)
from dataops_mesh.scaffold.documents import (
    product as document,
)
from dataops_mesh.scaffold.files import require_new
from dataops_mesh.scaffold.product import People
from dataops_mesh.scaffold.text import yaml_text
from dataops_mesh.settings import Settings
from dataops_mesh.spec.dbt import DbtOptions
from dataops_mesh.spec.model import Address, InputPort, Mesh, Product, Transform, TransformKind
from dataops_mesh.spec.names import NAME_RULE, is_name, slug, taken
from dataops_mesh.spec.paths import is_inside, shown
from dataops_mesh.store.release import latest
from dataops_mesh.transform.dbt.project import sources_read
from dataops_mesh.transform.dbt.reading import manifest_of, parsed_manifest, selected_nodes
from dataops_mesh.transform.walls import walls_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be imported.

    Args:
        project: the folder of the dbt project.
        domain: that receives the product; empty for the project's own name.
        ports: the models that become ports; empty where the project decides.
        sources: a file or an address for a source, by `<source>.<table>`.
        select: dbt's selection of nodes; empty for all.
        options: what else dbt is told.
        people: who answers for it where the project does not say.
    """

    project: Path
    domain: str = ""
    ports: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    select: str = ""
    options: DbtOptions = DbtOptions()  # noqa: RUF009 - frozen
    people: People = People()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Imported:
    """What is to be written.

    Args:
        name: the product, `domain.product`.
        files: texts by path.
        notes: what was decided, in sentences.
    """

    name: str
    files: Mapping[Path, str]
    notes: tuple[str, ...]


def import_project(wish: Wish, settings: Settings, mesh: Mesh) -> Imported:
    """Return the declarations of a dbt project.

    Args:
        wish: the project, and what was decided for it.
        settings: of the workspace.
        mesh: what it has already.

    Raises:
        DeclarationError: it cannot be imported as it is, or is imported already.
        TransformError: a model could not be built, and nothing else tells the types.
    """
    product = _product(wish, settings)
    environment = open_environment(settings)
    require_new([product.folder / "product.odps.yaml"], settings.root, _ELSEWHERE)
    known = frozenset(port.address for one in mesh.products for port in one.outputs)
    known |= latest(environment.store).ports.keys()
    product = _reading(product, known)  # whatever the project refers to, until that is known
    manifest = _manifest(product, settings)
    built = selected_nodes(product, manifest, walls_of(settings))
    choice = choose_ports(manifest, built, wish.ports)
    around = Around(settings.root, product.transform.files[0].parent, product.domain, known)
    read = list(sources_read(manifest, built).values())
    inner = _own_tables(manifest)
    read = [node for node in read if _table(node) not in inner]
    found = find_sources(read, wish.sources, choice.nodes, around)
    product = _with(product, found, read)
    files, notes = _written(product, choice, found, environment, mesh, wish.people)
    require_new(files, settings.root, _ELSEWHERE)
    return Imported(product.qualified_name, files, (*_chosen(choice), *notes))


_ELSEWHERE = "import it into another domain: --domain NAME"


def _product(wish: Wish, settings: Settings) -> Product:
    """Return the product that the project will be: what dbt is run for."""
    project, file = wish.project.resolve(), wish.project.resolve() / "dbt_project.yml"
    if not file.is_file():
        raise DeclarationError(
            Problem(f"{wish.project} is no dbt project", next="name the folder of dbt_project.yml")
        )
    if not is_inside(project, settings.root):
        then = "move the project there, or add [tool.dataops_mesh] to a pyproject.toml above both"
        what = f"{wish.project} is not in the workspace {settings.root}"
        raise DeclarationError(Problem(what, next=then))
    own = slug(_project_name(file))
    domain = wish.domain or own
    if not is_name(domain):
        raise DeclarationError(Problem(f'the domain "{domain}" {NAME_RULE}', key="--domain"))
    if text := taken(domain):
        raise DeclarationError(Problem(text, key="--domain", next="give it another name"))
    folder = settings.domains_folder / domain / own
    where = Location(shown(folder / "product.odps.yaml", settings.root), 1)
    place = settings.root.resolve() / file.relative_to(settings.root.resolve())
    transform = Transform(TransformKind.DBT, (place,), select=wish.select, dbt=wish.options)
    return Product(domain, own, "", VERSION, folder, where, "", (), transform)


def _project_name(file: Path) -> str:
    import yaml

    try:
        found = yaml.safe_load(file.read_text("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeclarationError(Problem("cannot be read", Location(str(file), 1))) from error
    return str((found if isinstance(found, dict) else {}).get("name") or file.parent.name)


def _manifest(product: Product, settings: Settings) -> Mapping[str, Any]:
    return manifest_of(parsed_manifest(product, walls_of(settings)))


def _own_tables(manifest: Mapping[str, Any]) -> set[tuple[str, ...]]:
    seeds = (n for n in manifest["nodes"].values() if n["resource_type"] == "seed")
    return {_table(node) for node in seeds}


def _table(node: Mapping[str, Any]) -> tuple[str, ...]:
    name = node.get("identifier") or node.get("alias")
    return tuple(str(part).lower() for part in (node["database"], node["schema"], name))


def _with(product: Product, found: Found, read: Sequence[Any]) -> Product:
    """Return the product with its selection, and its sources where the project says others."""
    here = {f"{n['source_name']}.{n['name']}": n for n in read}
    other = {
        name: at
        for name, at in found.addresses.items()
        if (here[name]["database"], here[name]["schema"], here[name]["identifier"])
        != ("mesh", at.domain, at.port)
    }
    options = replace(product.transform.dbt, sources=tuple(sorted(other.items())))
    transform = replace(product.transform, dbt=options)
    return replace(_reading(product, found.addresses.values()), transform=transform)


def _reading(product: Product, addresses: Iterable[Address]) -> Product:
    """Return the product with input ports."""
    inputs = (InputPort(str(at), product.where, at) for at in sorted(set(addresses), key=str))
    return replace(product, inputs=tuple(inputs))


def _written(  # noqa: PLR0913, PLR0917 - what the files are made of
    product: Product,
    choice: Choice,
    found: Found,
    environment: Environment,
    mesh: Mesh,
    people: People,
) -> tuple[dict[Path, str], list[str]]:
    settings = environment.settings
    manifest = _manifest(product, settings)
    nodes = {str(node["unique_id"]): name for name, node in choice.nodes.items()}
    ports = {nodes[key]: manifest["nodes"][key] for key in nodes}
    with tempfile.TemporaryDirectory(prefix="mesh-import-") as scratch:
        types, notes = types_of(product, ports, found, environment, mesh, Path(scratch).resolve())
    folder, domain = product.folder, product.domain
    files: dict[Path, str] = {}
    contracts = {n: contract_of(domain, n, types[n], ports, manifest) for n in ports}
    team = team_of(ports, manifest)
    if not team and people.owner:
        team = {
            "name": people.team or domain,
            "members": [{"username": people.owner, "role": "owner"}],
        }
        notes.append(f"nobody owns the models in dbt (groups, meta.owner): {people.owner} does now")
    about = f"What the dbt project {manifest['metadata']['project_name']} makes."
    files[folder / "product.odps.yaml"] = yaml_text(
        document(
            domain,
            product.name,
            description={"purpose": about},
            inputPorts=_inputs(found),
            outputPorts=[_output(domain, name, contracts[name]) for name in sorted(ports)],
            team=team,
            customProperties=[setting("transform", {"dbt": _transform(product)})],
        )
    )
    for name in sorted(ports):
        files[folder / f"{name}.odcs.yaml"] = yaml_text(_that_fit(contracts[name], contracts))
    for one in found.delivered:
        files |= delivered_files(one, settings, team)
    if not team:
        notes.append("nobody owns the models in dbt (groups, meta.owner): add `team`")
    return files, notes


def _inputs(found: Found) -> list[dict[str, Any]]:
    own = {one.address for one in found.delivered}
    return [
        {"name": str(at)}
        | ({"version": VERSION, "contractId": contract_id(at.domain, at.port)} if at in own else {})
        for at in sorted(set(found.addresses.values()), key=str)
    ]


def _output(domain: str, name: str, contract: Mapping[str, Any]) -> dict[str, Any]:
    about = contract.get("description", {}).get("purpose")
    head = {"name": name} | ({"description": about} if about else {})
    return head | {"version": VERSION, "contractId": contract_id(domain, name)}


def _transform(product: Product) -> dict[str, Any]:
    import json

    transform, options = product.transform, product.transform.dbt
    project = os.path.relpath(transform.files[0].parent, product.folder.resolve())
    said = {
        "project": Path(project).as_posix(),
        "select": transform.select,
        "target": options.target,
        "vars": json.loads(options.vars or "{}"),
        "env": list(options.env),
        "sources": {name: str(address) for name, address in options.sources},
    }
    return {key: value for key, value in said.items() if value}


def _that_fit(contract: dict[str, Any], all_: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the contract without foreign keys to a column of another type: nobody checks those."""
    types = {
        f"{port}.{column['name']}": column["logicalType"]
        for port, one in all_.items()
        for column in one["schema"][0]["properties"]
    }
    for column in contract["schema"][0]["properties"]:
        kept = [
            one
            for one in column.pop("relationships", [])
            if types.get(one["to"]) == column["logicalType"]
        ]
        if kept:
            column["relationships"] = kept
    return contract


def _chosen(choice: Choice) -> list[str]:
    return [f"ports: {', '.join(sorted(choice.nodes))} ({choice.why})", *choice.notes]
