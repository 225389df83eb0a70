"""Contracts of `CREATE TABLE` statements, whatever database they were written for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataops_mesh.errors import DeclarationError, Location, Problem, SourceError
from dataops_mesh.scaffold.contract import column_names, typed
from dataops_mesh.scaffold.guess import by_name
from dataops_mesh.scaffold.text import CONFIRM, Short
from dataops_mesh.spec.names import slug
from dataops_mesh.spec.types.systems import physical

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Table:
    """What a statement says of a table: its columns as a contract has them, and its comment."""

    columns: tuple[dict[str, Any], ...]
    about: str = ""


def contracts_of_ddl(
    text: str, file: str, dialect: str
) -> tuple[dict[str, Table], tuple[str, ...]]:
    """Return each table by the port's name, and what was left out.

    Names, types, keys, nulls and lengths come over; checks and references are named.

    Args:
        text: the statements; those that create no table are left out.
        file: where they stand, for messages.
        dialect: the database they are written for, as sqlglot calls it; empty for any.

    Raises:
        DeclarationError: it is no SQL, or creates no table, or a type has no logicalType.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        parsed = sqlglot.parse(text, dialect=dialect or None)
    except (SqlglotError, ValueError) as error:
        what = str(error).partition(".")[0]
        then = "name the database: --dialect postgres, snowflake, bigquery, mysql, tsql, oracle"
        raise DeclarationError(Problem(what, Location(file, 1), next=then)) from None
    tables = [
        one
        for one in parsed
        if isinstance(one, exp.Create) and one.kind == "TABLE" and isinstance(one.this, exp.Schema)
    ]
    if not tables:
        what = "no CREATE TABLE with columns is in it"
        then = "for a SELECT: mesh new product --select"
        raise DeclarationError(Problem(what, Location(file, 1), next=then))
    try:
        made = {slug(one.this.this.name): _table(one.this, one, dialect) for one in tables}
    except SourceError as error:
        what = error.problems[0].what
        then = "change its type in the file, or leave it out and write it in the contract"
        raise DeclarationError(Problem(what, Location(file, 1), next=then)) from None
    return made, tuple(said for one in tables for said in _left_out(one.this))


def _left_out(schema: exp.Schema) -> list[str]:
    """Say what a table promises and its contract does not: checks and references."""
    from sqlglot import exp

    table = schema.this.name
    checks = (exp.CheckColumnConstraint, exp.Check)
    found = [f"CHECK of {table}: {one.this.sql()}" for one in schema.find_all(*checks)]
    keys = schema.find_all(exp.Reference)
    return [*found, *(f"reference of {table} to {one.this.sql()}" for one in keys)]


def _table(schema: exp.Schema, statement: exp.Create, dialect: str) -> Table:
    from sqlglot import exp

    defined = [one for one in schema.expressions if isinstance(one, exp.ColumnDef)]
    names = column_names([one.name for one in defined])
    key = [names.get(name, name) for name in _key(schema)]
    comment = statement.find(exp.SchemaCommentProperty)
    columns = tuple(_column(one, names[one.name], key, dialect) for one in defined)
    return Table(columns, comment.this.name if comment else "")


def _key(schema: exp.Schema) -> list[str]:
    from sqlglot import exp

    for whole in schema.find_all(exp.PrimaryKey):
        return [one.name for one in whole.expressions]
    return [
        one.parent.parent.name
        for one in schema.find_all(exp.PrimaryKeyColumnConstraint)
        if one.parent is not None and isinstance(one.parent.parent, exp.ColumnDef)
    ]


def _column(one: exp.ColumnDef, name: str, key: list[str], dialect: str) -> dict[str, Any]:
    from sqlglot import exp

    column = _typed(one, name, dialect)
    constraints = [type(item.kind) for item in one.constraints]
    if name in key:
        column |= {"primaryKey": True, "primaryKeyPosition": key.index(name) + 1}
    if name in key or exp.NotNullColumnConstraint in constraints:
        column["required"] = True
    if exp.UniqueColumnConstraint in constraints:
        column["unique"] = True
    column["classification"] = by_name(name) + CONFIRM
    comments = (c.kind for c in one.constraints)
    said = [c.this.name for c in comments if isinstance(c, exp.CommentColumnConstraint)]
    return {**column, "description": said[0] if said else ""}


def _typed(one: exp.ColumnDef, name: str, dialect: str) -> dict[str, Any]:
    """Return the column with the type that the database's type is here."""
    if one.kind is None:
        raise SourceError(Problem(f'the column "{one.name}" has no type'))
    meant = physical(one.kind.sql(dialect=dialect or None), [dialect] if dialect else ())
    if meant is None:  # nested, or a name that only sqlglot knows
        return typed(one.kind.sql(dialect="duckdb"), name)
    column = typed(meant.name, name)
    if meant.length is not None:
        column["logicalTypeOptions"] = Short(maxLength=meant.length)
    return column
