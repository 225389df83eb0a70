"""A product in its folder: what it reads, how it is built, what it promises."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from dataops_mesh.engine import sql
from dataops_mesh.errors import DeclarationError, Problem
from dataops_mesh.scaffold.documents import product, setting
from dataops_mesh.scaffold.text import Short, yaml_text
from dataops_mesh.spec.names import NAME_RULE, is_name, suggestion, taken

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class People:
    """Who answers for a product: a team, its owner and how to reach them."""

    team: str = ""
    owner: str = ""
    support: str = ""


@dataclass(frozen=True, slots=True)
class NewProduct:
    """What a new product is called and reads.

    Args:
        domain: its domain.
        name: its name.
        inputs: entries of `inputPorts`.
        people: who answers for it.
        purpose: what it is for.
    """

    domain: str
    name: str
    inputs: Sequence[dict[str, Any]] = ()
    people: People = field(default_factory=People)
    purpose: str = ""

    def document(self) -> str:
        """Return its `product.odps.yaml`."""
        people = self.people
        members = [Short(username=people.owner, role="owner")] if people.owner else []
        team = {"name": people.team, "members": members}
        return yaml_text(
            product(
                self.domain,
                self.name,
                description={"purpose": self.purpose},
                inputPorts=list(self.inputs),
                team=team if people.team or members else {},
                support=_support(people.support),
            )
        )


def require_names(**names: str) -> None:
    """Refuse what cannot be the name of a domain, a product or a port.

    Raises:
        DeclarationError: with each of them.
    """
    wrong = [
        Problem(f'the {what} "{name}": a name {NAME_RULE}', next=suggestion(name))
        for what, name in names.items()
        if not is_name(name)
    ]
    if text := taken(names.get("domain", "")):
        wrong.append(Problem(text, next="give it another name"))
    if wrong:
        raise DeclarationError(wrong)


def source_input(
    name: str, file: Path, folder: Path, root: Path, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the input port that reads a file.

    Args:
        name: the port.
        file: the file; it is named from the product's folder if it is in the workspace.
        folder: the product's folder.
        root: the workspace.
        options: how the file is read.
    """
    file = file.resolve()
    inside = file.is_relative_to(root.resolve())
    path = Path(os.path.relpath(file, folder.resolve())).as_posix() if inside else file.as_posix()
    value = {"path": path, "options": Short(options)} if options else Short(path=path)
    return {"name": name, "customProperties": [setting("source", value)]}


def select_text(columns: dict[str, str], relation: str) -> str:
    """Return a SELECT of columns under their new names.

    >>> print(select_text({"id": "id", "Tail Num": "tail_num"}, "planes_csv"))
    select
        id,
        "Tail Num" as tail_num
    from planes_csv
    """
    lines = [
        _quoted(old) if old == new else f"{_quoted(old)} as {_quoted(new)}"
        for old, new in columns.items()
    ]
    listed = ",\n".join(f"    {line}" for line in lines)
    return f"select\n{listed}\nfrom {relation}"


def python_text(argument: str, columns: dict[str, str]) -> str:
    """Return a `transform.py` that passes its one input on.

    Args:
        argument: the input port, as a parameter.
        columns: new names of columns; empty where they stay as they are.
    """
    lines = [
        f"def transform({argument}):",
        f'    """Return what the contract promises; {argument} is a lazy DuckDB relation."""',
    ]
    if not columns:
        return "\n".join([*lines, f"    return {argument}"]) + "\n"
    listed = [f"{_quoted(old)} as {_quoted(new)}" for old, new in columns.items()]
    lines += [f"    return {argument}.project(", '        """']
    lines += [f"        {one}," for one in listed[:-1]]
    lines += [f"        {listed[-1]}", '        """', "    )"]
    return "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    plain = _PLAIN.fullmatch(name) and name not in _reserved()
    return name if plain else sql.identifier(name)


@cache
def _reserved() -> frozenset[str]:
    """Return the words that DuckDB takes for its own."""
    import duckdb

    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    with duckdb.connect() as con:
        return frozenset(str(row[0]) for row in con.execute(query).fetchall())


def _support(address: str) -> list[dict[str, Any]]:
    if not address:
        return []
    mail = "@" in address and ":" not in address
    url = f"mailto:{address}" if mail else address
    return [Short(channel=address.partition("@")[0] if mail else "team", url=url)]
