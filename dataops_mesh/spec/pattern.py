"""Regular expressions: DuckDB runs them with RE2, which has no lookaround and no references.

A pattern is checked when it is loaded, not when ten million rows have been read.
"""

from __future__ import annotations

import re
import warnings

MAX_LENGTH = 1000
MAX_REPEAT = 1000  # RE2's own limit

# What RE2 does not have, by the way it is written.
_GROUPS = (
    ("(?=", "lookahead"),
    ("(?!", "lookahead"),
    ("(?<=", "lookbehind"),
    ("(?<!", "lookbehind"),
    ("(?P=", "a backreference"),
    ("(?(", "a conditional group"),
    ("(?>", "an atomic group"),
    ("(?#", "a comment"),
    ("(?<", "a named group without P (write `(?P<name>...)`)"),
)
_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?[:)]")
_REPEAT = re.compile(r"\{(\d+)(,(\d*))?\}")
_POSSESSIVE = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\+")
# What RE2 has and Python spells otherwise; translated only to compile the rest.
_CLASS = re.compile(r"\[:\^?([a-z]+):\]")
_CLASSES = frozenset(
    ("alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
     "space", "upper", "word", "xdigit")
)  # fmt: skip
_PROPERTY = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)")
_HEX = re.compile(r"\\x\{[0-9A-Fa-f]{1,6}\}")


def pattern_problem(pattern: str) -> str:
    """Return what is wrong with a pattern, or nothing.

    >>> pattern_problem(r"^[A-Z]{2}$")
    ''
    >>> pattern_problem(r"^(?!x)")
    'uses lookahead, which DuckDB (RE2) does not have'
    >>> pattern_problem("[a-")
    'is not a regular expression: unterminated character set'
    """
    if len(pattern) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    missing = _not_in_re2(pattern)
    if missing:
        return f"uses {missing}, which DuckDB (RE2) does not have"
    plain = _CLASS.sub("a-z", _PROPERTY.sub(r"\\w", _HEX.sub("x", pattern)))
    plain = plain.replace(r"\z", r"\Z").replace("(?U)", "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(plain)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {getattr(error, 'msg', 'nested too deeply')}"
    return ""


def _not_in_re2(pattern: str) -> str:
    position, in_class = 0, False
    while position < len(pattern):
        rest = pattern[position:]
        if rest[0] == "\\":
            name = _bad_escape(rest[1:2], in_class=in_class)
            if name:
                return name
            position += 2
            continue
        if in_class:
            skip = _CLASS.match(rest)
            if skip and skip[1] not in _CLASSES:
                return f"the class {skip[0]}"
            position += skip.end() if skip else 1
            in_class = bool(skip) or rest[0] != "]"
            continue
        name = _bad_construct(rest)
        if name:
            return name
        if rest[0] == "[":
            in_class = True
            # A bracket that comes first is itself a member of the class.
            position += 1 + (rest[1:2] == "^")
            position += pattern[position : position + 1] == "]"
        else:
            position += 1
    return ""


def _bad_escape(letter: str, *, in_class: bool) -> str:
    if letter in set("123456789"):
        return "an escaped digit in a character class" if in_class else "a backreference"
    if letter == "b" and in_class:
        return r"\b in a character class"
    return {"Z": r"\Z", "N": r"\N", "u": r"\u", "U": r"\U", "Q": r"\Q", "C": r"\C"}.get(letter, "")


def _bad_construct(rest: str) -> str:
    for text, name in _GROUPS:
        if rest.startswith(text):
            return name
    flags = _FLAGS.match(rest)
    if flags and set((flags[1] or "") + (flags[2] or "")) - set("imsU"):
        return f"the flags {flags[0]}"
    repeat = _REPEAT.match(rest)
    if repeat and max(int(repeat[1]), int(repeat[3] or 0)) > MAX_REPEAT:
        return f"more than {MAX_REPEAT} repetitions"
    if _POSSESSIVE.match(rest):
        return "a possessive quantifier"
    return ""
