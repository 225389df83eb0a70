"""Mutated declarations either load or raise DeclarationError with file and line, no other way."""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from declared import PRODUCT, Workspace, with_expectation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_mesh.errors import DeclarationError
from dataops_mesh.spec.checks.check import checks_of
from dataops_mesh.spec.checks.coverage import coverage
from dataops_mesh.spec.loader import load_product

DATA = Path(__file__).parent / "data"
# HYPOTHESIS_PROFILE=long: tens of thousands of declarations, for a nightly run.
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
MANY = 40 if LONG else 1
pytestmark = pytest.mark.timeout(0 if LONG else 300)
# Everything the reader supports, and much of what it refuses.
ODCS = (DATA / "transactions.odcs.yaml").read_text("utf-8")
ODPS = with_expectation(
    "metric: nullValues, column: a, mustBe: 0, unit: percent, severity: info"
) + (
    "customProperties: [{property: transform, vendor: dataops_mesh, value: {sql: transactions.sql}}]\n"
    "outputPorts: [{name: transactions, version: 2.1.0}]\nstatus: active\nversion: 1.0.0\n"
    "team: {name: t, members: [{username: u, role: r}]}\nsupport: [{channel: c, url: 'https://a.test'}]\n"
)
FRAGMENTS = [
    "\n", "  ", "- ", ": ", "{", "}", "[", "]", "'", '"', "#", "&a ", "*a", "!!str ", "|\n", ">", "?",
    "\t", "\0", "\ud7ff", "é", "---\n", "null", "true", "1e999", "0x1F", "-1", "2026-01-01", "~", "<<",
    "v3.1.0", "{object}", "${column}", "select", "%", "../../../..", "dataops_mesh",
]  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(allow_nan=False),
    st.sampled_from(["", "a", "A b", "x.y", "rows", "percent", "sql", "text", "library", "integer",
                     "2026-01-01", "(?=", "select 1 from {object}", "../x", "\0", "h", "cron", "array", "object", "map",
                     "STRUCT(a INT, b TEXT[])", "INTEGER[]", "transactions.a", "a.b.c", "email",
                     "expect_column_mean_to_be_between", "yyyy-MM-dd'T'HH", "{batch}"]),
    st.just([]), st.just({}), st.lists(st.integers(), max_size=2), st.just({"a": [{"b": None}]}),
)  # fmt: skip


def places(data: Any, keys: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [keys] if keys else []
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in items:
        found += places(value, (*keys, key))
    return found


@st.composite
def mutated_text(draw: st.DrawFn, text: str) -> str:
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 3, 20, 200])))
        text = text[:start] + draw(st.sampled_from(FRAGMENTS)) + text[end:]
    return text


@st.composite
def mutated_data(draw: st.DrawFn, text: str) -> Any:
    data = yaml.safe_load(text)
    for _ in range(draw(st.integers(1, 3))):
        keys = draw(st.sampled_from(places(data) or [("id",)]))
        owner = data
        for key in keys[:-1]:
            owner = owner[key]
        match draw(st.sampled_from(["replace", "delete", "rename", "copy"])):
            case "delete":
                del owner[keys[-1]]
            case "rename" if isinstance(owner, dict):
                owner[
                    draw(
                        st.sampled_from(
                            [
                                "x",
                                "mustBe",
                                "unit",
                                "value",
                                "type",
                                "to",
                                "from",
                                "items",
                                "format",
                                "kwargs",
                                "properties",
                                "element",
                                "logicalType",
                                "physicalType",
                            ]
                        )
                    )
                ] = owner.pop(keys[-1])
            case "copy" if isinstance(owner, list):
                owner.append(deepcopy(owner[keys[-1]]))
            case _:
                owner[keys[-1]] = deepcopy(draw(VALUES))
    return data


def loads(odps: str, odcs: str) -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = Workspace(Path(name)).folder("finance", "transactions")
        folder.mkdir(parents=True)
        (folder / "transactions.sql").write_text("select 1 as one")
        files = {"product.odps.yaml": odps, "transactions.odcs.yaml": odcs}
        for file, text in files.items():
            (folder / file).write_text(text, "utf-8", errors="surrogatepass")
        try:
            product = load_product(folder, Path(name))
        except DeclarationError as error:
            for problem in error.problems:
                assert problem.where is not None
                text = files[Path(problem.where.file).name]
                assert problem.where.file.startswith("domains/finance/transactions/")
                assert 1 <= problem.where.line <= len(text.splitlines()) + 1, str(problem)
                assert "\n" not in str(problem.where)
            return False
        assert coverage(product).executable <= len(checks_of(product))
        hash(product)
        return True


def fuzzed(examples: int) -> settings:
    """Return the settings of a fuzz test; the long profile has many times the examples."""
    return settings(
        max_examples=MANY * examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


@fuzzed(150)
@given(mutated_text(ODCS))
def test_a_contract_with_damaged_text(text: str):
    loads(ODPS, text)


@fuzzed(150)
@given(mutated_text(ODPS))
def test_a_product_with_damaged_text(text: str):
    loads(text, ODCS)


@fuzzed(150)
@given(mutated_data(ODPS))
def test_a_product_with_damaged_data(data: Any):
    loads(json.dumps(data), ODCS)


RICH = """\
apiVersion: v3.2.0
kind: DataContract
id: t
version: 1.0.0
schema:
  - name: transactions
    properties:
      - {name: a, logicalType: string, physicalType: VARCHAR, primaryKey: true, primaryKeyPosition: 1,
         logicalTypeOptions: {minLength: 1, maxLength: 9, pattern: '^a'}, enum: [{value: ab}, {value: ac}]}
      - {name: b, logicalType: number, logicalTypeOptions: {minimum: 0, exclusiveMaximum: 9.5}, unique: true}
      - name: c
        logicalType: timestamp
        required: true
        logicalTypeOptions: {timezone: true, minimum: '2026-01-01'}
        classification: internal
        quality:
          - {metric: nullValues, mustBeLessThan: 5, unit: percent, severity: warning, id: q1}
          - {type: sql, query: 'select count({property}) from {object}', mustBe: 0, dimension: accuracy}
      - {name: e, logicalType: string, relationships: [{to: transactions.a, customProperties: [
          {property: tolerance, vendor: dataops_mesh, value: {mustBeLessThan: 5, unit: percent}}]}]}
      - {name: f, logicalType: object, properties: [{name: g, logicalType: array,
          items: {logicalType: integer}}], logicalTypeOptions: {required: [g], maxProperties: 3}}
      - {name: h, logicalType: map, map: {key: {logicalType: string}, value: {logicalType: date}}}
      - {name: i, logicalType: array, physicalType: 'INTEGER[]',
         logicalTypeOptions: {minItems: 1, uniqueItems: true}}
      - {name: j, logicalType: vector, logicalTypeOptions: {dimensions: 3, elementType: int8}}
      - {name: k, logicalType: time, logicalTypeOptions: {format: 'HH:mm', defaultTimezone: UTC}}
      - {name: l, logicalType: integer, logicalTypeOptions: {multipleOf: 5, format: i16}}
      - {name: m, logicalType: string, logicalTypeOptions: {format: uuid}}
      - name: d
        logicalType: string
        quality:
          - {type: custom, engine: greatExpectations,
             implementation: {type: expect_column_values_to_be_unique, kwargs: {mostly: 0.5}}}
          - {metric: missingValues, arguments: {missingValues: ['', null]}, mustBe: 0}
          - {metric: invalidValues, arguments: {validValues: [a]}, mustBeBetween: [0, 5]}
    quality:
      - {metric: duplicateValues, arguments: {properties: [a, b]}, mustBe: 0}
      - {metric: rowCount, mustBeGreaterThan: 0}
      - {type: custom, engine: great-expectations, implementation: {
          type: unexpected_rows_expectation,
          kwargs: {unexpected_rows_query: 'select * from {batch} where l < 0'}}}
      - {type: text, description: d}
slaProperties:
  - {property: freshness, value: 24, unit: h, element: transactions.c}
  - {property: frequency, value: 1, unit: d, scheduler: cron, schedule: 0 6 * * *}
  - {property: latency, value: 24, unit: h, element: 'transactions.c, c'}
  - {property: retention, value: 1, unit: y, element: c}
customProperties: [{property: allowEmpty, vendor: dataops_mesh, value: false}]
"""


@cache
def bitol() -> Any:
    spec = importlib.util.find_spec("open_data_contract_standard")
    assert spec is not None
    assert spec.submodule_search_locations
    schema = json.loads(
        (Path(spec.submodule_search_locations[0]) / "schema.json").read_text("utf-8")
    )
    return jsonschema.Draft201909Validator(schema)


def test_the_rich_contract_is_valid_by_the_standard_and_loads():
    assert bitol().is_valid(yaml.safe_load(RICH))
    assert loads(PRODUCT, RICH)


@fuzzed(150)
@given(mutated_text(RICH))
def test_a_rich_contract_with_damaged_text(text: str):
    loads(PRODUCT, text)


@fuzzed(150)
@given(mutated_data(RICH))
def test_what_the_standard_refuses_never_loads(data: Any):
    """Our compiled form of the schema, with the readers, is at least as strict as Bitol's."""
    loaded = loads(PRODUCT, json.dumps(data))
    assert not loaded or bitol().is_valid(data)
