"""`merge(self, new_rows)`: rows by a key, the newer ones in the place of the older.

    select * from merge(self, incoming, id)

It is written out in the query before anything is parsed, so lineage, classification and messages
see what runs. Columns are named one by one: rows that lack one are told of by the engine, and not
filled with nulls.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dataops_mesh.errors import DeclarationError, Location, Problem
from dataops_mesh.spec.names import SELF
from dataops_mesh.spec.tokens import arguments, closing, kind, words

if TYPE_CHECKING:
    from dataops_mesh.spec.model import OutputPort, Product

MERGE = "merge"
_HOW = "write merge(self, new_rows), or the key behind it: merge(self, new_rows, id)"
_QUOTED = r'"(?:[^"]|"")+"'
_COLUMN = re.compile(rf"\w+|{_QUOTED}")
_RELATION = re.compile(rf"(?:\w+|{_QUOTED})(?:\.(?:\w+|{_QUOTED}))?")


def with_merges(text: str, product: Product, where: Location) -> str:
    """Return a query with each `merge(...)` written out, line by line as it was.

    Args:
        text: the query.
        product: whose it is; its contracts say the columns, and the key where none is named.
        where: its first line.

    Raises:
        DeclarationError: something else than `self`, a relation and columns was given.
    """
    if MERGE not in text.lower():
        return text
    tokens, parts, done = words(text), list[str](), 0
    for index, token in enumerate(tokens):
        called = token.text.lower() == MERGE and kind(tokens, index + 1) == "L_PAREN"
        if not called or kind(tokens, index - 1) not in {"FROM", "JOIN", "COMMA"}:
            continue
        end = closing(tokens, index + 1)
        if end is None or token.start < done:
            continue
        here = Location(where.file, where.line + text.count("\n", 0, token.start))
        made = _written_out(arguments(text, tokens[index + 1 : end + 1]), product, here)
        was = text[token.start : tokens[end].end + 1]
        parts += [text[done : token.start], made, "\n" * was.count("\n")]
        done = tokens[end].end + 1
    return "".join([*parts, text[done:]])


def _written_out(given: list[str], product: Product, where: Location) -> str:
    port = _port(given, product, where)
    old, new = given[0], given[1]
    columns = [column.name for column in port.contract.columns]
    key = [_name(one, columns, where) for one in given[2:]] or list(port.contract.key)
    if not key:
        raise _error(f"{port.address} has no primaryKey, and merge names no key", where)
    named = ", ".join(map(_identifier, columns))
    older = ", ".join(f"older__.{_identifier(name)}" for name in columns)
    same = " AND ".join(
        f"newer__.{name} IS NOT DISTINCT FROM older__.{name}" for name in map(_identifier, key)
    )
    return (
        f"(SELECT {named} FROM {new} UNION ALL SELECT {older} FROM {old} AS older__ "
        f"ANTI JOIN {new} AS newer__ ON {same})"
    )


def _port(given: list[str], product: Product, where: Location) -> OutputPort:
    """Return the port that is merged into."""
    if len(given) < 2 or not _RELATION.fullmatch(given[1]):  # noqa: PLR2004 - self, new rows
        raise _error("merge takes `self`, a relation of new rows, and the columns of a key", where)
    names = {one.name: one.address for one in product.own}
    address = names.get(given[0].lower())
    if address is None:
        what = f"merge takes what the product published last, and not {given[0]}"
        then = f"declare `- name: {SELF}` under inputPorts" if not names else _HOW
        raise DeclarationError(Problem(what, where, choices=tuple(names), next=then))
    return next(port for port in product.outputs if port.address == address)


def _name(text: str, columns: list[str], where: Location) -> str:
    plain = text[1:-1].replace('""', '"') if text.startswith('"') else text
    found = next((one for one in columns if one.lower() == plain.lower()), None)
    if not _COLUMN.fullmatch(text) or found is None:
        what = f"merge has {text} for a key, which is no column of the contract"
        raise DeclarationError(Problem(what, where, choices=tuple(columns), next=_HOW))
    return found


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _error(what: str, where: Location) -> DeclarationError:
    return DeclarationError(Problem(what, where, next=_HOW))
