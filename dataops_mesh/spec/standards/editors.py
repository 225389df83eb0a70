"""JSON schemas for editors: the standards' own, with our settings spelled out at their places.

They are stricter than the standards only inside `customProperties` entries of our vendor, so
that completion and validation know their names and values. `mesh check` knows more.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from dataops_mesh.spec.read.extras import VENDOR
from dataops_mesh.spec.standards.schema import ODCS_VERSIONS, ODPS_VERSIONS

_FOLDER = Path(__file__).parent / "schemas"
# Our place -> the definition of the standard that has its custom properties; "" is the root.
_ODPS = {"product": "", "inputPort": "InputPort", "outputPort": "OutputPort"}
_ODCS = {
    "contract": "",
    "column": "SchemaBaseProperty",
    "rule": "DataQuality",
    "relationship": "RelationshipBase",
}


def odps_schema() -> dict[str, Any]:
    """Return the schema of `product.odps.yaml` for editors."""
    text = (_FOLDER / "odps-1.1.0.schema.json").read_text("utf-8")
    return _refined(json.loads(text), ODPS_VERSIONS, _ODPS)


def odcs_schema() -> dict[str, Any]:
    """Return the schema of `<port>.odcs.yaml` for editors."""
    text = files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    return _refined(json.loads(text), ODCS_VERSIONS, _ODCS)


def _refined(
    schema: dict[str, Any], versions: tuple[str, ...], places: dict[str, str]
) -> dict[str, Any]:
    ours = json.loads((_FOLDER / "dataops_mesh.schema.json").read_text("utf-8"))["$defs"]
    schema["properties"]["apiVersion"]["enum"] = list(versions)
    # The folder and the file name say it; `id` and the rest stay as the standard has them.
    for place, definition in places.items():
        target = schema["$defs"][definition] if definition else schema
        target.setdefault("allOf", []).append(_setting(place, ours[place]["properties"]))
    schema["$defs"] |= {name: value for name, value in ours.items() if "properties" not in value}
    schema["$defs"] |= {name: ours[name] for name in ("readerOptions", "columnTypes", "onFailure")}
    return schema


def _setting(place: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what must hold for the entries of our vendor at one place."""
    is_ours = {"required": ["vendor"], "properties": {"vendor": {"const": VENDOR}}}
    values = [
        {
            "if": {"properties": {"property": {"const": name}}},
            "then": {"properties": {"value": value}},
        }
        for name, value in settings.items()
    ]
    names: dict[str, Any] = {"enum": sorted(settings)} if settings else {"not": {}}
    then = {"properties": {"property": names}, "allOf": values} if values else False
    entry = {"if": is_ours, "then": then}
    return {
        "$comment": f"settings of {VENDOR} at: {place}",
        "properties": {"customProperties": {"items": entry}},
    }
