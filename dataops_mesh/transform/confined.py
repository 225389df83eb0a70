"""A task of domain code, from the side of whoever asks: what it may open, and what it said.

Nothing that comes back is believed about data. An error's words pass a schema: lengths, no
control characters, whole numbers; the rest goes to the private text.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_mesh import errors
from dataops_mesh.errors import Location, MeshError, Problem, TransformError
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.spec.standards.schema import Validator
from dataops_mesh.transform.code import unread_of
from dataops_mesh.transform.confine import client
from dataops_mesh.transform.confine.landlock import READ, READ_DIR, READ_FILE, WRITE
from dataops_mesh.transform.confine.rules import readable
from dataops_mesh.transform.confine.task import Task
from dataops_mesh.transform.place import place
from dataops_mesh.transform.told import Plain, as_told, unknown
from dataops_mesh.transform.walls import Walls, require

# What a disk or a machine does to whoever writes; any other is what the code did.
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
_KINDS = ("DeclarationError", "SourceError", "TransformError", "RunError")
_LINE = {"type": "string", "maxLength": 4000, "pattern": r"^[^\x00-\x08\x0b-\x1f\x7f]*$"}
_NUMBER = {"type": "integer", "minimum": 0, "maximum": 10_000_000}
_TEXTS = {"type": "array", "maxItems": 1000, "items": _LINE}
_PROBLEM = {
    "type": "object",
    "required": ["what", "file", "line", "choices", "next"],
    "additionalProperties": False,
    "properties": {
        "what": _LINE,
        "file": _LINE,
        "line": _NUMBER,
        "choices": _TEXTS,
        "next": _LINE,
    },
}
_ERROR = {
    "type": "object",
    "required": ["kind", "errno", "safe", "line", "problems", "text"],
    "additionalProperties": False,
    "properties": {
        "kind": {"enum": ["", "OSError", *_KINDS]},
        "errno": {"type": "integer", "minimum": 0, "maximum": 4095},
        "safe": _LINE,
        "line": _NUMBER,
        "problems": {"type": "array", "maxItems": 100, "items": _PROBLEM},
        "text": {"type": "string"},
    },
}
_MODULE = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "string"}}
_RESULT = Validator(
    {
        "type": "object",
        "required": ["ok"],
        "oneOf": [
            {
                "required": ["value", "modules"],
                "properties": {"ok": {"const": True}, "modules": {"items": _MODULE}},
            },
            {"required": ["error"], "properties": {"ok": {"const": False}, "error": _ERROR}},
        ],
    }
)


@dataclass(frozen=True, slots=True)
class Access:
    """What a task may open beside the system, the interpreter and its own folder.

    Args:
        code: folders to read and run: the product's, the dbt project.
        data: folders to read, each as a whole.
        files: single files to read.
        written: folders to write.
        listed: folders of which not all may be read, whose names may be.
        network: may reach other machines, and this one.
        plain: nothing that the product reads or makes is classified, so its words may be told.
    """

    code: tuple[Path, ...] = ()
    data: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    written: tuple[Path, ...] = ()
    listed: tuple[Path, ...] = ()
    network: bool = False
    plain: Plain = unknown


@dataclass(frozen=True, slots=True)
class Room:
    """Where a task happens.

    Args:
        product: whose code it is.
        walls: how the workspace confines.
        folder: the task's own, made here; nothing in it is looked at unless it is plain files.
        access: what else it may open.
        kind: `dbt` if it needs dbt, `dlt` if it needs dlt.
        file: of the domain's code, whose lines are told; absent for the transform's.
        called: what people are told that it is.
    """

    product: Product
    walls: Walls
    folder: Path
    access: Access = field(default_factory=Access)
    kind: str = "python"
    file: Path | None = None
    called: str = "the transform"

    @property
    def code(self) -> Path:
        """Return the file whose lines are told."""
        return self.file or self.product.transform.files[0]

    @property
    def shared(self) -> tuple[Path, ...]:
        """Return the folders of modules that its code may import."""
        return self.product.shared if self.is_python else ()

    @property
    def is_python(self) -> bool:
        """Tell whether the code is Python of the product's folder; dbt has walls of its own."""
        return self.product.transform.kind is TransformKind.PYTHON or self.file is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a task returned, and the modules that it imported: names and files."""

    value: Any
    modules: tuple[tuple[str, str], ...]


def confined(call: tuple[str, str], argument: Any, room: Room) -> Answer:
    """Call a function of ours, which runs domain code, in a confined process.

    Args:
        call: the module and the function.
        argument: what it is called with.
        room: where.

    Raises:
        TransformError: it raised, ended by itself, took too long, or said nothing sensible.
        RunError: the machinery failed, or cannot confine and must.
    """
    product, walls, folder, access = room.product, room.walls, room.folder, room.access
    require(walls)
    folder.mkdir(parents=True, exist_ok=True)
    file, shared = room.code, room.shared  # last, so that none stands for an installed module
    task = Task(
        call=call,
        argument=argument,
        rules=_rules(room),
        protected=walls.protected,
        folder=folder.absolute(),
        file=file,
        network=access.network,
        required=walls.required,
        path=tuple(os.path.abspath(entry) for entry in (*sys.path, *map(str, shared))),  # noqa: PTH100 - '' is here
        environment=client.environment(folder.absolute(), network=access.network),
        limits=client.limits(),
    )
    told = client.run(task, kind=room.kind, seconds=walls.seconds, python=walls.python)
    result = _parsed(told["result"])
    if told["why"] or told["exit"] != 0 or result is None:
        what = f"{room.called} {_ending(told, result)}"
        raise TransformError(Problem(what, place(product, file)))
    if not result["ok"]:
        _raise(result["error"], room)
    return Answer(result["value"], tuple((name, path) for name, path in result["modules"]))


def _rules(room: Room) -> tuple[tuple[str, int], ...]:
    access, own = room.access, room.product.folder.absolute()
    written = [(str(path), WRITE) for path in (room.folder, *access.written)]
    unread = unread_of(room.product) if room.is_python and own in access.code else frozenset[Path]()
    listed = [(str(own.resolve()), READ_DIR)] if unread else []  # what lies there is no secret
    return (
        *readable(access.code, room.walls.protected | unread),
        *listed,
        *((str(path), READ) for path in access.data),
        *((str(path), READ_FILE) for path in access.files),
        *((str(path), READ_DIR) for path in access.listed),
        *written,
    )


def _parsed(text: str) -> dict[str, Any] | None:
    """Return what the process said, if it has the one form that it may have."""
    try:
        result = json.loads(text)
        wrong = next(_RESULT.errors(result), None)
    except (ValueError, RecursionError):
        return None
    return None if wrong is not None else dict(result)


def _ending(told: dict[str, Any], result: dict[str, Any] | None) -> str:
    if told["why"]:
        return str(told["why"])
    if told["exit"] < 0:
        return f"was ended by signal {-told['exit']}"
    if told["result"] and result is None:
        return "has a process that said something that makes no sense"
    return f"ended its process (exit status {told['exit']}) before it had returned"


def _raise(error: dict[str, Any], room: Room) -> None:
    """Raise what the process was told to raise, with its whole text behind it."""
    product, file = room.product, room.code
    text = RuntimeError(f"in the transform's process:\n{error['text']}")
    if error["kind"] == "OSError" and error["errno"] in _DISK:
        raise OSError(error["errno"], os.strerror(error["errno"])) from text
    named = error["kind"] if error["kind"] in _KINDS else "TransformError"
    kind: type[MeshError] = getattr(errors, named)
    problems = [_problem(one, product, file) for one in error["problems"]]
    if not problems:
        where = place(product, file, max(error["line"], 1))
        problems = [Problem(f"{room.called} raised {error['safe']}", where)]
    raise kind(as_told(problems, product, file, room.access.plain)) from text


def _problem(told: dict[str, Any], product: Product, file: Path) -> Problem:
    where = Location(told["file"], told["line"]) if told["file"] else place(product, file)
    return Problem(told["what"], where, choices=tuple(told["choices"]), next=told["next"])


def plain_file(path: Path) -> bool:
    """Tell whether a path is a regular file with one name, whatever a process put there."""
    try:
        state = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and state.st_nlink == 1
