"""Includes (our setting `include`): columns and rules that several contracts share.

A contract that includes an object of another file has its columns and rules as well; a column
that includes one has all that is said there. What comes out is the contract: its parts know in
which file they stand. Each file that is read is a contract (ODCS) itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dataops_mesh.errors import DeclarationError, Problem, did_you_mean
from dataops_mesh.spec.paths import is_inside, path_problem, shown
from dataops_mesh.spec.read.extras import VENDOR
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.read.objects import renewed
from dataops_mesh.spec.read.yaml import Document, Keys, read_document
from dataops_mesh.spec.standards.schema import odcs_validator, validate

SETTING = "include"
_SUFFIX = ".odcs.yaml"
_SCHEMA, _COLUMNS, _RULES = "schema", "properties", "quality"
# What a column that includes another one says for itself; lists are joined.
_OWN = frozenset({"name", "physicalName", "businessName", "description", "id"})
_JOINED = frozenset({"quality", "tags", "customProperties", "authoritativeDefinitions"})


def read_contract_file(file: Path, root: Path, problems: list[Problem]) -> Document:
    """Return a contract with what it includes in it.

    Args:
        file: the contract.
        root: the workspace; nothing is included from outside.
        problems: receives what is wrong with what it includes.

    Raises:
        DeclarationError: the file itself cannot be read.
    """
    return _resolved(file, root, problems, ())


def _resolved(file: Path, root: Path, problems: list[Problem], trail: tuple[Path, ...]) -> Document:
    document = renewed(read_document(file, shown(file, root)))
    if not _asks(document.data):
        return document
    building = _Building(document, file, root, problems, (*trail, file.resolve()))
    for index, one in enumerate(Node(document, document.data).items(_SCHEMA)):
        for column in one.items(_COLUMNS):
            for setting in _settings(column):
                building.fill(column, setting)
        for setting in _settings(Node(document, document.data)):
            building.add(index, setting)
    return building.done()


def _asks(data: Any) -> bool:
    """Tell whether anything in a document may be an include, at little cost."""
    if not isinstance(data, dict):
        return False
    owners = [data]
    objects = data.get(_SCHEMA)
    for one in objects if isinstance(objects, list) else []:
        columns = one.get(_COLUMNS) if isinstance(one, dict) else None
        owners += [c for c in columns if isinstance(c, dict)] if isinstance(columns, list) else []
    return any(
        isinstance(entry, dict) and entry.get("property") == SETTING
        for owner in owners
        if isinstance(found := owner.get("customProperties"), list)
        for entry in found
    )


def _settings(owner: Node) -> list[Node]:
    """Return each path that a place includes; what is no text is reported as a setting."""
    found = []
    for entry in owner.items("customProperties"):
        if entry.text("property") == SETTING and entry.text("vendor") == VENDOR:
            value = entry.child("value")
            found += [value] if value is not None and isinstance(value.value, str) else []
            found += [one for one in entry.items("value") if isinstance(one.value, str)]
    return found


@dataclass(slots=True)
class _Building:
    """A contract on the way to being whole."""

    document: Document
    file: Path
    root: Path
    problems: list[Problem]
    trail: tuple[Path, ...]
    files: list[Path] = field(default_factory=list)
    origins: dict[Keys, tuple[str, Keys]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Copy what will grow."""
        own = self.document
        self.origins |= own.origins
        self.document = replace(
            own, data=_copied(own.data), lines=dict(own.lines), starts=dict(own.starts),
            words=dict(own.words), origins=self.origins,
        )  # fmt: skip

    def add(self, index: int, setting: Node) -> None:
        """Append the columns and rules of an object of another file."""
        text, _, name = setting.value.partition("#")
        read = self._read(text, setting)
        found = self._object(read, name, setting) if read is not None else None
        if read is None or found is None:
            return
        own = self.document.data[_SCHEMA][index]
        if not isinstance(own, dict):
            return  # the schema has reported it
        for key in (_COLUMNS, _RULES):
            for entry in found.items(key):
                target = (_SCHEMA, index, key)
                first = self._named(target, entry.text("name")) if key == _COLUMNS else None
                if first is not None:
                    what = f'the column "{entry.text("name")}" is also defined at {entry.where}'
                    where = self.document.at((*target, first))
                    then = f"remove one of them, or do not include {setting.value}"
                    self.problems.append(Problem(what, where, SETTING, next=then))
                elif isinstance(entries := own.setdefault(key, []), list):
                    entries.append(_copied(entry.value))
                    self._graft(read, entry.keys, (*target, len(entries) - 1))

    def fill(self, column: Node, setting: Node) -> None:
        """Give a column what is said of it in another file."""
        text, _, name = setting.value.partition("#")
        read = self._read(text, setting)
        found = self._column(read, name or column.text("name") or "", setting) if read else None
        if read is None or found is None:
            return
        _, index, _, position = column.keys
        own = self.document.data[_SCHEMA][index][_COLUMNS][position]
        for key, value in found.value.items():
            keys = (*column.keys, key)
            if key not in own:
                own[key] = _copied(value)
                self._graft(read, (*found.keys, key), keys)
            elif key in _JOINED and isinstance(own[key], list) and isinstance(value, list):
                for entry in found.items(key):
                    if entry.text("property") == SETTING:
                        continue  # it has been followed
                    own[key].append(_copied(entry.value))
                    self._graft(read, entry.keys, (*keys, len(own[key]) - 1))
            elif key not in _OWN and own[key] != value:
                what = f'"{key}" is also said at {read.at((*found.keys, key))}'
                where = self.document.at(keys)
                then = "remove it here; or do not include the column"
                self.problems.append(Problem(what, where, key, next=then))

    def done(self) -> Document:
        """Return the contract with all that it includes."""
        files = tuple(dict.fromkeys((*self.document.included, *self.files)))
        return replace(self.document, included=files)

    def _read(self, text: str, setting: Node) -> Document | None:
        folder = self.file.parent
        # As it is written: the texts that are kept lie in other folders, without links.
        file = Path(os.path.abspath(folder / text))  # noqa: PTH100
        what = path_problem(text, folder, self.root)
        if not what and not is_inside(file, self.root):
            what = "leaves the workspace"
        if not what and not text.endswith(_SUFFIX):
            what = f"is no contract: its name does not end in {_SUFFIX}"
        if what:
            then = "name a contract of this workspace by its path from this file's folder"
            self.problems.append(setting.problem(f'"{text}" {what}', then=then))
            return None
        if not file.is_file():
            beside = file.parent.glob(f"*{_SUFFIX}") if file.parent.is_dir() else ()
            known = sorted(shown(one, self.root) for one in beside)
            hint = did_you_mean(shown(file, self.root), known)
            then = "mesh check, once the file is there or the path is right"
            what = f'"{text}" does not exist{hint}'
            self.problems.append(setting.problem(what, known, then))
            return None
        if file.resolve() in self.trail:
            around = [*self.trail[self.trail.index(file.resolve()) :], file]
            names = " -> ".join(shown(one.resolve(), self.root.resolve()) for one in around)
            what = f"contracts include each other in a circle: {names}"
            self.problems.append(setting.problem(what, then="remove one include"))
            return None
        try:
            read = _resolved(file, self.root, self.problems, self.trail)
        except DeclarationError as error:
            self.problems += [one for one in error.problems if one not in self.problems]
            return None
        wrong = validate(odcs_validator(), Node(read, read.data))
        self.problems += [one for one in wrong if one not in self.problems]
        self.files += [file, *read.included]
        return read

    def _object(self, read: Document, name: str, setting: Node) -> Node | None:
        objects = {one.text("name") or "": one for one in Node(read, read.data).items(_SCHEMA)}
        if name in objects:
            return objects[name]
        if not name and len(objects) == 1:
            return next(iter(objects.values()))
        path = setting.value.partition("#")[0]
        what = f'{path} has no object "{name}"' if name else f"{path} has several objects"
        self._choose(setting, what, name, path, objects)
        return None

    def _column(self, read: Document, name: str, setting: Node) -> Node | None:
        """Return a column by its name, or by that of its object and its own."""
        found: dict[str, list[Node]] = {}
        for one in Node(read, read.data).items(_SCHEMA):
            for column in one.items(_COLUMNS):
                own = column.text("name") or ""
                found.setdefault(own, []).append(column)
                found.setdefault(f"{one.text('name')}.{own}", []).append(column)
        if len(found.get(name, ())) == 1:
            return found[name][0]
        path = setting.value.partition("#")[0]
        many = name in found
        what = f'{path} has {"several columns" if many else "no column"} "{name}"'
        known = [
            one for one, columns in found.items() if len(columns) == 1 and ("." in one) == many
        ]
        self._choose(setting, what, name, path, known)
        return None

    def _choose(self, setting: Node, what: str, name: str, path: str, known: Iterable[str]) -> None:
        names = sorted(known)
        then = f"write {path}#{names[0]}" if names else ""
        hint = did_you_mean(name, names) if name else ""
        self.problems.append(setting.problem(what + hint, names, then))

    def _named(self, keys: Keys, name: str | None) -> int | None:
        """Return the place of the column of a name, if there is one."""
        _, index, key = keys
        entries = self.document.data[_SCHEMA][index].get(key)
        named = enumerate(entries if isinstance(entries, list) else [])
        return next(
            (n for n, one in named if isinstance(one, dict) and one.get("name") == name), None
        )

    def _graft(self, read: Document, source: Keys, target: Keys) -> None:
        """Note where a part of another file stands, now that it is a part of this one."""
        size = len(source)
        pairs: tuple[tuple[dict[Keys, Any], dict[Keys, Any]], ...] = (
            (read.lines, self.document.lines),
            (read.starts, self.document.starts),
            (read.words, self.document.words),
            (read.origins, self.origins),
        )
        for there, here in pairs:
            here |= {(*target, *k[size:]): v for k, v in there.items() if k[:size] == source}
        self.origins.setdefault(target, read.origin(source))
        self.document.lines.setdefault(target, read.at(source).line)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value
