"""Binds SQL transforms against what is declared: names and types that `mesh check` can know.

Only a product that reads a port declared elsewhere, or types that nobody says, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_mesh.engine import sql
from dataops_mesh.engine.convert import never_becomes
from dataops_mesh.errors import Location, Problem
from dataops_mesh.spec.model import OutputPort, Product, TransformKind
from dataops_mesh.spec.types.stored import wanted_types
from dataops_mesh.transform.dry.session import Known, declare, empty_session, line_of, unbound
from dataops_mesh.transform.place import place
from dataops_mesh.transform.sql import sql_queries

if TYPE_CHECKING:
    import duckdb

_NULL = re.compile(r"\bnull\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bound:
    """What DuckDB says of a product's SQL before any row is read.

    Args:
        problems: why it can never be built.
        notes: what would fail with any value: types that only nulls can have, or that today's
            delivery has.
    """

    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()


def bound(product: Product, known: Known) -> Bound:
    """Bind the product's SQL to empty relations of what it reads.

    Args:
        product: whose SQL.
        known: the columns of its inputs.
    """
    if product.transform.kind is not TransformKind.SQL:
        return Bound()
    with empty_session() as con:
        for port in product.reads:
            types = known(port)
            if types is None or not declare(con, port.name, types):
                return Bound()
        for statement in _ends(product):
            con.execute(statement)
        return _bound(product, con)


def _bound(product: Product, con: duckdb.DuckDBPyConnection) -> Bound:
    queries = sql_queries(product)
    files = dict(zip(product.transform.ports, product.transform.files, strict=True))
    sure = all(port.address or port.contract for port in product.inputs)
    problems: list[Problem] = []
    notes: list[Problem] = []
    for output in product.outputs:
        file, query = files[output.name], queries[output.name]
        try:
            described = con.execute(f"DESCRIBE SELECT * FROM ({query})").fetchall()
        except sql.engine_error() as error:
            text = file.read_text("utf-8-sig")
            before = text[: len(text) - len(text.lstrip())].count("\n")
            problems.append(unbound(error, place(product, file, line_of(error) + before)))
            continue
        found = {str(row[0]): str(row[1]) for row in described}
        where = place(product, file)
        problems += _columns(output, set(found), where)
        mistyped = list(_types(output, found, where))
        # A null has some type, and is null of any other.
        (problems if sure and not _NULL.search(query) else notes).extend(mistyped)
    return Bound(tuple(problems), tuple(notes))


def _ends(product: Product) -> tuple[str, ...]:
    """Return what makes the ends of a partition timestamps where the product is cut by these."""
    cut = product.partitioning
    if cut is None or not cut.moments:
        return ()
    kind = "TIMESTAMPTZ" if cut.zoned else "TIMESTAMP"
    return tuple(
        f"CREATE OR REPLACE MACRO partition_{name}() AS {kind} '2026-01-0{day} 00:00:00+00'"
        for name, day in (("start", 1), ("end", 2))
    )


def _columns(port: OutputPort, found: set[str], where: Location) -> list[Problem]:
    """Compare what the SELECT returns with what the contract promises."""
    declared = {column.name for column in port.contract.columns}
    told = [(declared - found, "is promised and not returned")]
    told += [(found - declared, "is not declared")]
    return [
        Problem(f'{port.address}: column "{name}" {what}', where, choices=tuple(sorted(declared)))
        for names, what in told
        for name in sorted(names)
    ]


def _types(port: OutputPort, found: dict[str, str], where: Location) -> Iterator[Problem]:
    """Yield the columns of which no value can ever have the type that is promised."""
    for name, want in wanted_types(port.contract).items():
        if name in found and never_becomes(found[name], want):
            what = f'{port.address}: column "{name}" is {found[name]}, and {want} is promised'
            yield Problem(what, where, next="cast it in the transform, or promise what it is")
