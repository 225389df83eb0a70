"""The sources of a dbt project: what in the mesh, or which files, stand for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from dataops_mesh.errors import DeclarationError, Location, Problem, did_you_mean
from dataops_mesh.spec.model import SourceFormat
from dataops_mesh.spec.names import is_name, slug
from dataops_mesh.spec.paths import is_inside, shown
from dataops_mesh.spec.read.inputs.ports import infer_format
from dataops_mesh.spec.terms import Address
from dataops_mesh.transform.dbt.refs import MESH

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A source that is files: it becomes a product of the mesh, which publishes them.

    Args:
        address: of its port.
        path: of the files, a glob or one; absolute.
        about: what the project says of it.
    """

    address: Address
    path: Path
    about: str = ""

    @property
    def name(self) -> str:
        """Return the name of its input port."""
        return f"{self.address.port}_file"


@dataclass(frozen=True, slots=True)
class Found:
    """What stands for each source, by `<source>.<table>`."""

    addresses: Mapping[str, Address]
    delivered: tuple[Delivered, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """Where sources are looked for.

    Args:
        root: the workspace.
        project: the dbt project's folder.
        domain: that is written; files of sources become products of it.
        ports: what the mesh has: declared here, or published.
    """

    root: Path
    project: Path
    domain: str
    ports: frozenset[Address]


def find_sources(
    read: Iterable[Node], said: Mapping[str, str], taken: Iterable[str], around: Around
) -> Found:
    """Return what stands for each source that the project reads.

    Args:
        read: the sources.
        said: a file or an address, by `<source>.<table>`, as somebody named it.
        taken: names of ports that the project itself has.
        around: where to look.

    Raises:
        DeclarationError: nobody can tell what stands for a source.
    """
    addresses: dict[str, Address] = {}
    delivered: list[Delivered] = []
    problems: list[Problem] = []
    names = set(taken)
    nodes = {f"{node['source_name']}.{node['name']}": node for node in read}
    for name in said.keys() - nodes.keys():
        what = f'the dbt project reads no source "{name}"'
        problems.append(Problem(what, choices=tuple(sorted(nodes))))
    for name, node in sorted(nodes.items()):
        found = _named(said[name], around) if name in said else _looked_up(node, around)
        if isinstance(found, Path):
            port = _free(node, names)
            names.add(port)
            about = " ".join(str(node.get("description") or "").split())
            one = Delivered(Address(around.domain, port), found, about)
            delivered.append(one)
            addresses[name] = one.address
        elif isinstance(found, Address):
            addresses[name] = found
        else:
            problems.append(Problem(found.what, _where(node, around), next=found.next))
    if problems:
        raise DeclarationError(problems)
    return Found(addresses, tuple(delivered))


def files_of(path: Path) -> list[Path]:
    """Return the files of a path that may be a glob."""
    if not any(sign in str(path) for sign in "*?["):
        return [path]
    parts = path.parts
    first = next(i for i, part in enumerate(parts) if any(sign in part for sign in "*?["))
    return sorted(Path(*parts[:first]).glob("/".join(parts[first:])))


def _named(text: str, around: Around) -> Address | Path | Problem:
    domain, _, port = text.partition(".")
    if is_name(domain) and is_name(port) and not Path(text).exists():
        return _port(Address(domain, port), around)
    return _file(Path(text).absolute(), around)


def _looked_up(node: Node, around: Around) -> Address | Path | Problem:
    schema, name = str(node["schema"]), str(node["identifier"])
    if node.get("database") == MESH and is_name(schema) and is_name(name):
        return _port(Address(schema, name), around)
    for domain in (str(node["source_name"]), schema):
        if (found := Address(domain, name)) in around.ports:
            return found
    location = _location(node)
    if location:
        return _file((around.project / location).absolute(), around)
    key = f"{node['source_name']}.{node['name']}"
    return Problem(
        f'nobody can tell what the dbt source "{key}" is in the mesh',
        next=f"--source {key}=<a file> or --source {key}=<domain>.<port>",
    )


def _port(address: Address, around: Around) -> Address | Problem:
    if address in around.ports:
        return address
    known = {str(one): one for one in around.ports}
    what = f"{address} is neither declared here nor published{did_you_mean(str(address), known)}"
    return Problem(what, next="mesh status")


def _location(node: Node) -> str:
    """Return the `external_location` of dbt-duckdb, where it is a plain path."""
    config = node.get("config") or {}
    told = {
        key: value
        for meta in (node.get("source_meta"), node.get("meta"), config, config.get("meta"))
        for key, value in (meta or {}).items()
    }
    text = str(told.get("external_location") or "").strip("'")
    if not text or "(" in text or told.get("formatter", "newstyle") != "newstyle":
        return ""
    known = {"name": node["name"], "identifier": node["identifier"], "schema": node["schema"]}
    asked = {field for _, field, _, _ in Formatter().parse(text) if field}
    return text.format_map(known) if asked <= known.keys() else ""


def _file(path: Path, around: Around) -> Path | Problem:
    path = Path(*_plain(path.parts))
    found = files_of(path)
    if not found or not all(file.is_file() for file in found):
        what = f"{shown(path, around.root)}, its file, is not there"
        return Problem(what, next="put it there, or say another: --source <source>.<table>=FILE")
    if not all(is_inside(file, around.root) for file in found):
        then = f"the workspace is {around.root}"
        return Problem(f"{path}, its file, is not in the workspace", next=then)
    if infer_format(str(path)) is SourceFormat.FILE:
        what = f"{shown(path, around.root)} is no CSV, Parquet or JSON file"
        return Problem(what, next="convert it, or publish it by a product of its own")
    return path


def _plain(parts: Iterable[str]) -> list[str]:
    """Return the parts of an absolute path without `..`; a glob cannot be resolved."""
    made: list[str] = []
    for part in parts:
        if part == "..":
            made.pop()
        else:
            made.append(part)
    return made


def _free(node: Node, names: set[str]) -> str:
    """Return a name that no other port has."""
    own = slug(str(node["name"]))
    both = slug(f"{node['source_name']}_{node['name']}")
    return next(name for name in (own, both, f"{both}_source") if name not in names)


def _where(node: Node, around: Around) -> Location:
    return Location(shown(around.project / str(node["original_file_path"]), around.root), 1)
