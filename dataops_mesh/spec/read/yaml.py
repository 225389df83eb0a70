"""Reads a YAML file into plain data and remembers the line of every key and value.

Declarations come from many hands, so the reader is bounded: size, depth, no aliases, no
tags. It walks the parser's events itself instead of composing recursively, so that no file,
however deep, ends in a RecursionError or a crash of the C parser.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.spec.read.numbers import exact, two_readings
from dataops_mesh.spec.read.slips import slip

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
# Characters: a DECIMAL of 38 digits fits; a longer number is a mistake or an attack on int().
MAX_NUMBER = 48
_NUMBER = f"write a number with at most {MAX_NUMBER} characters, or text in quotes"

Keys = tuple[str | int, ...]
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STR = "tag:yaml.org,2002:str"
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
# Dates stay text: the JSON schemas of both standards declare them as strings.
_AS_TEXT = {_STR, "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value"}
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its data and where each part of it stands.

    Args:
        file: the path as it is shown to people.
        lines: the line of each key or list item.
        starts: the line of the first character of each text value.
        words: what stands in the file where YAML 1.1 reads a word as true, false or nothing.
        moved: of a part of a file, where it stands now and where it stands there.
        origins: of a part that is included from another file: that file, and where it stands there.
        included: the files that it was made of beside its own.
    """

    file: str
    data: dict[str, Any]
    lines: dict[Keys, int] = field(repr=False)
    starts: dict[Keys, int] = field(repr=False)
    words: dict[Keys, str] = field(default_factory=dict, repr=False)
    moved: tuple[tuple[Keys, Keys], ...] = ()
    origins: dict[Keys, tuple[str, Keys]] = field(default_factory=dict, repr=False)
    included: tuple[Path, ...] = ()

    def origin(self, keys: Keys) -> tuple[str, Keys]:
        """Return the file in which a part stands, and its keys there."""
        for length in range(len(keys), 0, -1) if self.origins else ():
            found = self.origins.get(keys[:length])
            if found is not None:
                return found[0], (*found[1], *keys[length:])
        return self.file, keys

    def original(self, keys: Keys) -> Keys:
        """Return the keys as they are in the file."""
        file, there = self.origin(keys)
        if file != self.file:
            return there
        for now, then in self.moved:
            if keys[: len(now)] == now:
                keys = (*then, *keys[len(now) :])
        return keys

    def at(self, keys: Keys) -> Location:
        """Return the line of the deepest part of `keys` that exists."""
        for length in range(len(keys), -1, -1):
            line = self.lines.get(keys[:length])
            if line is not None:
                return Location(self.origin(keys[:length])[0], line)
        return Location(self.file, 1)

    def digest(self) -> str:
        """Return a digest of the data, blind to comments and layout."""
        return digest(self.data)


def digest(data: Any) -> str:
    """Return 16 hex digits of the SHA-256 of the canonical JSON.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return sha256(_CANONICAL.encode(data).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_document(path: Path, shown: str) -> Document:
    """Read one YAML file; every defect of it is a DeclarationError with file and line."""
    try:
        if not path.is_file():
            raise _error(shown, 1, "is not a file")
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _error(shown, 1, f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise _error(shown, 1, f"is larger than {MAX_BYTES // 1024} KiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _error(shown, line, "is not UTF-8 text") from error
    return parse_document(text, shown)


def parse_document(text: str, shown: str) -> Document:
    r"""Parse YAML text.

    >>> parse_document("a:\n  b: 1", "x.yaml").at(("a", "b"))
    Location(file='x.yaml', line=2)
    """
    builder = _Builder(shown)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        if found := slip(text, error):
            raise _error(shown, *found) from error
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        last = text.count("\n") + 1
        raise _error(shown, min(line, last), f"is not YAML: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise _error(shown, line, f"is not YAML: {error.reason}") from error
    except UnicodeEncodeError as error:  # a lone surrogate cannot be handed to the C parser
        line = text.count("\n", 0, error.start) + 1
        raise _error(shown, line, "is not UTF-8 text") from error
    return builder.document()


def _events(text: str) -> Iterator[Any]:
    return iter(yaml.parse(text, Loader=_LOADER))


def _error(file: str, line: int, what: str, next_: str = "") -> DeclarationError:
    return DeclarationError(Problem(what, Location(file, line), next=next_))


_NOTHING = object()


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is still open."""

    keys: Keys
    value: Any
    pending: str | None = None


class _Builder:
    """Turns parser events into data and lines."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Any = _NOTHING
        self.stack: list[_Frame] = []
        self.lines: dict[Keys, int] = {}
        self.starts: dict[Keys, int] = {}
        self.words: dict[Keys, str] = {}
        self.resolver: Any = yaml.resolver.Resolver()
        self.constructor: Any = yaml.constructor.SafeConstructor()

    def take(self, event: Any) -> None:
        """Handle one event of the parser."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not _NOTHING:
            raise _error(self.file, line, "holds more than one document")
        if isinstance(event, yaml.AliasEvent):
            raise _error(
                self.file, line, "YAML aliases (*name) are not supported", "write the value out"
            )
        if isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line)

    def _node(self, event: Any, line: int) -> None:
        is_scalar = isinstance(event, yaml.ScalarEvent)
        if event.tag is not None:
            what = f"YAML tags ({event.tag}) are not supported"
            raise _error(self.file, line, what, "remove the tag")
        frame = self.stack[-1] if self.stack else None
        if frame is not None and isinstance(frame.value, dict) and frame.pending is None:
            if not is_scalar:
                raise _error(self.file, line, "a key must be text")
            self._key(frame, event.value, line)
            return
        keys = self._place(frame, line)
        if is_scalar:
            self.starts[keys] = line + (event.style == "|")
            self._store(frame, self._scalar(event, line, keys))
            return
        if len(self.stack) >= MAX_DEPTH:
            raise _error(self.file, line, f"is nested deeper than {MAX_DEPTH} levels")
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._store(frame, value)
        self.stack.append(_Frame(keys, value))

    def _key(self, frame: _Frame, key: str, line: int) -> None:
        if key == "<<":
            raise _error(self.file, line, "YAML merge keys (<<) are not supported")
        if key in frame.value:
            first = self.lines[(*frame.keys, key)]
            what = f'the key "{key}" is given twice, on lines {first} and {line}'
            raise _error(self.file, line, what, "keep one of them")
        frame.pending = key
        self.lines[(*frame.keys, key)] = line

    def _place(self, frame: _Frame | None, line: int) -> Keys:
        if frame is None:
            self.lines[()] = line
            return ()
        if isinstance(frame.value, dict):
            return (*frame.keys, frame.pending or "")
        keys = (*frame.keys, len(frame.value))
        self.lines[keys] = line
        return keys

    def _store(self, frame: _Frame | None, value: Any) -> None:
        if frame is None:
            self.root = value
        elif isinstance(frame.value, dict):
            frame.value[frame.pending] = value
            frame.pending = None
        else:
            frame.value.append(value)

    def _scalar(self, event: Any, line: int, keys: Keys) -> Any:
        tag = self.resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag in _AS_TEXT:
            return event.value
        node = yaml.ScalarNode(tag, event.value)
        if tag not in _NUMBERS:
            value = self.constructor.construct_object(node)
            if isinstance(value, bool) and event.value.lower() not in {"true", "false"}:
                self.words[keys] = event.value
            if value is None and event.value:
                self.words[keys] = event.value
            return value
        if readings := two_readings(event.value):
            raise _error(self.file, line, *readings)
        try:
            number = None
            if len(event.value) <= MAX_NUMBER:
                number = self.constructor.construct_object(node)
        except (ValueError, OverflowError):
            number = None
        if number is None or not math.isfinite(number):
            raise _error(self.file, line, "is not a usable number", _NUMBER)
        return exact(event.value, number)

    def document(self) -> Document:
        """Return what was read; the root must be a mapping."""
        if self.root is _NOTHING or self.root is None:
            raise _error(self.file, 1, "is empty")
        if not isinstance(self.root, dict):
            line = self.lines.get((), 1)
            raise _error(self.file, line, "must be a mapping of keys to values")
        return Document(self.file, self.root, self.lines, self.starts, self.words)
