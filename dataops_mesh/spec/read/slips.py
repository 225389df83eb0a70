"""What people meant where a file is not YAML: quotes, braces and tabs, said with their cure."""

from __future__ import annotations

import re
from typing import Any

_PARTITION = re.compile(r"""(?:^|[\s\[{,])([^\s"'\[{,:]*\{partition\}[^\s,}"']*)""")
_ODD = re.compile(r"""(?::\s+|-\s+|[\[{,]\s*)([%@`*&][^\s,\]}]*)""")


def slip(text: str, error: Any) -> tuple[int, str, str] | None:
    """Return the line, what is wrong there and what to write, where a slip is recognised.

    Args:
        text: of the file.
        error: PyYAML's, with its marks.
    """
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines() or [""]
    last = min(mark.line if mark else 0, len(lines) - 1)
    near = [n for n in (last, last - 1) if n >= 0]
    for n in near:
        if (found := _PARTITION.search(lines[n])) and _outside_quotes(lines[n], found.start(1)):
            what = "is not YAML: {partition} stands without quotes, and a brace begins a mapping"
            return n + 1, what, f'write it in quotes: "{found[1]}"'
    if "quoted scalar" in str(error.context) and error.context_mark is not None:
        return _unclosed(lines, error.context_mark.line)
    for n in near:  # a quote further up was closed: a text may have several lines
        if _is_odd(lines[n]):
            return _unclosed(lines, n)
    for n in near:
        if "\t" in lines[n][: len(lines[n]) - len(lines[n].lstrip())]:
            return n + 1, "is not YAML: a tab at the start of the line", "indent with spaces"
    if (found := _ODD.search(lines[last])) and _outside_quotes(lines[last], found.start(1)):
        what = f"is not YAML: a text may not begin with {found[1][0]} without quotes"
        return last + 1, what, f'write it in quotes: "{found[1]}"'
    return None


def _unclosed(lines: list[str], n: int) -> tuple[int, str, str]:
    """Say of the quote that opens last before the text that was read as quoted."""
    quote = next((q for q in ('"', "'") if _is_odd(lines[n], q)), '"')
    what = f"is not YAML: a quote ({quote}) opens on this line and is not closed"
    return n + 1, what, f"write another {quote} where the text ends"


def _is_odd(line: str, quotes: str = "\"'") -> bool:
    """Tell whether a quote is open at the end of a line."""
    open_ = ""
    for index, letter in enumerate(line):
        if not open_ and letter == "#" and (index == 0 or line[index - 1].isspace()):
            break
        if open_ and letter == open_:
            escaped = open_ == '"' and line[index - 1] == "\\"
            open_ = open_ if escaped else ""
        elif not open_ and letter in quotes and (index == 0 or line[index - 1] in " \t[{,"):
            open_ = letter
    return bool(open_)


def _outside_quotes(line: str, index: int) -> bool:
    return not _is_odd(line[:index])
