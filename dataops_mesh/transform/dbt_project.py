"""What a dbt project says of itself, held against the product's declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.spec.read.relationships import referenced
from dataops_mesh.transform.dbt_refs import MESH
from dataops_mesh.transform.place import place

KINDS = frozenset({"model", "seed", "snapshot"})
INCREMENTAL = "incremental"


def is_dbt(product: Product) -> bool:
    """Tell whether dbt builds the product."""
    return product.transform.kind is TransformKind.DBT


def project_folder(product: Product) -> Path:
    """Return the folder of the product's dbt project."""
    (file,) = product.transform.files
    return file.parent


def models(manifest: Mapping[str, Any], nodes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the models (seeds and snapshots too) among the nodes, by every name a port can have.

    Of a name that a package has too, the project's own counts. A version is `<name>_v<version>`,
    and the latest one is also called by the name alone.
    """
    found = [manifest["nodes"][node] for node in nodes if node in manifest["nodes"]]
    built = [node for node in found if node["resource_type"] in KINDS]
    built.sort(key=lambda node: (_is_own(node, manifest), str(node["unique_id"])))
    return {name: node for node in built for name in names(node)}


def called_names(
    product: Product, manifest: Mapping[str, Any], nodes: Iterable[str]
) -> dict[str, str]:
    """Return what each model is called in its domain, by unique id.

    As its port, if it is one; else `<product>/<model>`, with the package between them if it is
    one of a package: two products may both have a model `staged`.
    """
    ports, called = {port.name for port in product.outputs}, dict[str, str]()
    for name, node in models(manifest, nodes).items():
        if name in ports:
            called[str(node["unique_id"])] = name
    for node in (manifest["nodes"][key] for key in nodes if key in manifest["nodes"]):
        if node["resource_type"] in KINDS:
            package = [] if _is_own(node, manifest) else [str(node["package_name"])]
            inner = "/".join([product.name, *package, names(node)[0]])
            called.setdefault(str(node["unique_id"]), inner)
    return called


def names(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names under which a node can be a port, the most certain one first."""
    name, version = str(node["name"]), node.get("version")
    if version is None:
        return (name,)
    versioned = f"{name}_v{str(version).replace('.', '_')}"
    return (versioned, name) if version == node.get("latest_version") else (versioned,)


def below(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the unique ids of what a node is made of; a seed is made of nothing."""
    return tuple(node.get("depends_on", {}).get("nodes", ()))


def sources_read(manifest: Mapping[str, Any], nodes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the sources that are read when the nodes are built, by unique id.

    An ephemeral model reads nothing by itself: it is a part of those that name it.
    """
    known, found = manifest["nodes"], dict[str, Mapping[str, Any]]()
    waiting = [key for key in nodes if key in known and not _is_ephemeral(known[key])]
    seen = set(waiting)
    while waiting:
        for key in below(known[waiting.pop()]):
            if key in manifest["sources"]:
                found[key] = manifest["sources"][key]
            elif key in known and key not in seen and _is_ephemeral(known[key]):
                seen.add(key)
                waiting.append(key)
    return found


def _is_own(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    return bool(node.get("package_name") == manifest["metadata"].get("project_name"))


def _is_ephemeral(node: Mapping[str, Any]) -> bool:
    return bool(node.get("config", {}).get("materialized") == "ephemeral")


def dbt_problems(
    product: Product, manifest: Mapping[str, Any], nodes: frozenset[str]
) -> tuple[Problem, ...]:
    """Return where the dbt project and the declaration disagree.

    The public models are the output ports, and the sources are the input ports.
    """
    where = place(product, product.transform.files[0])
    built = models(manifest, nodes)
    own = {str(n["unique_id"]): n for n in built.values() if _is_own(n, manifest)}
    # What the project publishes: a seed has no `access`, so the port's contract decides.
    offered = offered_models(manifest, nodes)
    public = {key: node for key, node in own.items() if node.get("access") == "public"}
    ports = {port.name: port for port in product.outputs}
    problems = [
        Problem(
            f'output port "{name}" is not a public model of the dbt project'
            f"{did_you_mean(name, offered)}",
            port.where,
            choices=tuple(sorted(offered)),
            next="give the model `access: public`",
        )
        for name, port in ports.items()
        if name not in offered
    ]
    problems += [
        Problem(
            f'the dbt model "{names(node)[0]}" is public and has no contract',
            where,
            next=f"write {names(node)[-1]}.odcs.yaml in {product.folder.name}/, or make the model "
            "protected",
        )
        for _, node in sorted(public.items())
        if not _is_ephemeral(node)
        and ports.keys().isdisjoint(name for name in names(node) if built[name] is node)
    ]
    read = sources_read(manifest, nodes)
    problems += _lose_history(product, built)
    problems += [
        Problem(
            f'the dbt model "{names(node)[0]}" is public and ephemeral, so nothing is built of it '
            "that could be published",
            place(product, project_folder(product) / node["original_file_path"]),
            next="materialize it as a view or a table, or make it protected",
        )
        for _, node in sorted(public.items())
        if _is_ephemeral(node)
    ]
    problems += _untested(product, manifest, nodes)
    problems += _not_the_mesh(product, read.values())
    sources = {f"{source['schema']}.{source['identifier']}" for source in read.values()}
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


def offered_models(
    manifest: Mapping[str, Any], nodes: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """Return what can be a port, by every name that it can have.

    Where the project says of no model that it is public, the product's ports are the choice.
    """
    built = models(manifest, nodes)
    said = any(_is_own(n, manifest) and n.get("access") == "public" for n in built.values())
    return {
        name: node
        for name, node in built.items()
        if not _is_ephemeral(node)
        and (node["resource_type"] == "seed" or node.get("access") == "public" or not said)
    }


def _lose_history(product: Product, built: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Report what keeps history between runs: each run builds from nothing and would lose it."""
    kept = {
        node["unique_id"]: (
            node,
            "snapshot" if node["resource_type"] == "snapshot" else INCREMENTAL,
        )
        for node in built.values()
        if node["resource_type"] == "snapshot"
        or node.get("config", {}).get("materialized") == INCREMENTAL
    }
    return [
        Problem(
            f'"{node["name"]}" is {"a snapshot" if kind == "snapshot" else "incremental"}: its '
            "history would be lost, because every candidate is built from nothing",
            place(product, project_folder(product) / node["original_file_path"]),
            next="leave it out by `select` in the product's transform"
            + ("" if kind == "snapshot" else ", or materialize it as a table"),
        )
        for node, kind in kept.values()
    ]


def _untested(product: Product, manifest: Mapping[str, Any], nodes: Iterable[str]) -> list[Problem]:
    """Report tests of models that do not exist: dbt warns and runs them not."""
    tests = (manifest["nodes"][key] for key in nodes if key in manifest["nodes"])
    return [
        Problem(
            f'the dbt test "{node["name"]}" is about a model that is not there, so dbt never '
            "runs it",
            place(product, project_folder(product) / node["original_file_path"]),
            next="correct the name of the model, or remove the test",
        )
        for node in tests
        if node["resource_type"] == "test"
        and (node.get("refs") or node.get("file_key_name", "").startswith(("models.", "seeds.")))
        and not below(node)
    ]


def _not_the_mesh(product: Product, read: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Report sources that dbt would look for in the database that it builds."""
    return [
        Problem(
            f'the dbt source "{source["schema"]}.{source["identifier"]}" is in no database of '
            "the mesh",
            place(product, project_folder(product) / source["original_file_path"]),
            next="say `database: mesh` beside the source's schema",
        )
        for source in read
        if source.get("database") != MESH
    ]
