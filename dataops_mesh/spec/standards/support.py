"""What becomes of each field of ODCS 3.2 and ODPS 1.1: executed, recorded or refused.

    python -m dataops_mesh.spec.standards.support        writes docs/odcs-support.md

- executed: checked on the data, used to build or publish, or held against what is declared
  elsewhere, so that a wrong value is an error;
- recorded: valid, and part of the contract's fingerprint; nothing else is done about it here;
- refused: an error that names it, because nothing would be done about it and something should.

The fields are those of the standards' JSON schemas; tests hold each against the readers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from dataops_mesh.spec.standards.schema import standard_schemas
from dataops_mesh.spec.standards.support_table import SECTIONS

_OPTIONS = "options of a "
_INTO = ("allOf", "anyOf", "oneOf")


class State(StrEnum):
    """What becomes of a field."""

    EXECUTED = "executed"
    RECORDED = "recorded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a standard.

    Args:
        standard: `ODCS` or `ODPS`.
        section: the kind of object that has it, for example `quality rule`.
        name: the key.
        state: what becomes of it.
        note: how, or why.
    """

    standard: str
    section: str
    name: str
    state: State
    note: str = ""


def fields_of(standard: str) -> dict[str, tuple[str, ...]]:
    """Return the fields that a standard's JSON schema has, by section.

    Raises:
        LookupError: a definition of the schema belongs to no section.
    """
    schema = standard_schemas()[standard]
    found: dict[str, tuple[str, ...]] = {}
    claimed: set[str] = set()
    for section, (definitions, _, _) in SECTIONS[standard].items():
        if section.startswith(_OPTIONS):
            found[section] = _options(schema, section.removeprefix(_OPTIONS))
            continue
        names = [name for part in definitions for name in _names(_definition(schema, part))]
        found[section] = tuple(dict.fromkeys(names))
        claimed.update(definitions)
    rest = [name for name in schema["$defs"] if name not in claimed and _has_fields(schema, name)]
    if rest:
        raise LookupError(f"no section has {', '.join(rest)}")
    return found


def support() -> tuple[Field, ...]:
    """Return every field of both standards.

    >>> found = {(f.section, f.name): str(f.state) for f in support() if f.standard == "ODCS"}
    >>> found["quality rule", "metric"], found["column", "businessName"]
    ('executed', 'recorded')
    """
    return tuple(_rows())


def markdown() -> str:
    """Return the support table as a page."""
    found = support()
    lines = [_HEAD]
    for standard, title in (("ODCS", "ODCS 3.2 (`<port>.odcs.yaml`)"),
                            ("ODPS", "ODPS 1.1 (`product.odps.yaml`)")):  # fmt: skip
        own = [field for field in found if field.standard == standard]
        counts = ", ".join(f"{sum(f.state is s for f in own)} {s}" for s in State)
        lines.append(f"\n## {title}\n\n{len(own)} fields: {counts}.")
        for section in SECTIONS[standard]:
            lines += _section(section, [field for field in own if field.section == section])
    return "\n".join(lines) + "\n"


_HEAD = """\
# What is executed, recorded and refused

Written by `python -m dataops_mesh.spec.standards.support` from the code and the standards' JSON
schemas; tests compare it with both.

- **executed**: checked on the data, used to build or publish, or held against what is declared
  elsewhere; a wrong value is an error.
- **recorded**: valid, and part of the contract's fingerprint, so that an edit is on record;
  people, policies and other tools may read it.
- **refused**: an error that names it, because nothing would be done about it and
  something should."""


def _rows() -> Iterator[Field]:
    for standard, sections in SECTIONS.items():
        fields = fields_of(standard)
        for section, (_, default, said) in sections.items():
            unknown = said.keys() - set(fields[section])
            if unknown:
                raise LookupError(f"{section} has no {', '.join(sorted(unknown))}")
            for name in fields[section]:
                state, _, note = said.get(name, default).partition(": ")
                yield Field(standard, section, name, State(state), note)


def _section(section: str, rows: list[Field]) -> list[str]:
    article = re.sub(r"\ba (?=[aio])", "an ", section)
    lines = [f"\n### {article}\n"]
    if all(row.state is State.RECORDED and not row.note for row in rows):
        return [*lines, f"All recorded: {', '.join(f'`{row.name}`' for row in rows)}."]
    lines += ["| field | | how |", "|---|---|---|"]
    return lines + [f"| `{row.name}` | {row.state} | {row.note} |" for row in rows]


def _definition(schema: dict[str, Any], path: str) -> Any:
    """Return a definition by its name, or by its way from the document's own (`#`)."""
    if not path.startswith("#"):
        return schema["$defs"][path]
    found: Any = schema
    for part in path.removeprefix("#").split("/") if path != "#" else ():
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


def _has_fields(schema: dict[str, Any], name: str) -> bool:
    return bool(_names(schema["$defs"][name]))


def _names(schema: Any) -> list[str]:
    """Return the properties of a definition, of its alternatives and conditions, not of others."""
    if not isinstance(schema, dict):
        return []
    names = list(schema.get("properties", {}))
    branches = [branch for key in _INTO for branch in schema.get(key, ())]
    branches += [schema["then"]] if "then" in schema else []
    if schema.get("type") == "array" and "items" in schema:
        branches.append(schema["items"])
    found = [*names, *(name for branch in branches for name in _names(branch))]
    if not found:  # a folder of definitions, such as the kinds of server
        inner = [value for value in schema.values() if isinstance(value, dict)]
        found = [name for value in inner if "properties" in value for name in _names(value)]
    return found


def _options(schema: dict[str, Any], logical: str) -> tuple[str, ...]:
    """Return the `logicalTypeOptions` of a logical type."""
    for branch in schema["$defs"]["SchemaBaseProperty"]["allOf"]:
        if f'"const": "{logical}"' in json.dumps(branch.get("if", {})):
            return tuple(branch["then"]["properties"]["logicalTypeOptions"]["properties"])
    return ()


def main() -> None:
    """Write the page."""
    (Path(__file__).parents[3] / "docs" / "odcs-support.md").write_text(markdown(), "utf-8")


if __name__ == "__main__":
    main()
