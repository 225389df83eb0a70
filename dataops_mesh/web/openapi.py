"""The OpenAPI document of the JSON answers, made of the types of the facts."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from inspect import getdoc
from typing import Any, Union, get_args, get_origin, get_type_hints

from dataops_mesh.web.pages import PAGES, Page

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    Any: {},
    type(None): {"type": "null"},
}


def openapi(version: str) -> dict[str, Any]:
    """Return the document."""
    schemas: dict[str, Any] = {
        "Problem": {
            "type": "object",
            "properties": {"error": {"type": "array", "items": {"type": "string"}}},
            "required": ["error"],
        }
    }
    paths = {path_of(page): {"get": _operation(page, schemas)} for page in PAGES}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dataops_mesh",
            "version": version,
            "description": "The facts of the mesh's pages. They hold no value of the data.",
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def path_of(page: Page) -> str:
    """Return the path of a page's facts."""
    path = page.path.replace(":path", "")
    return f"/api{'/mesh' if path == '/' else path}"


def _operation(page: Page, schemas: dict[str, Any]) -> dict[str, Any]:
    named = [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]
    asked = [{"name": one, "in": "query", "schema": _of_query(one)} for one in page.query]
    return {
        "summary": page.summary,
        "operationId": page.kind,
        "parameters": (named if "{name" in page.path else []) + asked,
        "responses": {
            "200": _content("The facts.", schema(page.answer, schemas)),
            "400": _content("It cannot be asked.", {"$ref": "#/components/schemas/Problem"}),
            "404": _content("There is no such thing.", {"$ref": "#/components/schemas/Problem"}),
            "503": _content("The store cannot be read.", {"$ref": "#/components/schemas/Problem"}),
        },
    }


def _of_query(name: str) -> dict[str, Any]:
    known = {"page": {"type": "integer", "minimum": 1}, "before": _PLAIN[datetime]}
    return known.get(name, _PLAIN[str])


def _content(what: str, of: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": of}}}


def schema(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; that of a dataclass is put among the others by its name.

    >>> schema(tuple[int, ...], {})
    {'type': 'array', 'items': {'type': 'integer'}}
    >>> schema(tuple[str, str], {})
    {'type': 'array', 'items': {'type': 'string'}, 'minItems': 2, 'maxItems': 2}
    """
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return {"anyOf": [schema(one, schemas) for one in arguments]}
    if origin is tuple:
        found = [schema(one, schemas) for one in dict.fromkeys(arguments) if one is not ...]
        of = found[0] if len(found) == 1 else {"anyOf": found}
        items: dict[str, Any] = {"type": "array", "items": of}
        many = len(arguments)
        return items if arguments[-1] is ... else {**items, "minItems": many, "maxItems": many}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema(arguments[1], schemas)}
    if not is_dataclass(kind) or not isinstance(kind, type):
        raise TypeError(kind)
    name = kind.__name__
    if name not in schemas:
        schemas[name] = {}  # a type that holds itself finds this
        hints = get_type_hints(kind)
        schemas[name] = {
            "type": "object",
            "description": (getdoc(kind) or "").partition("\n")[0],
            "properties": {one.name: schema(hints[one.name], schemas) for one in fields(kind)},
            "required": [one.name for one in fields(kind)],
        }
    return {"$ref": f"#/components/schemas/{name}"}
