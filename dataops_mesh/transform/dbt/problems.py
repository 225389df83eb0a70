"""Where a dbt project and the declaration of its product disagree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.checks.masked import is_private
from dataops_mesh.spec.dbt_names import KINDS, called, is_own, names
from dataops_mesh.spec.model import OutputPort, Product
from dataops_mesh.spec.read.relationships import referenced
from dataops_mesh.transform.dbt.project import (
    below,
    file_of,
    idle_tests,
    is_ephemeral,
    models,
    offered_models,
    sources_read,
)
from dataops_mesh.transform.dbt.refs import MESH
from dataops_mesh.transform.dbt.state import is_microbatch, state_nodes
from dataops_mesh.transform.place import place


def dbt_problems(
    product: Product, manifest: Mapping[str, Any], nodes: frozenset[str]
) -> tuple[Problem, ...]:
    """Return where the dbt project and the declaration disagree.

    The public models are the output ports, and the sources are the input ports.
    """
    where = place(product, product.transform.files[0])
    built = models(manifest, nodes)
    own = {str(n["unique_id"]): n for n in built.values() if is_own(n, manifest)}
    # What the project publishes: a seed has no `access`, so the port's contract decides.
    offered = offered_models(manifest, nodes)
    public = {key: node for key, node in own.items() if node.get("access") == "public"}
    ports = {port.name: port for port in product.outputs}
    problems = [
        _not_offered(port, manifest, nodes, offered)
        for name, port in ports.items()
        if name not in offered
    ]
    problems += _circles(product, manifest)
    problems += [
        Problem(
            f'the dbt model "{names(node)[0]}" is public and has no contract',
            where,
            next=f"write {names(node)[-1]}.odcs.yaml in {product.folder.name}/, or make the model "
            "protected",
        )
        for _, node in sorted(public.items())
        if not is_ephemeral(node)
        and ports.keys().isdisjoint(name for name in names(node) if built.get(name) is node)
    ]
    read = sources_read(manifest, nodes)
    problems += _clear_state(product, manifest, state_nodes(manifest, nodes))
    problems += _state_of_partitions(product, manifest, state_nodes(manifest, nodes))
    problems += [
        Problem(
            f'the dbt model "{names(node)[0]}" is public and ephemeral, so nothing is built of it '
            "that could be published",
            place(product, file_of(product, node, manifest)),
            next="materialize it as a view or a table, or make it protected",
        )
        for _, node in sorted(public.items())
        if is_ephemeral(node)
    ]
    problems += _untested(product, manifest, nodes)
    problems += _not_the_mesh(product, manifest, read.values())
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


def _not_offered(
    port: OutputPort,
    manifest: Mapping[str, Any],
    nodes: frozenset[str],
    offered: Mapping[str, Any],
) -> Problem:
    """Return why there is no model for a port, and what would make one."""
    name, what = port.name, f'output port "{port.name}" is not a public model of the dbt project'
    meant = called(manifest).get(name, ())
    disabled = [one for same in manifest.get("disabled", {}).values() for one in same]
    others = (n for n in (*disabled, *manifest["nodes"].values()) if name in names(n))
    node = manifest["nodes"][meant[0]] if meant else next(others, None)
    then, choices = "give the model `access: public`", tuple(sorted(offered))
    if node is None:
        what += did_you_mean(name, offered)
        then = "name the port as a model, or add the model"
    elif len(meant) > 1:
        what = f'output port "{name}" can mean {" and ".join(meant)}'
        then = f"write a model of the project itself that selects from the one: {name}.sql"
    elif node["resource_type"] not in KINDS:
        what += f": it is a dbt {node['resource_type']}"
        then = "name the port as a model"
    elif node in disabled:
        what, then = f'output port "{name}" is a model that the project has disabled', "enable it"
    elif node["unique_id"] not in nodes:
        what = f'output port "{name}" is a model that the selection does not cover'
        then = "add it to `select` in the product's transform, or remove the contract"
    elif is_ephemeral(node):
        what = f'output port "{name}" is an ephemeral model: nothing is built of it'
        then = "materialize it as a view or a table"
    elif not is_own(node, manifest):
        what = f'output port "{name}" is a model of the package {node["package_name"]}, not public'
        then = "write a model of the project itself that selects from it, and make that one public"
    return Problem(what, port.where, choices=choices, next=then)


def _circles(product: Product, manifest: Mapping[str, Any]) -> list[Problem]:
    """Report models that are made of each other: dbt says so when it builds, not when it parses."""
    nodes = manifest["nodes"]
    graph = {key: [one for one in below(node) if one in nodes] for key, node in nodes.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        way = error.args[1]
        named = " -> ".join(str(nodes[key]["name"]) for key in reversed(way))
        where = place(product, file_of(product, nodes[way[0]], manifest))
        what = f"models of the dbt project are made of each other: {named}"
        return [Problem(what, where, next="cut one of the references")]
    return []


def _clear_state(
    product: Product, manifest: Mapping[str, Any], kept: Iterable[Mapping[str, Any]]
) -> list[Problem]:
    """Report state of a product with masks: it would keep the values that are masked."""
    if not is_private(product):
        return []
    return [
        Problem(
            f'"{node["name"]}" keeps what it has from run to run, unmasked, and the product has '
            "masked columns, or reads some by a role",
            place(product, file_of(product, node, manifest)),
            next="publish the history in a product without masks (`visibility`), and mask in one "
            "that reads it",
        )
        for node in kept
    ]


def _state_of_partitions(
    product: Product, manifest: Mapping[str, Any], kept: Iterable[Mapping[str, Any]]
) -> list[Problem]:
    """Report state of a product in partitions, each of which is built from nothing."""
    if product.partitioning is None:
        return []
    return [
        Problem(
            f'"{node["name"]}" keeps what it has from run to run, and the product is built '
            "partition by partition, each from nothing",
            place(product, file_of(product, node, manifest)),
            next="make it a microbatch model or a table of the partition's rows "
            "(docs/dbt.md), or leave history to a product that is published whole",
        )
        for node in kept
        if not is_microbatch(node)
    ]


def _untested(product: Product, manifest: Mapping[str, Any], nodes: Iterable[str]) -> list[Problem]:
    """Report tests of models that do not exist: dbt warns and runs them not."""
    tests = ((manifest["nodes"][key], lost) for key, lost in idle_tests(manifest, nodes).items())
    return [
        Problem(
            f'the dbt test "{node["name"]}" is about a model that is not there '
            f"({', '.join(lost)}), so dbt never runs it",
            place(product, file_of(product, node, manifest)),
            next="correct the name of the model, or remove the test",
        )
        for node, lost in tests
        if lost and is_own(node, manifest)
    ]


def _not_the_mesh(
    product: Product, manifest: Mapping[str, Any], read: Iterable[Mapping[str, Any]]
) -> list[Problem]:
    """Report sources that dbt would look for in the database that it builds."""
    return [
        Problem(
            f'the dbt source "{source["schema"]}.{source["identifier"]}" is in no database of '
            "the mesh",
            place(product, file_of(product, source, manifest)),
            next="say `database: mesh` beside the source's schema",
        )
        for source in read
        if source.get("database") != MESH
    ]
