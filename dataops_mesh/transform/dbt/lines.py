"""Which line of a project's file dbt's words are about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_SAID = re.compile(r"^\s*line (\d+)$|(?:\.py,|error near) line (\d+)\b", re.MULTILINE)
_STATEMENT = re.compile(r"^\s*LINE \d+: (.+)$", re.MULTILINE)
_UNDEFINED = re.compile(r"^\s*'(\w+)' is undefined", re.MULTILINE)
_RELATION = re.compile(r'"[^"]+"(?:\."[^"]+")+')  # what a reference became
_FRAME = re.compile(r'File "[^"\n]*/tmp\w+\.py", line (\d+), in')


def line_of(message: str, file: Path) -> int:
    """Return the line of a file that a message names; 1 where nobody can tell.

    Of SQL that was made of a template, the line that has the very text, if there is one. A model in
    Python runs without the empty lines that it begins with.
    """
    text = file.read_text("utf-8-sig", "replace")
    lines = text.splitlines()
    found = [int(one or other) for one, other in _SAID.findall(message)[:1]]
    if not found and (statement := _STATEMENT.search(message)):
        found = _lines_with(statement[1].strip().strip(".").strip(), lines)
    if not found and (name := _UNDEFINED.search(message)):
        found = _lines_with(name[1], lines)
    if not found and file.suffix == ".py":
        before = text[: len(text) - len(text.lstrip())].count("\n")
        frames = [int(number) + before for number in _FRAME.findall(message)]
        found = [number for number in frames if number <= len(lines)][-1:]
    return found[0] if len(found) == 1 and 1 <= found[0] <= len(lines) else 1


def _lines_with(words: str, lines: Sequence[str]) -> list[int]:
    parts = [re.escape(part.strip()) for part in _RELATION.split(words)]
    text = re.compile(".*".join(parts))
    return [n for n, line in enumerate(lines, 1) if any(parts) and text.search(line)]
