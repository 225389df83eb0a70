"""What a dbt project says of itself: its models, what they are called, what they read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from dataops_mesh.spec.dbt_names import KINDS, by_name, is_own, names
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.transform.dbt.files import Bounds, installed
from dataops_mesh.transform.place import workspace

_READ = KINDS | {"source"}  # what a test can be about
INCREMENTAL = "incremental"
_TAKEN = frozenset({"source", "exposure"})  # `<domain>/source/<input>` is drawn for others
_PLAIN, _UNSAFE = re.compile(r"[A-Za-z0-9_/-]+"), re.compile(r"[^A-Za-z0-9_/-]")
_CHOSEN = frozenset({"seed", "snapshot"})  # they have no `access`: the port's contract decides


def is_dbt(product: Product) -> bool:
    """Tell whether dbt builds the product."""
    return product.transform.kind is TransformKind.DBT


def project_folder(product: Product) -> Path:
    """Return the folder of the product's dbt project."""
    (file,) = product.transform.files
    return file.parent


def bounds_of(product: Product, hidden: frozenset[Path] = frozenset()) -> Bounds | None:
    """Return where links in the product's dbt project may lead, and not to what is hidden."""
    root = workspace(product)
    if root is None:
        return None
    domain = product.folder.parent
    return Bounds(root.resolve(), domain.parent.resolve(), domain.resolve(), hidden)


def file_of(product: Product, node: Mapping[str, Any], manifest: Mapping[str, Any]) -> Path:
    """Return the file that a node is written in, which may be one of a package."""
    folder = project_folder(product)
    if not is_own(node, manifest):
        folder = installed(folder) / str(node["package_name"])
    return folder / str(node["original_file_path"])


def models(manifest: Mapping[str, Any], nodes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the models (seeds and snapshots too) among the nodes, by every name a port can have.

    A version is `<name>_v<version>`, and the latest one is also called by the name alone. A name
    that more than one has is left out, but for the project's own before those of packages.
    """
    chosen = frozenset(nodes)
    found = {name: key for name, key in by_name(manifest).items() if key in chosen}
    return {name: manifest["nodes"][key] for name, key in found.items()}


def called_names(
    product: Product, manifest: Mapping[str, Any], nodes: Iterable[str]
) -> dict[str, str]:
    """Return what each model is called in its domain, by unique id.

    As its port, if it is one; else `<product>/<model>`, with the package between them if it is
    one of a package: two products may both have a model `staged`. Dagster makes one identifier of
    such a name; where it could not, or would make the same of two, there are digits at the end.
    """
    ports, called = {port.name for port in product.outputs}, dict[str, str]()
    for name, node in models(manifest, nodes).items():
        if name in ports:
            called[str(node["unique_id"])] = name
    inner = {}
    for node in (manifest["nodes"][key] for key in nodes if key in manifest["nodes"]):
        if node["resource_type"] in KINDS and node["unique_id"] not in called:
            package = [] if is_own(node, manifest) else [str(node["package_name"])]
            above = [product.name, *(["models"] if product.name in _TAKEN else []), *package]
            inner[str(node["unique_id"])] = "/".join([*above, names(node)[0]])
    twice = Counter(map(_identifier, (*called.values(), *inner.values())))
    for key, name in inner.items():
        alone = _PLAIN.fullmatch(name) and twice[_identifier(name)] == 1
        digits = "" if alone else f"_{sha256(key.encode()).hexdigest()[:6]}"
        called[key] = _UNSAFE.sub("_", name) + digits
    return called


def _identifier(name: str) -> str:
    return f"x/{name}".replace("/", "__").replace("-", "_")


def below(node: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the unique ids of what a node is made of; a seed is made of nothing."""
    return tuple(node.get("depends_on", {}).get("nodes", ()))


def sources_read(manifest: Mapping[str, Any], nodes: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the sources that are read when the nodes are built, by unique id.

    An ephemeral model reads nothing by itself: it is a part of those that name it. An analysis is
    never built. Hooks of the project run whatever is selected.
    """
    known, found = manifest["nodes"], dict[str, Mapping[str, Any]]()
    hooks = [key for key, node in known.items() if node["resource_type"] == "operation"]
    waiting = [key for key in {*nodes, *hooks} if key in known and not is_ephemeral(known[key])]
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
    known = [one for kind in ("nodes", "sources") for one in manifest[kind].values()]
    known += [one for same in manifest.get("disabled", {}).values() for one in same]
    there = {name for one in known if one["resource_type"] in _READ for name in _said(one)}
    found = {}
    for key in nodes:
        node = manifest["nodes"].get(key, {})
        if node.get("resource_type") != "test":
            continue
        asked = [
            (ref.get("package"), ref["name"], ref.get("version")) for ref in node.get("refs", ())
        ]
        words = [_words(*one) for one in asked]
        words += [".".join(map(str, source)) for source in node.get("sources", ())]
        lost = [text for text in words if text not in there]
        if lost or node["config"].get("enabled") is False or (words and not below(node)):
            found[key] = lost
    return found


def _said(node: Mapping[str, Any]) -> list[str]:
    """Return what a test can say that is about a node."""
    name, source = str(node["name"]), node["resource_type"] == "source"
    if source and node["original_file_path"]:
        return [f"{node['source_name']}.{name}"]
    versions = dict.fromkeys((None, node.get("version")))  # a port has none, and is no file
    return [_words(p, name, v) for p in (None, node.get("package_name")) for v in versions]


def _words(package: str | None, name: str, version: Any) -> str:
    """Return a reference as people write it.

    >>> _words("zoo", "out", 2)
    "ref('zoo', 'out', v=2)"
    """
    quoted = ", ".join(f"'{part}'" for part in (package, name) if part is not None)
    return f"ref({quoted})" if version is None else f"ref({quoted}, v={version})"


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
