"""What Great Expectations can execute here: the table that declarations are checked against.

    python -m dataops_mesh.quality.catalogue        writes spec/standards/schemas/expectations.json

Declarations are loaded without Great Expectations, so what it knows is written down once; a
test compares the file with the installed library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

FILE = Path(__file__).parents[1] / "spec" / "standards" / "schemas" / "expectations.json"
SUFFIX = "Expectation"
COLUMNS = ("column", "column_A", "column_B", "column_list")
# Fields of every expectation that are no arguments of it; the rule's own keys say these things.
NO_ARGUMENTS = {
    "id", "meta", "notes", "result_format", "description", "catch_exceptions", "rendered_content",
    "windows", "batch_id", "severity", "row_condition", "condition_parser", "library_metadata",
}  # fmt: skip
_SQL = "write it as a rule of `type: sql`"
# Those that cannot run on SQL, or would read more than the candidate, and what does the same.
REFUSED = {
    "expect_column_values_to_be_dateutil_parseable": "use `logicalTypeOptions: {format: date}`",
    "expect_column_values_to_be_decreasing": f"{_SQL} with lag() over an order",
    "expect_column_values_to_be_increasing": f"{_SQL} with lag() over an order",
    "expect_column_values_to_be_json_parseable": f"{_SQL} with json_valid({{property}})",
    "expect_column_values_to_match_json_schema": f"{_SQL} with json_extract({{property}}, ...)",
    "expect_column_values_to_match_strftime_format": f"{_SQL} with try_strptime({{property}}, ...)",
    "expect_multicolumn_values_to_be_unique": "use expect_compound_columns_to_be_unique",
    "expect_query_results_to_match_comparison": f"{_SQL}; only the candidate is read",
    "expect_table_row_count_to_equal_other_table": "refer to the other port with `relationships`",
}
# Where DuckDB can do less than the class allows.
NARROWER = {"expect_column_values_to_not_be_outliers": {"method": {"enum": ["std"]}}}
# What the class lets be absent, and then asserts nothing.
NEEDED = {
    "expect_column_kl_divergence_to_be_less_than": ("partition_object", "threshold"),
    "expect_column_values_to_be_in_type_list": ("type_list",),
    "expect_column_values_to_match_regex": ("regex",),
    "expect_table_columns_to_match_ordered_list": ("column_list",),
    "expect_table_columns_to_match_set": ("column_set",),
}


def describe() -> dict[str, Any]:
    """Return the table, made from the installed library."""
    import great_expectations as gx

    table = {}
    for name, kind in sorted(classes().items()):
        fields = {k: f for k, f in kind.__fields__.items() if k not in NO_ARGUMENTS}
        arguments = {key: _schema(field.outer_type_) for key, field in fields.items()}
        required = {key for key, field in fields.items() if field.required}
        required |= set(NEEDED.get(name, ()))
        for key, narrower in NARROWER.get(name, {}).items():
            arguments[key] = narrower
            required.add(key)
        if "mostly" in arguments:
            arguments["mostly"] = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
        if name not in REFUSED:
            table[name] = {"required": sorted(required), "properties": arguments}
    version = ".".join(gx.__version__.split(".")[:2])
    return {"great_expectations": version, "executed": table, "refused": REFUSED}


@cache
def classes() -> dict[str, type[Any]]:
    """Return the library's expectation classes by the names that contracts use."""
    import inspect

    import great_expectations.expectations as gxe

    found = [c for c in vars(gxe).values() if inspect.isclass(c) and c is not gxe.Expectation]
    return {_snake(kind.__name__): kind for kind in found if issubclass(kind, gxe.Expectation)}


def written() -> str:
    """Return the table as it is kept in the file."""
    return json.dumps(describe(), indent=1, sort_keys=True) + "\n"


def _snake(name: str) -> str:
    """Return a class's name as contracts write it.

    >>> _snake("ExpectColumnKLDivergenceToBeLessThan"), _snake("UnexpectedRowsExpectation")
    ('expect_column_kl_divergence_to_be_less_than', 'unexpected_rows_expectation')
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return spaced.lower()


def _schema(annotation: Any) -> dict[str, Any]:
    """Return the JSON schema of a field, without the library's run-time parameters."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _schema(inner[0])
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is Union:
        # A mapping among other types is a run-time parameter, which nothing would give.
        several = [one for one in inner if one is not dict and one is not type(None)]
        found: list[dict[str, Any]] = []
        for one in several:
            schema = _schema(one)
            if schema not in found:
                found.append(schema)
        return found[0] if len(found) == 1 else {"anyOf": found}
    if origin in {list, Sequence, tuple} or annotation in {list, tuple, set, list[Any]}:
        return _array(origin, inner)
    if origin is not None:
        return {"type": "array"}
    if hasattr(annotation, "__fields__"):
        fields = annotation.__fields__
        inside = {key: _schema(field.outer_type_) for key, field in fields.items()}
        required = sorted(key for key, field in fields.items() if field.required)
        return {
            "type": "object",
            "properties": inside,
            "required": required,
            "additionalProperties": False,
        }
    return _plain(annotation)


def _array(origin: Any, inner: tuple[Any, ...]) -> dict[str, Any]:
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return {"type": "array", "minItems": len(inner), "maxItems": len(inner)}
    items = _schema(inner[0]) if inner and inner[0] is not Any else {}
    return {"type": "array", "minItems": 1, **({"items": items} if items else {})}


def _plain(annotation: Any) -> dict[str, Any]:
    if annotation is dict:
        return {"type": "object"}
    if annotation in {date, datetime}:
        return {"type": "string"}
    for base, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(annotation, type) and issubclass(annotation, base):
            limits = {
                word: getattr(annotation, short, None)
                for word, short in (
                    ("minimum", "ge"),
                    ("maximum", "le"),
                    ("exclusiveMinimum", "gt"),
                    ("exclusiveMaximum", "lt"),
                )
            }
            return {"type": name, **{k: v for k, v in limits.items() if v is not None}}
    return {}


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
