"""Validates documents with the JSON schemas of ODPS, ODCS and our own settings.

A valid document, the common case, is recognised in Rust by the schema as it stands. What is not
gets its messages from Python, by a schema that is compiled for it once per process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Operator
from dataops_mesh.spec.read.node import Node
from dataops_mesh.spec.standards.compiled import KNOWN, WHEN, compiled, descend_when, unknown_keys
from dataops_mesh.spec.standards.explained import leaves, problem_of

ODPS_VERSIONS = ("v1.1.0", "v1.0.0", "v0.9.0")
ODCS_VERSIONS = ("v3.2.0", "v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0")
_FOLDER = Path(__file__).parent / "schemas"


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
        for place in (
            *("product", "inputPort", "outputPort"),
            *("contract", "column", "rule", "relationship", "role", "server"),
        )
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

        ours = extend(Draft201909Validator, {KNOWN: unknown_keys, WHEN: descend_when})
        return ours(compiled(self.schema, self.schema))


def validate(validator: Validator, node: Node) -> list[Problem]:
    """Return every problem of a value, each once, at its line and with its key."""
    problems: dict[str, Problem] = {}
    for error in validator.errors(node.value):
        for leaf in leaves(error):
            problem = problem_of(leaf, node)
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
