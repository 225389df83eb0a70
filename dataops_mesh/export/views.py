"""The switch of what readers of a database see: views, over tables that are complete by then.

A reader holds a lock on each view that it has named until its transaction ends, and the switch
takes them all or none, in one transaction: so no transaction of a reader sees one port before the
switch and another one after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataops_mesh.engine import sql
from dataops_mesh.export.kept import Place, escaped, quoted
from dataops_mesh.export.types import stored_as
from dataops_mesh.export.wanted import Copy

_COLUMNS = """\
select a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a
 where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
_GRANTS = """\
select coalesce(quote_ident(r.rolname), 'public'), g.privilege_type, g.is_grantable
 from pg_class c cross join aclexplode(c.relacl) g left join pg_roles r on r.oid = g.grantee
 where c.oid = to_regclass(%s) and g.grantee <> c.relowner
"""
_DEPENDANTS = """\
select distinct d.oid::regclass::text from pg_depend p join pg_rewrite w on w.oid = p.objid
 join pg_class d on d.oid = w.ev_class
 where p.refobjid = to_regclass(%s) and d.oid <> p.refobjid order by 1
"""


def show(cursor: Any, place: Place, table: Place, copy: Copy) -> None:
    """Let a view show a table; where its columns fit, who depends on it stays as it is."""
    view, before = quoted(place), columns_of(cursor, place)
    after = columns_of(cursor, table)
    grants: Sequence[tuple[str, str, bool]] = ()
    if before and after[: len(before)] != before:
        cursor.execute(_GRANTS, (view,))
        grants = cursor.fetchall()
        cursor.execute(f"drop view {view}")
    cursor.execute(f"create or replace view {view} as select * from {quoted(table)}")
    for who, right, may_grant in grants:
        option = " with grant option" if may_grant else ""
        cursor.execute(f"grant {right} on {view} to {who}{option}")
    _comment(cursor, f"view {view}", _said(copy))
    for name, text in copy.descriptions:
        _comment(cursor, f"column {view}.{sql.identifier(name)}", text)


def take_away(cursor: Any, place: Place, table: str) -> bool:
    """Take a view and its table away; a view that others are made of stays, without rows.

    Returns:
        Whether nothing of it is left.
    """
    view, stays = quoted(place), bool(dependants(cursor, place))
    if stays:
        parts = [
            f"null::{kind} as {sql.identifier(name)}" for name, kind in columns_of(cursor, place)
        ]
        empty = f"select {', '.join(parts)} where false"
        cursor.execute(f"create or replace view {view} as {empty}")
        _comment(cursor, f"view {view}", "Not published any more.")
    else:
        cursor.execute(f"drop view if exists {view}")
    drop_table(cursor, place, table)
    return not stays


def drop_table(cursor: Any, place: Place, table: str) -> None:
    """Drop the table that a view has shown, if it has."""
    if table:
        cursor.execute(f"drop table if exists {quoted((place[0], table))}")


def dependants(cursor: Any, place: Place) -> tuple[str, ...]:
    """Return the views of others that are made of a relation."""
    cursor.execute(_DEPENDANTS, (quoted(place),))
    return tuple(row[0] for row in cursor.fetchall())


def columns_of(cursor: Any, place: Place) -> list[tuple[str, str]]:
    """Return the columns of a relation with their types; none if it is not there."""
    cursor.execute(_COLUMNS, (quoted(place),))
    return [(name, kind) for name, kind in cursor.fetchall()]


def finish(cursor: Any, table: Place, copy: Copy) -> None:
    """Give a loaded table its key, where it has one and the index can be made, and a comment."""
    from psycopg2 import Error

    note = f"Publication {copy.publication} of {copy.address}; read the view {copy.address.port}."
    _comment(cursor, f"table {quoted(table)}", note)
    if not copy.key or any(stored_as(dict(copy.columns)[name]) == "jsonb" for name in copy.key):
        return
    key = ", ".join(map(sql.identifier, copy.key))
    cursor.execute("savepoint key")
    try:
        cursor.execute(f"alter table {quoted(table)} add primary key ({key})")
    except Error:  # too long for an index, or masked: readers have all rows without it
        cursor.execute("rollback to savepoint key")
    cursor.execute("release savepoint key")


def choose(names: Mapping[Place, Any] | frozenset[Place], place: Place, publication: int) -> Place:
    """Return a name for a table that nobody has; a port's name may be as long as any.

    >>> choose(frozenset({("s", "orders__v3")}), ("s", "orders"), 3)
    ('s', 'orders__v3_2')
    >>> len(choose(frozenset(), ("s", "o" * 63), 12)[1])
    63
    """
    again = 1
    while True:
        end = f"__v{publication}" + (f"_{again}" if again > 1 else "")
        name = place[1].encode()[: 63 - len(end)].decode(errors="ignore") + end
        if (place[0], name) not in names:
            return place[0], name
        again += 1


def _said(copy: Copy) -> str:
    head = f"{copy.description.strip()}\n\n" if copy.description.strip() else ""
    return f"{head}{copy.address}, publication {copy.publication}, exported by dataops_mesh."


def _comment(cursor: Any, what: str, text: str) -> None:
    cursor.execute(f"comment on {escaped(what)} is %s", (text or None,))
