"""What was parsed before is not parsed again: a cache that only Dagster's loading trusts.

An entry says of what it was made: the bytes of all files that matter, their places, this library
and what it reads with. It is taken only where all of that is the same. Whatever has a problem is
read anew, so that messages are always those of today. The gate, `mesh check` and `mesh run` read
the files themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import orjson

from dataops_mesh.errors import Problem
from dataops_mesh.spec.kept.codec import UnfitError, decode, encode
from dataops_mesh.spec.loader import load_product
from dataops_mesh.spec.model import Product, TransformKind
from dataops_mesh.spec.names import SHARED
from dataops_mesh.spec.read.inputs.sources import FOLDER as INPUTS
from dataops_mesh.spec.read.pact import FOLDER as PACTS
from dataops_mesh.spec.read.product import PRODUCT_FILE

_LIBRARY = Path(__file__).parents[2]
_READ_BY = ("spec", "policy", "transform", "errors.py", "cron.py")
Problems = tuple[Problem, ...]
_READ_WITH = (
    *("yaml", "duckdb", "sqlglot", "jsonschema", "jsonschema_rs"),
    *("open_data_contract_standard", "celpy"),
)
_GLOB = frozenset("*?[")


class _StrangeError(Exception):
    """What it is made of cannot be told by looking at its folder."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The parsed declarations of a domain.

    Args:
        read: returns what was kept under a name, or None.
        write: keeps bytes under a name, if it can.
        domain: the domain's folder; its answers are kept together.
    """

    read: Callable[[str], bytes | None]
    write: Callable[[str, bytes], None]
    domain: Path
    _made_of: dict[str, tuple[str, Path]] = field(default_factory=dict)
    _answers: dict[str, str] = field(default_factory=dict)
    _asked: dict[str, str] = field(default_factory=dict)

    def load(self, folder: Path, root: Path) -> Product:
        """Return the product of a folder, as `load_product` does.

        Raises:
            DeclarationError: with every problem of every file of the product.
        """
        place = _digest([str(folder), str(root), str(Path.cwd())])
        made_of, name = _state(folder, root), f"declared-{place}.json"
        found = self._taken(name, made_of) if made_of else None
        if found is None:
            found = load_product(folder, root)
            # What was edited meanwhile is not what the digest is of.
            if not made_of or not _is_local(found) or _state(folder, root) != made_of:
                return found
            self._keep(name, found, made_of)
        self._made_of[found.qualified_name] = made_of, root
        return found

    def answer(self, text: str, product: Product | None, ask: Callable[[], str]) -> str:
        """Return what an expression says of a product, asked once for the same content.

        Args:
            text: the expression.
            product: which; none where the answer is about the expression alone.
            ask: finds the answer.
        """
        about = library() if product is None else self._about(product)
        if not about:
            return ask()
        key = _digest([text, about])
        found = self._known().get(key)
        self._asked[key] = found if found is not None else ask()
        return self._asked[key]

    def fits(self, product: Product, find: Callable[[], Problems]) -> Problems:
        """Return what is wrong with a transform; nothing, where nothing was with the same files.

        Args:
            product: whose transform.
            find: looks at its files.
        """
        is_sql = product.transform.kind is TransformKind.SQL and not product.shared
        # The digest of the folder does not have the file of a resource.
        is_sql = is_sql and not any(port.resource for port in product.inputs)
        about = self._about(product) if is_sql else ""
        key = _digest(["transform", about])
        if about and self._known().get(key) == "":
            self._asked[key] = ""
            return ()
        problems = find()
        if about and not problems:
            made_of, root = self._made_of[product.qualified_name]
            if _state(product.folder, root) == made_of:
                self._asked[key] = ""
        return problems

    def close(self) -> None:
        """Keep the answers that were asked for; what nobody asks any more is gone with it."""
        if self._asked and self._asked != self._answers:
            said = json.dumps({"made_by": library(), "answers": self._asked})
            self.write(self._name, _sealed(said))

    def _about(self, product: Product) -> str:
        return self._made_of.get(product.qualified_name, ("", product.folder))[0]

    def _known(self) -> dict[str, str]:
        if not self._answers:
            self._answers.update(_answers(self.read(self._name), library()))
        return self._answers

    @property
    def _name(self) -> str:
        return f"declared-{_digest(['answers', str(self.domain)])}.json"

    def _taken(self, name: str, made_of: str) -> Product | None:
        head, _, body = _opened(self.read(name)).partition(b"\n")
        if not body:
            return None
        try:
            said = orjson.loads(head)
            if said["made_of"] != made_of or said["places"] != _places(said["places"]):
                return None
            return decode(body)
        except (ValueError, LookupError, TypeError, AttributeError, OSError):
            return None

    def _keep(self, name: str, product: Product, made_of: str) -> None:
        try:
            body = encode(product)
            head = json.dumps({"made_of": made_of, "places": _places(_outside(product))})
        except (UnfitError, OSError, ValueError):
            return
        self.write(name, _sealed(f"{head}\n{body}"))


@cache
def library() -> str:
    """Return a digest of all code that reads declarations, and of what it reads with.

    Code is told by when its files were written, as Python tells its own `.pyc`, and when they came
    to their place, which says it where all files of an image have one date.
    """
    digest = hashlib.sha256(sys.version.encode())
    for name in _READ_WITH:
        found = find_spec(name)
        digest.update(f"{name} {_written(found.origin if found else None)}\0".encode())
    for file in sorted(_sources(str(_LIBRARY / name) for name in _READ_BY)):
        digest.update(f"{file} {_written(file)}\0".encode())
    return digest.hexdigest()


def _written(file: str | None) -> tuple[int, ...]:
    if file is None:
        return ()
    state = os.stat(file)  # noqa: PTH116 - two hundred times with each loading
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _sources(places: Iterable[str]) -> Iterator[str]:
    for place in places:
        if place.endswith(".py"):
            yield place
            continue
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir():
                    yield from _sources([entry.path])
                elif entry.name.endswith((".py", ".json")):
                    yield entry.path


def _state(folder: Path, root: Path) -> str:
    """Return a digest of everything that a product is read from; empty where nobody can say."""
    parts: list[object] = [library(), str(folder), str(root), str(Path.cwd())]
    shared = dict.fromkeys((folder.parent / SHARED, root.absolute() / SHARED))
    try:
        parts += [os.path.realpath(folder), os.path.realpath(root)]
        for one in shared:
            there = one.is_dir()
            parts += [str(one), there, there and (one / PRODUCT_FILE).is_file()]
            parts.append(os.path.realpath(one) if there else "")
        for place in (folder, folder / INPUTS, folder / PACTS):
            parts.append(list(_listed(place)))
    except (OSError, _StrangeError):
        return ""
    return _digest(parts)


def _listed(place: Path) -> Iterator[tuple[str, ...]]:
    """Yield what is in a folder: names, and the digests of declarations and SQL."""
    try:
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_symlink():
            raise _StrangeError(entry.path)
        kind = "d" if entry.is_dir() else "f" if entry.is_file() else "o"
        if kind == "f" and entry.name.endswith((".yaml", ".yml", ".sql")):
            content = hashlib.sha256(Path(entry.path).read_bytes()).hexdigest()
            yield entry.name, kind, content
        else:
            yield entry.name, kind


def _is_local(product: Product) -> bool:
    """Tell whether a product is read from its own folder: no dbt, nothing included or set."""
    if product.transform.kind is TransformKind.DBT or product.included or product.takes:
        return False
    return all(file.parent == product.folder for file in product.transform.files)


def _outside(product: Product) -> list[str]:
    """Return the paths that lead out of the folder: where they lead was looked at."""
    sources = [port.source for port in product.inputs if port.source is not None]
    paths = [one.path for one in sources if one.package is None and one.remote is None]
    heads = (path[: next((n for n, c in enumerate(path) if c in _GLOB), None)] for path in paths)
    return [str(product.folder / head) for head in heads]


def _places(paths: Iterable[str] | dict[str, str]) -> dict[str, str]:
    return {path: os.path.realpath(path) for path in paths}


def _answers(kept: bytes | None, made_by: str) -> dict[str, str]:
    try:
        found = orjson.loads(_opened(kept) or b"{}")
        answers = found["answers"] if found["made_by"] == made_by else {}
    except (ValueError, LookupError, TypeError):
        return {}
    return {key: one for key, one in answers.items() if isinstance(one, str)}


def _sealed(text: str) -> bytes:
    body = text.encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _opened(kept: bytes | None) -> bytes:
    """Return what was sealed; nothing where a byte of it is another one."""
    seal, _, body = (kept or b"").partition(b"\n")
    return body if hashlib.sha256(body).hexdigest().encode() == seal else b""


def _digest(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
