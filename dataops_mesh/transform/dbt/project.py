"""What a dbt project says of itself: its models, what they are called, what they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.transform.dbt.files import Bounds
from dataops_mesh.transform.place import workspace

KINDS = frozenset({"model", "seed", "snapshot"})
INCREMENTAL = "incremental"
_CHOSEN = frozenset({"seed", "snapshot"})  # they have no `access`: the port's contract decides


def is_dbt(product: Product) -> bool:
    """Tell whether dbt builds the product."""
    return product.transform.kind is TransformKind.DBT


def project_folder(product: Product) -> Path:
    """Return the folder of the product's dbt project."""
    (file,) = product.transform.files
    return file.parent


def bounds_of(product: Product) -> Bounds | None:
    """Return where links in the product's dbt project may lead."""
    root = workspace(product)
    if root is None:
        return None
    domain = product.folder.parent
    return Bounds(root.resolve(), domain.parent.resolve(), domain.resolve())


def models(manifest: Mapping[str, Any], nodes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the models (seeds and snapshots too) among the nodes, by every name a port can have.

    Of a name that a package has too, the project's own counts. A version is `<name>_v<version>`,
    and the latest one is also called by the name alone.
    """
    found = [manifest["nodes"][node] for node in nodes if node in manifest["nodes"]]
    built = [node for node in found if node["resource_type"] in KINDS]
    built.sort(key=lambda node: (is_own(node, manifest), str(node["unique_id"])))
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
            package = [] if is_own(node, manifest) else [str(node["package_name"])]
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

    An ephemeral model reads nothing by itself: it is a part of those that name it. An analysis is
    never built.
    """
    known, found = manifest["nodes"], dict[str, Mapping[str, Any]]()
    waiting = [key for key in nodes if key in known and not is_ephemeral(known[key])]
    waiting = [key for key in waiting if known[key]["resource_type"] != "analysis"]
    seen = set(waiting)
    while waiting:
        for key in below(known[waiting.pop()]):
            if key in manifest["sources"]:
                found[key] = manifest["sources"][key]
            elif key in known and key not in seen and is_ephemeral(known[key]):
                seen.add(key)
                waiting.append(key)
    return found


def idle_tests(manifest: Mapping[str, Any], nodes: Iterable[str]) -> dict[str, list[str]]:
    """Return the tests that dbt does not run, for want of a model; with those that are nowhere.

    What a project has disabled is not there on purpose, and its tests are not missed.
    """
    known = {_called(one) for kind in ("nodes", "sources") for one in manifest[kind].values()}
    known |= {_called(one) for same in manifest.get("disabled", {}).values() for one in same}
    found = {}
    for key in nodes:
        node = manifest["nodes"].get(key, {})
        if node.get("resource_type") != "test":
            continue
        asked = [str(ref["name"]) for ref in node.get("refs", ())]
        asked += [".".join(map(str, source)) for source in node.get("sources", ())]
        lost = [name for name in asked if name not in known]
        if lost or node["config"].get("enabled") is False or (asked and not below(node)):
            found[key] = lost
    return found


def _called(node: Mapping[str, Any]) -> str:
    name = str(node["name"])
    return f"{node['source_name']}.{name}" if node["resource_type"] == "source" else name


def is_own(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Tell whether a node is of the project itself, and of none of its packages."""
    return bool(node.get("package_name") == manifest["metadata"].get("project_name"))


def is_ephemeral(node: Mapping[str, Any]) -> bool:
    """Tell whether a model is only a part of those that name it."""
    return bool(node.get("config", {}).get("materialized") == "ephemeral")


def offered_models(
    manifest: Mapping[str, Any], nodes: Iterable[str]
) -> dict[str, Mapping[str, Any]]:
    """Return what can be a port, by every name that it can have.

    Where the project says of no model that it is public, the product's ports are the choice.
    """
    built = models(manifest, nodes)
    said = any(is_own(n, manifest) and n.get("access") == "public" for n in built.values())
    return {
        name: node
        for name, node in built.items()
        if not is_ephemeral(node)
        and (node["resource_type"] in _CHOSEN or node.get("access") == "public" or not said)
    }
