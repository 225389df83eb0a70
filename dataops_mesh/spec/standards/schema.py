"""Validates documents with the JSON schemas of ODPS, ODCS and our own settings.

A valid document, the common case, is recognised in Rust by the schema as it stands. What is not
gets its messages from Python, by a schema that is compiled once per process with these changes,
none of which lets more through than the readers behind this module refuse:

- `additionalProperties: false` and `unevaluatedProperties: false` become one check that
  reports each unknown key, with its line and the nearest known one (and takes half the time);
- "exactly one operator" and the logical types are left to the readers, which can say more;
- "if this property has this value, then ..." becomes a look-up by the value, so that nine
  conditionals per column cost one; it does not apply where the property is absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dataops_mesh.errors import Problem, did_you_mean
from dataops_mesh.spec.model import Operator
from dataops_mesh.spec.read.node import Node, spell
from dataops_mesh.spec.read.yaml import Keys

ODPS_VERSIONS = ("v1.1.0", "v1.0.0", "v0.9.0")
ODCS_VERSIONS = ("v3.2.0", "v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0")
_FOLDER = Path(__file__).parent / "schemas"
_LONGEST = 30  # digits
_KNOWN, _WHEN = "knownKeys", "when"
_TYPES = {
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}
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


@cache
def odps_validator() -> Validator:
    """Return the validator of `product.odps.yaml`."""
    schema = json.loads((_FOLDER / "odps-1.1.0.schema.json").read_text("utf-8"))
    schema["properties"]["apiVersion"]["enum"] = list(ODPS_VERSIONS)
    return Validator(schema)


@cache
def odcs_validator() -> Validator:
    """Return the validator of `<port>.odcs.yaml`."""
    return Validator(_odcs())


@cache
def expectation_validator() -> Validator:
    """Return the validator of one input-port expectation: an ODCS quality rule and `column`."""
    schema = _odcs()
    rule = schema["$defs"]["DataQuality"]
    rule["properties"]["column"] = {"type": "string"}
    return Validator({"$ref": "#/$defs/DataQuality", "$defs": schema["$defs"]})


@cache
def settings_validators() -> dict[str, dict[str, Validator]]:
    """Return, for each place of a setting, the validator of each setting's value."""
    schema = json.loads((_FOLDER / "dataops_mesh.schema.json").read_text("utf-8"))
    return {
        place: {
            name: Validator({**value, "$defs": schema["$defs"]})
            for name, value in schema["$defs"][place]["properties"].items()
        }
        for place in ("product", "inputPort", "outputPort", "contract", "column", "relationship")
    }


@cache
def standard_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON schemas of the two standards, as they are published."""
    odps = json.loads((_FOLDER / "odps-1.1.0.schema.json").read_text("utf-8"))
    return {"ODCS": json.loads(_odcs_file().read_text("utf-8")), "ODPS": odps}


class Validator:
    """Validates by one schema: at once, and only if something is wrong, with what is.

    Args:
        schema: a JSON schema of draft 2019-09.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema

    def errors(self, value: Any) -> Iterator[Any]:
        """Return what is wrong with a value, as errors of the package jsonschema."""
        return iter(()) if self._is_valid(value) else self._explaining.iter_errors(value)

    def _is_valid(self, value: Any) -> bool:
        try:
            return bool(self._quick.is_valid(value))
        except (ValueError, OverflowError):  # no JSON: a key that is no text, a number too large
            return False

    @cached_property
    def _quick(self) -> Any:
        from jsonschema_rs import Draft201909Validator

        return Draft201909Validator(self.schema)

    @cached_property
    def _explaining(self) -> Any:
        from jsonschema import Draft201909Validator
        from jsonschema.validators import extend

        ours = extend(Draft201909Validator, {_KNOWN: _unknown_keys, _WHEN: _descend_when})
        return ours(_compiled(self.schema, self.schema))


def validate(validator: Validator, node: Node) -> list[Problem]:
    """Return every problem of a value, each once, at its line and with its key."""
    problems: dict[str, Problem] = {}
    for error in validator.errors(node.value):
        for leaf in _leaves(error):
            problem = _problem(leaf, node)
            problems.setdefault(str(problem), problem)
    return sorted(problems.values(), key=lambda p: p.where.line if p.where else 0)


def _odcs_file() -> Path:
    # Found, not imported: the package's models would pull in pydantic.
    spec = find_spec("open_data_contract_standard")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package open-data-contract-standard is not installed")
    return Path(spec.submodule_search_locations[0]) / "schema.json"


def _odcs() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(_odcs_file().read_text("utf-8"))
    schema["properties"]["apiVersion"]["enum"] = list(ODCS_VERSIONS)
    operators: dict[str, Any] = {name: {} for name in Operator}
    schema["$defs"]["DataQualityOperators"] = {"type": "object", "properties": operators}
    # The reader of columns knows which of the types are supported, and says that instead.
    del schema["$defs"]["SchemaBaseProperty"]["properties"]["logicalType"]["enum"]
    return schema


def _compiled(schema: Any, root: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_compiled(item, root) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _compiled(value, root) for key, value in schema.items()}
    closed = [made.pop(k) for k in _CLOSED if made.get(k) is False]
    if closed:
        made[_KNOWN] = tuple(sorted(_property_names(schema, root)))
    if isinstance(made.get("allOf"), list):
        table: dict[str, dict[Any, Any]] = {}
        made["allOf"] = [branch for branch in made["allOf"] if not _look_up(branch, table)]
        made[_WHEN] = table
    return made


def _look_up(branch: dict[str, Any], table: dict[str, dict[Any, Any]]) -> bool:
    """Move `if: {property: constant}, then: ...` into the table, if the branch has that form."""
    if "if" not in branch or "else" in branch:
        return False
    pairs = []
    for condition in branch["if"].get("anyOf", [branch["if"]]):
        if list(condition) not in (["properties"], ["properties", "required"]):
            return False
        ((name, test), *more) = condition["properties"].items()
        if more or list(test) != ["const"] or test["const"] in table.get(name, {}):
            return False
        pairs.append((name, test["const"]))
    for name, value in pairs:
        table.setdefault(name, {})[value] = branch["then"]
    return True


def _descend_when(validator: Any, table: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(instance, dict):
        for name, branches in table.items():
            value = instance.get(name)
            if isinstance(value, str) and value in branches:
                yield from validator.descend(instance, branches[value])


_CLOSED = ("additionalProperties", "unevaluatedProperties")


def _property_names(schema: dict[str, Any], root: dict[str, Any]) -> set[str]:
    """Return the names that any branch of a schema declares."""
    names = set(schema.get("properties", {}))
    branches = [schema[key] for key in ("then", "else") if key in schema]
    for key in ("allOf", "anyOf", "oneOf"):
        branches += schema.get(key, [])
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        branches.append(target)
    return names.union(*(_property_names(branch, root) for branch in branches))


def _unknown_keys(_validator: Any, known: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(instance, dict):
        for key in instance:
            if key not in known:
                hint = did_you_mean(key, known)
                yield ValidationError(f'unknown key "{key}"{hint}', path=[key])


def _leaves(error: Any) -> Iterator[Any]:
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
            yield from _leaves(inner)
    else:
        yield error


def _problem(error: Any, node: Node) -> Problem:
    keys: Keys = (*node.keys, *error.absolute_path)
    if error.validator == "required":
        missing = next(k for k in error.validator_value if k not in error.instance)
        missing = error.message.split("'")[1] if "'" in error.message else missing
        keys = (*keys, missing)
    what, choices, then = _explain(error)
    written = node.document.words.get(keys)
    if written and then.startswith("write it in quotes"):
        then = f'write it in quotes: "{written}"'
    return Problem(what, node.document.at(keys), spell(keys), choices, then)


def _explain(error: Any) -> tuple[str, tuple[str, ...], str]:
    """Return what is wrong, the valid choices and what to do."""
    expected, kind = error.validator_value, error.validator
    what, then = f"does not satisfy {kind}", ""
    choices: tuple[str, ...] = ()
    if kind == _KNOWN:
        what, choices = error.message, tuple(expected)
    elif kind in {"enum", "const"}:
        choices = tuple(str(choice) for choice in _listed(expected))
        hint = did_you_mean(error.instance, choices) if isinstance(error.instance, str) else ""
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
        return "has none of the valid forms", ""
    wanted = " or ".join(dict.fromkeys(_TYPES[name] for name in names))
    quote = isinstance(value, int | float) and "string" in names
    then = f'write it in quotes: "{str(value).lower()}"' if quote else ""
    if isinstance(value, str) and not then and {"number", "integer"} & set(names):
        then = as_number(value)
    return f"must be {wanted}, not {_kind(value)}", then


def as_number(value: Any) -> str:
    """Return how to write a text that people take for a number, or nothing.

    >>> as_number("1e6"), as_number("many")
    ('write it as 1000000: to YAML 1.1, 1e6 is text', '')
    """
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return ""
    if number is None or not number.is_finite() or abs(number.adjusted()) > _LONGEST:
        return ""
    return f"write it as {number:f}: to YAML 1.1, {value} is text"


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
