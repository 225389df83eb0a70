"""What a dbt project says of itself, held against the product's declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.spec.read.relationships import referenced
from dataops_mesh.transform.place import place

MESH = "mesh"  # the database of what was published


def is_dbt(product: Product) -> bool:
    """Tell whether dbt builds the product."""
    return product.transform.kind is TransformKind.DBT


def project_folder(product: Product) -> Path:
    """Return the folder of the product's dbt project."""
    (file,) = product.transform.files
    return file.parent


def models(manifest: Mapping[str, Any], nodes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the models (seeds and snapshots too) among the nodes, by name."""
    kinds = {"model", "seed", "snapshot"}
    found = (manifest["nodes"][node] for node in nodes if node in manifest["nodes"])
    return {node["name"]: node for node in found if node["resource_type"] in kinds}


def dbt_problems(
    product: Product, manifest: Mapping[str, Any], nodes: frozenset[str]
) -> tuple[Problem, ...]:
    """Return where the dbt project and the declaration disagree.

    The public models are the output ports, and the sources are the input ports.
    """
    where = place(product, product.transform.files[0])
    built = models(manifest, nodes)
    public = {name for name, node in built.items() if node.get("access") == "public"}
    ports = {port.name: port for port in product.outputs}
    problems = [
        Problem(
            f'output port "{name}" is not a public model of the dbt project'
            f"{did_you_mean(name, public)}",
            port.where,
            choices=tuple(sorted(public)),
            next="give the model `access: public`",
        )
        for name, port in ports.items()
        if name not in public
    ]
    problems += [
        Problem(
            f'the dbt model "{name}" is public and has no contract',
            where,
            next=f"write {name}.odcs.yaml in {product.folder.name}/, or make the model protected",
        )
        for name in sorted(public - ports.keys())
    ]
    problems += _not_the_mesh(product, manifest, built)
    sources = {
        f"{source['schema']}.{source['identifier']}"
        for node in built.values()
        for key in node["depends_on"]["nodes"]
        if (source := manifest["sources"].get(key)) is not None
    }
    inputs = {port.name: port for port in product.inputs}
    checked = {str(address) for address in referenced(product)}  # foreign keys read these
    problems += [
        Problem(
            f'dbt reads "{name}", which is not an input port{did_you_mean(name, inputs)}',
            where,
            choices=tuple(sorted(inputs)),
            next=f"declare `- name: {name}` under inputPorts of product.odps.yaml",
        )
        for name in sorted(sources - inputs.keys())
    ]
    problems += [
        Problem(f'input port "{name}" is declared and no dbt model reads it', port.where)
        for name, port in inputs.items()
        if name not in sources | checked
    ]
    return tuple(problems)


def _not_the_mesh(
    product: Product, manifest: Mapping[str, Any], built: Mapping[str, Mapping[str, Any]]
) -> list[Problem]:
    """Report sources that dbt would look for in the database that it builds."""
    keys = dict.fromkeys(key for node in built.values() for key in node["depends_on"]["nodes"])
    found = [source for key in keys if (source := manifest["sources"].get(key)) is not None]
    return [
        Problem(
            f'the dbt source "{source["schema"]}.{source["identifier"]}" is in no database of '
            "the mesh",
            place(product, project_folder(product) / source["original_file_path"]),
            next="say `database: mesh` beside the source's schema",
        )
        for source in found
        if source.get("database") != MESH
    ]
