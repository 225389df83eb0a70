"""Finds the first line of a delivery that cannot be read; never says what stands in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dataops_mesh.spec.model import SourceFormat
from dataops_mesh.spec.read.inputs.ports import PACKED

_LONGEST_LINE = 2_000_000  # bytes, of DuckDB
_PLACE = re.compile(r'file "([^"\n]+)", (?:at byte \d+ )?in (line|record/value) (\d+)')
_TOLD = {
    "Malformed JSON": "is no JSON",
    "duplicate key": "an object has the same key twice",
    "unexpected end of data": "is no JSON: it ends too early",
    "maximum_object_size": "a record is too long: say `options: {maximum_object_size: ...}`",
}


def wrong_line(
    found: Sequence[Path], kind: SourceFormat, options: Mapping[str, Any], told: str
) -> str:
    """Return where and why a file cannot be read, or nothing if that is not known.

    Args:
        found: the files, in order.
        kind: their format.
        options: how they were read.
        told: what the reader said, which may repeat a value.
    """
    if kind is SourceFormat.JSON:
        return _wrong_json(found, told)
    if kind is not SourceFormat.CSV or options.get("compression", "none") != "none":
        return ""
    for path in found:
        if path.suffix in PACKED:
            continue
        what = next(_wrong_csv(path, options), "")
        if what:
            return f"{path.name}:{what}"
    return ""


def _wrong_json(found: Sequence[Path], told: str) -> str:
    for path in found:
        if path.suffix not in PACKED and (line := _line_of_other_text(path)):
            return f"{path.name}:{line}: is not UTF-8; have it delivered as that"
    place = _PLACE.search(told)
    said = next((text for mark, text in _TOLD.items() if mark in told), "")
    if place is None or not said:
        return said
    path, number = Path(place[1]), int(place[3])
    if "Malformed JSON" in told:  # DuckDB has counted the one that it could not read twice
        number = max(1, number - 1)
        if path in found and (line := _first_unread(path)):
            return f"{path.name}:{line}: {said}"
    if place[2] == "line" or path not in found:
        return f"{path.name}:{number}: {said}"
    return f"{place_of_record(path, number)}: {said}"


def _first_unread(path: Path) -> int:
    """Return the first line that is no JSON, of a file with one record a line; else 0."""
    if path.suffix in PACKED:
        return 0
    with path.open("rb") as file:
        for at, line in enumerate(file, 1):
            try:
                if line.strip() and isinstance(json.loads(line), list):
                    return 0
            except ValueError:
                return at if at > 1 or not line.lstrip().startswith((b"[", b"{")) else 0
    return 0


def _line_of_other_text(path: Path) -> int:
    """Return the first line that is not UTF-8, or 0; what begins with a null byte is UTF-16."""
    with path.open("rb") as file:
        for at, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return at
            if b"\0" in line[:4]:
                return at
    return 0


def place_of_record(path: Path, number: int) -> str:
    """Return the line of a record where JSON has one record a line, else its number."""
    unknown = f"{path.name}: record {number}"
    if path.suffix in PACKED:
        return unknown
    before = number
    with path.open("rb") as file:
        for at, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                listed = isinstance(json.loads(line), list)
            except ValueError:
                return unknown
            before -= 1
            if listed or not before:
                return unknown if listed else f"{path.name}:{at}"
    return unknown


def _wrong_csv(path: Path, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the lines of a file, by the rules of RFC 4180."""
    encoding = str(options.get("encoding", "utf-8"))
    quote, delimiter = options.get("quote", '"'), options.get("delim", ",")
    ends: set[bool] = set()
    longest = int(options.get("max_line_size", _LONGEST_LINE))
    fields, opened, size = 0, 0, 0
    inside = False
    number = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                yield f"{number}: is not {encoding}; say `options: {{encoding: ...}}`"
                return
            size = len(raw) + (size if inside else 0)
            if not inside and raw.endswith(b"\n"):
                ends.add(raw.endswith(b"\r\n"))
                if len(ends) > 1:
                    yield f"{number}: mixes line ends (CRLF and LF)"
                    return
            text = line.rstrip("\r\n")
            if not inside:
                found = 1
                opened = number
            inside, more, after = _scan(text, quote, delimiter, inside=inside)
            if size > longest and not inside:
                at = f"{opened}: is longer than {longest} bytes"
                yield f"{at}; say `options: {{max_line_size: ...}}`"
                return
            if after:
                yield f"{number}: has text after a closing quote"
                return
            found += more
            if inside or not text:
                continue
            if fields and found != fields and not options.get("null_padding"):
                yield f"{opened}: has {found} fields, and the first line has {fields}"
                return
            fields = fields or found
    if inside:
        yield f"{opened}: a quote is opened and never closed"


def _scan(text: str, quote: str, delimiter: str, *, inside: bool) -> tuple[bool, int, bool]:
    """Return whether a quote is open at the line's end, its delimiters, and text after a quote."""
    count, at, start, after = 0, 0, not inside, False
    while at < len(text):
        if inside:
            end = text.find(quote, at) if quote else -1
            if end < 0:
                return True, count, after
            if text[end + 1 : end + 2] == quote:
                at = end + 2
                continue
            inside, at, start = False, end + 1, False
            rest = text[at:]
            after = after or (bool(rest.strip(" ")) and not rest.lstrip(" ").startswith(delimiter))
        elif text.startswith(delimiter, at):
            count, at, start = count + 1, at + len(delimiter), True
        elif start and quote and text.startswith(quote, at):
            inside, at = True, at + len(quote)
        else:
            start, at = start and text[at] == " ", at + 1
    return inside, count, after
