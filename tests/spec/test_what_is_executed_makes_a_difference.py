"""A field that the support table calls executed changes the checks, the product or the errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support_cases import ROWS, checks, document, load, of

from dataops_mesh.errors import Problem
from dataops_mesh.spec.model import Product
from dataops_mesh.spec.standards.support import Field, State

INTEGERS = {"minimum": 1, "maximum": 1, "exclusiveMinimum": 1, "exclusiveMaximum": 1}
DATES = dict.fromkeys(INTEGERS, "2026-01-01")
TIMES = dict.fromkeys(INTEGERS, "10:00:00")
CLOCK = {"timezone": True, "defaultTimezone": ("wrong", "Europe/Berlin")}
NUMBERS = {"multipleOf": 2}
OURS = [{"property": "no_such_setting", "vendor": "dataops_mesh", "value": 1}]
FORBIDDEN = ("wrong", OURS)
OPERATORS = {
    "mustNotBe": 1, "mustBeGreaterThan": 1, "mustBeGreaterOrEqualTo": 1, "mustBeLessThan": 1,
    "mustBeLessOrEqualTo": 1, "mustBeBetween": [1, 2], "mustNotBeBetween": [1, 2],
}  # fmt: skip
DOCUMENT = {
    "apiVersion": ("wrong", "v2.2.0"),
    "kind": ("wrong", "Thing"),
    "id": ("product", "other"),
    "version": ("wrong", "latest"),
    "status": ("wrong", "ready"),
    "domain": ("wrong", "elsewhere"),
    "customProperties": FORBIDDEN,
}
CUSTOM = {
    "property": ("wrong", "no_such_setting"),
    "value": ("wrong", "yes"),
    "vendor": ("wrong", "dataops-mesh"),
}
# What a value does that differs from the document without it: another check ("checks"), an error
# ("wrong"), or another product ("product"). A bare value does the first.
PROBES: dict[tuple[str, str], dict[str, Any]] = {
    ("ODCS", "contract"): {
        **DOCUMENT,
        "schema": ("wrong", []),
        "slaDefaultElement": (
            "checks", "at", {"slaProperties": [{"property": "freshness", "value": 1, "unit": "d"}]},
        ),
        "slaProperties": [
            {"property": "freshness", "value": 1, "unit": "d", "element": "at"},
        ],
    },
    ("ODCS", "schema object"): {
        "name": ("wrong", "other"),
        "properties": [{"name": "y", "logicalType": "date"}],
        "relationships": [{"from": "t.x", "to": "t.k"}],
        "quality": [{"metric": "rowCount", "mustBe": 1}],
    },
    ("ODCS", "column"): {
        "name": "y",
        "logicalType": "boolean",
        "physicalType": "UUID",
        "logicalTypeOptions": {"minLength": 1},
        "required": True,
        "unique": True,
        "primaryKey": True,
        "primaryKeyPosition": ("wrong", 1),
        "partitioned": ("product", True),
        "partitionKeyPosition": ("wrong", 1),
        "enum": [{"value": "a"}],
        "relationships": [{"to": "t.k"}],
        "quality": [{"metric": "nullValues", "mustBe": 1}],
        "semanticType": ("wrong", "measure"),
        "classification": ("product", "restricted"),
        "customProperties": FORBIDDEN,
        "properties": ("checks", [{"name": "a", "logicalType": "date"}], {"logicalType": "object"}),
        "items": ("checks", {"logicalType": "date"}, {"logicalType": "array"}),
        "map": ("wrong", {}, {"logicalType": "map"}),
    },
    ("ODCS", "map"): {"key": {"logicalType": "date"}, "value": {"logicalType": "date"}},
    ("ODCS", "options of a string"): {
        "minLength": 1, "maxLength": 1, "pattern": "a", "format": "uuid",
    },
    ("ODCS", "options of a integer"): {**INTEGERS, **NUMBERS, "format": "i8"},
    ("ODCS", "options of a number"): {**INTEGERS, **NUMBERS, "format": "f32"},
    ("ODCS", "options of a date"): {**DATES, "format": ("wrong", "HH:mm")},
    ("ODCS", "options of a timestamp"): {**DATES, **CLOCK, "format": "yyyy-MM-dd"},
    ("ODCS", "options of a time"): {**TIMES, **CLOCK, "format": "HH:mm"},
    ("ODCS", "options of a object"): {
        "maxProperties": ("wrong", 0), "minProperties": ("wrong", 2), "required": ("wrong", ["b"]),
    },
    ("ODCS", "options of a array"): {"maxItems": 1, "minItems": 1, "uniqueItems": True},
    ("ODCS", "options of a vector"): {"dimensions": 4, "elementType": "int8"},
    ("ODCS", "enum value"): {"value": "other"},
    ("ODCS", "quality rule"): {
        "id": "other",
        "name": "other",
        "type": ("wrong", "sql"),
        "metric": "duplicateValues",
        "arguments": ("wrong", {"pattern": "a"}),
        "mustBe": 1,
        **{key: ("checks", value, {"mustBe": None}) for key, value in OPERATORS.items()},
        "unit": "percent",
        "severity": "info",
        "query": ("wrong", "drop table x", {"type": "sql", "metric": None}),
        "engine": ("wrong", "greatExpectation", {"type": "custom", "metric": None, "mustBe": None,
                                     "implementation": {"type": "expect_column_to_exist"}}),
        "implementation": (
            "checks",
            {"type": "expect_column_values_to_be_unique"},
            {"type": "custom", "metric": None, "mustBe": None, "engine": "great-expectations"},
        ),
        "customProperties": FORBIDDEN,
    },
    ("ODCS", "relationship"): {
        "id": "other",
        "type": ("wrong", "parent"),
        "from": ("wrong", "t.y"),
        "to": "t.x",
        "customProperties": FORBIDDEN,
    },
    ("ODCS", "service level"): {
        "property": ("wrong", "speed"),
        "value": ("wrong", -1),
        "unit": ("wrong", "m"),
        "element": ("checks", "at", {"property": "freshness"}),
        "scheduler": ("wrong", "airflow"),
        "schedule": ("wrong", "daily"),
    },
    ("ODCS", "server"): {"customProperties": FORBIDDEN},
    ("ODCS", "role"): {
        "role": ("product", "other"),
        "firstLevelApprovers": ("product", "lea"),
        "secondLevelApprovers": ("product", "tom"),
        "customProperties": FORBIDDEN,
    },
    ("ODCS", "custom property"): {
        key: (*value, {"property": "allowEmpty", "vendor": "dataops_mesh"})
        for key, value in CUSTOM.items()
    },
    ("ODPS", "product"): {
        **DOCUMENT,
        "deprecated": ("product", True),
        "inputPorts": ("wrong", [{"name": "nobody"}]),
        "outputPorts": ("wrong", [{"name": "u"}]),
    },
    ("ODPS", "input port"): {
        "name": ("product", "other.places"),
        "version": ("product", "2.0.0"),
        "contractId": ("product", "i"),
        "customProperties": FORBIDDEN,
    },
    ("ODPS", "output port"): {
        "name": ("wrong", "u"),
        "version": ("wrong", "2.0.0"),
        "contractId": ("wrong", "other"),
        "customProperties": FORBIDDEN,
    },
    ("ODPS", "custom property"): {
        key: (*value, {"property": "transform", "vendor": "dataops_mesh"})
        for key, value in CUSTOM.items()
    },
}  # fmt: skip


def said(product: Product | tuple[Problem, ...]) -> str:
    """Return all that a product is, but its fingerprints."""
    assert isinstance(product, Product), product
    outputs = [
        replace(port, contract=replace(port.contract, fingerprint="")) for port in product.outputs
    ]
    return repr(replace(product, fingerprint="", outputs=tuple(outputs)))


@pytest.mark.parametrize("field", of(State.EXECUTED))
def test_what_is_executed_makes_a_difference(tmp_path: Path, field: Field):
    probe = PROBES[field.standard, field.section][field.name]
    does, value, more = "checks", probe, {}
    if isinstance(probe, tuple):
        does, value, more = probe if len(probe) == 3 else (*probe, {})
    made, owner = document(field.section, field.standard)
    for key, inner in more.items():
        owner.pop(key) if inner is None else owner.update({key: inner})
    before = load(tmp_path, made, field.standard) if does != "wrong" and not more else None
    owner[field.name] = value
    after = load(tmp_path, made, field.standard)
    match does:
        case "wrong":
            assert not isinstance(after, Product)
            assert any(field.name in p.key or field.name in p.what for p in after), after
        case "checks":
            assert checks(after) != (checks(before) if before else set())
        case "product":
            assert before is not None
            assert said(after) != said(before)


def test_every_executed_field_is_probed_and_no_other():
    probed = {(*key, name) for key, fields in PROBES.items() for name in fields}
    assert probed == {
        (row.standard, row.section, row.name) for row in ROWS if row.state is State.EXECUTED
    }
