"""Reads where copies of a published port are kept: `servers` with our setting `export`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Column, Export
from dataops_mesh.spec.read.extras import Extras
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.servers import EXPORT

POSTGRES = ("postgres", "postgresql")
LOCAL = "local"
FORMATS = ("parquet", "csv")
_LONGEST = 63  # bytes of a name in PostgreSQL, which cuts longer ones
_OF_POSTGRES = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_NEEDS = "an export to PostgreSQL needs the name of a connection"


def read_exports(
    contract: Node, port: str, columns: Sequence[Column], extras: Extras, problems: list[Problem]
) -> tuple[Export, ...]:
    """Return where copies of a port are kept.

    Args:
        contract: the document.
        port: the port's name.
        columns: what the contract says of its columns.
        extras: its settings.
        problems: receives what is wrong.
    """
    found: list[Export] = []
    for server in contract.items("servers"):
        setting = extras.get(server.keys, {}).get(EXPORT)
        if setting is None:
            continue
        wrong = list(_wrong(server, setting, port, columns))
        export = _export(server, setting)
        if not wrong and export.target in {one.target for one in found}:
            wrong.append(setting.problem(f"{export.target} is there twice"))
        problems += wrong
        if not wrong:
            found.append(export)
    return tuple(found)


def refuse_exports(extras: Extras, problems: list[Problem]) -> None:
    """Report copies of what is not published: a source's contract has none."""
    found = filter(None, (settings.get(EXPORT) for settings in extras.values()))
    what = "export is a setting of an output port's contract"
    problems += [setting.problem(what) for setting in found]


def _export(server: Node, setting: Node) -> Export:
    name = server.text("server") or ""
    if server.text("type") == LOCAL:
        folder = str(PurePosixPath(server.text("path") or ""))
        return Export(name, setting.where, folder=folder, format=server.text("format") or "")
    connection, schema = setting.text("connection") or "", server.text("schema") or ""
    return Export(name, setting.where, connection=connection, schema=schema)


def _wrong(server: Node, setting: Node, port: str, columns: Sequence[Column]) -> Iterator[Problem]:
    kind = server.text("type") or ""
    if kind == LOCAL:
        yield from _wrong_folder(server, setting)
    elif kind in POSTGRES:
        if setting.text("connection") is None:
            yield setting.problem(_NEEDS, then="write value: {connection: warehouse}")
        yield from _too_long(server, setting, (port, *(column.name for column in columns)))
    else:
        what = f'a port cannot be exported to a server of the type "{kind}"'
        yield (server.child("type") or server).problem(what, (*POSTGRES, LOCAL))


def _wrong_folder(server: Node, setting: Node) -> Iterator[Problem]:
    if setting.value is not True:
        then = "write value: true"
        yield setting.problem("the server's path and format say all of such an export", then=then)
    path = PurePosixPath(server.text("path") or "")
    if path.is_absolute() or ".." in path.parts or not path.parts or "*" in str(path):
        what = "is not a folder in the workspace: a copy is written below its root"
        where = server.child("path") or server
        yield where.problem(what, then="write a relative path, for example exports")
    said = server.child("format")
    if said is not None and (problem := said.choose(FORMATS)):
        yield problem


def _too_long(server: Node, setting: Node, names: Sequence[str]) -> Iterator[Problem]:
    schema = server.child("schema")
    if schema is not None and len(str(schema.value).encode()) > _LONGEST:
        yield schema.problem(f"PostgreSQL has no names of more than {_LONGEST} bytes")
    for name in names:
        if name.lower() in _OF_POSTGRES:
            what = f'PostgreSQL has a column "{name}" of its own in every table'
            yield setting.problem(what, then="give it another name, or export to a folder")
        if len(name.encode()) > _LONGEST:
            what = f'PostgreSQL has no names of more than {_LONGEST} bytes, as "{name}"'
            yield setting.problem(what, then="give it a shorter name, or export to a folder")
