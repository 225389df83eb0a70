"""The files of a generated product: its contract as YAML, its transform, and its delivery."""

from __future__ import annotations

import json
from typing import Any

import generated_measures as measures
from generated_kinds import NULL
from generated_model import Column, Number, Product, Rule


def contract(made: Product) -> str:
    """Return the contract as YAML."""
    document: dict[str, Any] = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "urn:datacontract:g:p",
        "version": "1.0.0",
        "status": "active",
    }
    if made.allow_empty:
        document["customProperties"] = [
            {"property": "allowEmpty", "vendor": "dataops_mesh", "value": True}
        ]
    if made.freshness:
        column, hours = made.freshness
        document["slaProperties"] = [
            {"property": "freshness", "value": Number(hours), "unit": "h", "element": f"p.{column}"}
        ]
    schema: dict[str, Any] = {"name": "p", "properties": [_entry(c) for c in made.columns]}
    if made.rules:
        schema["quality"] = [_rule_entry(rule) for rule in made.rules]
    document["schema"] = [schema]
    return "\n".join(f"{key}: {_yaml(value)}" for key, value in document.items()) + "\n"


def _entry(column: Column) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": column.name, "logicalType": column.kind.logical}
    entry |= dict.fromkeys(column.flags, True)
    if column.key:
        entry |= {"primaryKey": True, "primaryKeyPosition": Number(column.key)}
    declared = dict(column.kind.declared)
    options = {**declared.pop("logicalTypeOptions", {}), **column.options}
    entry |= declared
    if options:
        entry["logicalTypeOptions"] = options
    if column.enum:
        entry["enum"] = [{"value": value} for value in column.enum]
    if column.rules:
        entry["quality"] = [_rule_entry(rule) for rule in column.rules]
    return entry


def _rule_entry(rule: Rule) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": rule.id}
    if rule.warning:
        entry["severity"] = "warning"
    if rule.what.startswith("expect_"):
        implementation = {"type": rule.what, "kwargs": rule.given}
        return {**entry, "type": "custom", "engine": "greatExpectations",
                "implementation": implementation}  # fmt: skip
    if rule.what == "sql":
        entry |= {"type": "sql", "query": measures.QUERIES[rule.given["form"]]}
    else:
        entry["metric"] = rule.what
        if rule.given:
            entry["arguments"] = rule.given
    if rule.percent:
        entry["unit"] = "percent"
    value = list(rule.value) if len(rule.value) > 1 else rule.value[0]
    return {**entry, rule.operator: value}


def _yaml(value: Any) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_yaml(str(k))}: {_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def delivery(made: Product) -> str:
    """Return the SELECT that is written to the delivered Parquet file."""
    selected = []
    for row in made.rows or (tuple(NULL for _ in made.columns),):
        cells = [
            f"CAST({_quoted(cell.text)} AS {_in_parquet(c.kind.delivered)}) AS {c.name}"
            for c, cell in zip(made.columns, row, strict=True)
        ]
        selected.append("SELECT " + ", ".join(cells))
    return f"SELECT * FROM ({' UNION ALL '.join(selected)}) {'' if made.rows else 'WHERE false'}"


def transform(made: Product) -> str:
    """Return the SQL transform: what Parquet has no type for, it makes again."""
    names = [
        c.name if _in_parquet(c.kind.delivered) == c.kind.delivered
        else f"CAST({c.name} AS {c.kind.delivered}) AS {c.name}"
        for c in made.columns
    ]  # fmt: skip
    return f"SELECT {', '.join(names)} FROM src"


def _in_parquet(delivered: str) -> str:
    return "DECIMAL(38,0)" if delivered == "HUGEINT" else delivered


def _quoted(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"
