"""Says what a schema finds wrong with a value: where, the valid choices and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

from dataops_mesh.errors import Problem
from dataops_mesh.spec.read.node import Node, meant, spell
from dataops_mesh.spec.read.yaml import Keys
from dataops_mesh.spec.standards.compiled import KNOWN

_LONGEST = 30  # digits
_SETTINGS = frozenset({
    "allowEmpty", "automation", "conditions", "dateformat", "events", "expectations", "include",
    "keepPublications", "masking", "network", "onFailure", "parameters", "partitions", "pii",
    "source", "tolerance", "transform", "visibility",
})  # fmt: skip
WRITTEN = "%"  # what a format of dates must have in it, by our schema
_LETTERS = re.compile("yyyy|yy|mm|dd|hh|ss", re.IGNORECASE)
_TYPES = {
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}
# What a word of the file may be asked for, where there is one: `name: null`.
_EMPTY = "write it in quotes"
_BOOLEANS = frozenset({"true", "false"})
_LEAST, _MOST = "needs at least {expected}", "may have at most {expected}"
_RANGE = "{value} is out of range ({kind} {expected})"
_SENTENCES = {
    "required": "is missing",
    "not": "has a key that may not stand here",
    "pattern": "{value} does not match {expected}",
    "uniqueItems": "holds the same entry twice",
    "minItems": _LEAST,
    "minLength": _LEAST,
    "minProperties": _LEAST,
    "maxItems": _MOST,
    "maxLength": _MOST,
    "maxProperties": _MOST,
    "minimum": _RANGE,
    "maximum": _RANGE,
    "exclusiveMinimum": _RANGE,
    "exclusiveMaximum": _RANGE,
}


def leaves(error: Any) -> Iterator[Any]:
    """Return the errors worth reading: of alternatives, those of the one that was meant."""
    if error.validator not in {"oneOf", "anyOf"} or not error.context:
        yield error
        return
    branches: dict[Any, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    meant = [
        inner
        for inner in branches.values()
        if not any(e.validator == "type" and not e.relative_path for e in inner)
    ]
    if len(meant) == 1:
        for inner in meant[0]:
            yield from leaves(inner)
    else:
        yield error


def problem_of(error: Any, node: Node) -> Problem:
    """Return an error of the package jsonschema as a problem with its place in the document."""
    keys: Keys = (*node.keys, *error.absolute_path)
    if error.validator == "required":
        missing = next(k for k in error.validator_value if k not in error.instance)
        missing = error.message.split("'")[1] if "'" in error.message else missing
        keys = (*keys, missing)
    what, choices, then = _explain(error, str(keys[-1]) if keys else "")
    if "enum" in keys[-2:] and error.validator in {"type", "required"}:
        then = "write the values one by one: enum: [{value: A}, {value: B}]"
    if error.validator == KNOWN and keys[-1:] and keys[-1] in _SETTINGS:
        then = "it is a setting of ours, an entry of customProperties: "
        then += f"{{property: {keys[-1]}, vendor: dataops_mesh, value: ...}}"
    if error.validator == "pattern" and error.validator_value == WRITTEN:
        what, then = "is not written in strptime's words", in_words(str(error.instance))
    written = node.document.words.get(keys)
    if written and then.startswith("write it in quotes"):
        then = f'write it in quotes: "{written}"'
    elif then == _EMPTY:
        then = ""
    return Problem(what, node.document.at(keys), spell(node.document.original(keys)), choices, then)


def _explain(error: Any, key: str) -> tuple[str, tuple[str, ...], str]:
    """Return what is wrong with the value of a key, the valid choices and what to do."""
    expected, kind = error.validator_value, error.validator
    what, then = f"does not satisfy {kind}", ""
    choices: tuple[str, ...] = ()
    if kind == KNOWN:
        what, choices = error.message, tuple(expected)
    elif kind in {"enum", "const"}:
        choices = tuple(str(choice) for choice in _listed(expected))
        hint = meant(error.instance, key, choices) if isinstance(error.instance, str) else ""
        what = f"{_shown(error.instance)} is not one of the valid values{hint}"
    elif kind in {"type", "oneOf", "anyOf"}:
        what, then = _wrong_type(error)
    elif kind in _SENTENCES:
        what = _SENTENCES[kind].format(value=_shown(error.instance), expected=expected, kind=kind)
    return what, choices, then


def _wrong_type(error: Any) -> tuple[str, str]:
    value = error.instance
    if error.validator == "type":
        names = _listed(error.validator_value)
    else:
        names = [name for branch in error.validator_value for name in _listed(branch.get("type"))]
    if not all(isinstance(name, str) for name in names) or not names:
        return _needed(error.validator_value), ""
    wanted = " or ".join(dict.fromkeys(_TYPES[name] for name in names))
    quote = isinstance(value, int | float) and "string" in names
    then = f'write it in quotes: "{str(value).lower()}"' if quote else ""
    if value == {"partition": None} and "string" in names:  # braces without quotes
        then = 'write it in quotes: "{partition}"'
    if value is None and "string" in names:
        then = _EMPTY
    if isinstance(value, str) and value.lower() in _BOOLEANS and "boolean" in names:
        then = f"write it without quotes: {value.lower()}"
    if isinstance(value, str) and not then and {"number", "integer"} & set(names):
        then = as_number(value)
    return f"must be {wanted}, not {_kind(value)}", then


def _needed(branches: list[dict[str, Any]]) -> str:
    """Return what a mapping needs, where its forms differ by that.

    >>> _needed([{"required": ["cadence", "start"]}, {"required": ["values"]}])
    'needs either cadence and start, or values'
    """
    needs = [" and ".join(branch.get("required", ())) for branch in branches]
    return f"needs either {', or '.join(needs)}" if all(needs) else "has none of the valid forms"


def as_number(value: Any) -> str:
    """Return how to write a text that people take for a number, or nothing.

    >>> as_number("1e6"), as_number("5"), as_number("many")
    ('write it as 1000000: to YAML 1.1, 1e6 is text', 'write it without quotes: 5', '')
    """
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return ""
    if number is None or not number.is_finite() or abs(number.adjusted()) > _LONGEST:
        return ""
    if isinstance(yaml.safe_load(value), int | float):
        return f"write it without quotes: {number:f}"
    return f"write it as {number:f}: to YAML 1.1, {value} is text"


def in_words(text: str) -> str:
    """Return how a format of dates is written in strptime's words.

    >>> in_words("DD/MM/YYYY HH:mm"), in_words("german")
    ('write "%d/%m/%Y %H:%M"', 'write it as %d/%m/%Y, or %Y-%m-%d %H:%M:%S')
    """
    made = _LETTERS.sub(lambda found: _letter(found, text), text)
    if "%" in made and not any(c.isalpha() for c in re.sub("%[A-Za-z]|T|Z", "", made)):
        return f'write "{made}"'
    return "write it as %d/%m/%Y, or %Y-%m-%d %H:%M:%S"


def _letter(found: re.Match[str], text: str) -> str:
    word = found[0].lower()
    if word == "mm":  # of hours before it these are minutes
        return "%M" if "hh" in text[: found.start()].lower() else "%m"
    return {"yyyy": "%Y", "yy": "%y", "dd": "%d", "hh": "%H", "ss": "%S"}[word]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a mapping"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 # fits a line
