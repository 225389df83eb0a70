"""What a database says of the exports that it has: `_mesh_exports`, a table in each schema."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

from dataops_mesh.engine import sql

TABLE = "_mesh_exports"
_CREATE = """\
create table if not exists {name} (view_name text primary key, table_name text not null,
 store text not null, product text not null, address text not null, publication bigint not null,
 state text not null, rows bigint not null, at timestamptz not null default now());
comment on table {name} is
 'What dataops_mesh has exported into this schema, and which table each view shows.'
"""
# Of a view that somebody has dropped, nothing is there to be kept.
_THERE = """\
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = any(%s) and c.relkind in ('v', 'r', 'm', 'p', 'f', 'S')
"""
_SCHEMAS = """\
select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relname = %s and c.relkind = 'r' and pg_has_role(c.relowner, 'usage')
 and has_table_privilege(c.oid, 'select')
 and has_schema_privilege(n.oid, 'usage') order by 1
"""

Place = tuple[str, str]  # schema and name


@dataclass(frozen=True, slots=True)
class Kept:
    """One view that we keep in a schema, and the table that it shows.

    Args:
        table: empty for a view that shows nothing any more, and of which others are made.
        state: as in `Copy`; empty for such a view.
    """

    schema: str
    view: str
    table: str
    store: str
    product: str
    address: str
    publication: int
    state: str
    rows: int

    @property
    def place(self) -> Place:
        """Return where the view is."""
        return self.schema, self.view


_COLUMNS = "view_name, table_name, store, product, address, publication, state, rows"


def quoted(place: Place) -> str:
    """Return a name as SQL has it.

    >>> quoted(("public", "orders"))
    '"public"."orders"'
    """
    return f"{sql.identifier(place[0])}.{sql.identifier(place[1])}"


def all_kept(cursor: Any) -> dict[Place, Kept]:
    """Return every view that any mesh keeps in the database."""
    cursor.execute(_SCHEMAS, (TABLE,))
    found: dict[Place, Kept] = {}
    for (schema,) in cursor.fetchall():
        cursor.execute(f"select {_COLUMNS} from {quoted((schema, TABLE))}")
        found |= {one.place: one for one in (Kept(schema, *row) for row in cursor.fetchall())}
    return found


def names_in(cursor: Any, schemas: Iterable[str]) -> frozenset[Place]:
    """Return the names of all relations in some schemas."""
    cursor.execute(_THERE, (sorted(set(schemas)),))
    return frozenset((schema, name) for schema, name in cursor.fetchall())


def prepare(cursor: Any, schema: str) -> None:
    """Make a schema and its table of exports, if they are not there; one process at a time."""
    if (schema, TABLE) in names_in(cursor, [schema]):
        return
    cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (TABLE,))
    cursor.execute("select 1 from pg_namespace where nspname = %s", (schema,))
    if cursor.fetchone() is None:  # `if not exists` asks for the right to create all the same
        cursor.execute(f"create schema {sql.identifier(schema)}")
    cursor.execute(_CREATE.format(name=quoted((schema, TABLE))))


def keep(cursor: Any, kept: Kept) -> None:
    """Say which table a view shows from now on."""
    forget(cursor, kept.place)
    _, *values = astuple(kept)
    holders = ", ".join(["%s"] * len(values))
    table = escaped(quoted((kept.schema, TABLE)))
    statement = f"insert into {table} ({_COLUMNS}) values ({holders})"
    cursor.execute(statement, values)


def forget(cursor: Any, place: Place) -> None:
    """Say no more of a view."""
    table = escaped(quoted((place[0], TABLE)))
    cursor.execute(f"delete from {table} where view_name = %s", (place[1],))


def escaped(text: str) -> str:
    """Return SQL as it stands in a statement with parameters."""
    return text.replace("%", "%%")
